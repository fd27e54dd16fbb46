// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import dev.cairn.server.metrics.Metric;
import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.operation.EntryCodec;
import dev.cairn.server.operation.Operation;
import dev.cairn.server.operation.Query;
import dev.cairn.server.operation.Request;
import dev.cairn.server.operation.Result;
import dev.cairn.server.operation.ResultCodec;
import dev.cairn.server.raft.GroupListener.Entry;
import dev.cairn.server.storage.KeyRange;
import dev.cairn.state.Applied;
import dev.cairn.state.State;
import dev.cairn.state.TwinDatabase;
import dev.cairn.state.View;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;

/**
 * A log from a seed, and what {@link PartitionState} makes of it straight on: an entry at a time,
 * all in memory, without a flush, a fetch, a start or a crash. What other runs are compared with.
 */
final class StraightRun {
  /** What is to be seen behind one entry. */
  record Moment(String data, long ids, List<List<Query>> requests, long nowMillis, String reply) {}

  private static final int RUN_MAX = 4;

  private final List<Entry> entries = new ArrayList<>(); // null data: an entry of the engine's own
  private final List<String> answers = new ArrayList<>();
  private final TreeMap<Long, Moment> moments = new TreeMap<>();
  private final Metrics metrics = new Metrics(); // of what was applied
  private final KeyMetrics reads = KeyMetrics.of(new Metrics());

  private final State state = State.open(new TwinDatabase(), 1, RandomEntries.ID_BOUNDS);
  private final PartitionState partition = new PartitionState(state, KeyMetrics.of(metrics));

  StraightRun(long seed, int length) throws IOException {
    SplittableRandom random = new SplittableRandom(seed);
    RandomEntries made = new RandomEntries(random.split());
    while (entries.size() < length) {
      for (int i = random.nextInt(RUN_MAX); i >= 0; i--) {
        boolean engines = random.nextInt(20) == 0;
        apply(engines ? null : made.next());
      }
      look(random, made);
    }
  }

  /** The opcodes of all operations, and behind 100 those of all queries that are among them. */
  Set<Integer> opcodes() throws IOException {
    Set<Integer> opcodes = new TreeSet<>();
    for (Entry entry : entries) {
      if (entry.data() != null) {
        EntryCodec.decode(entry.data())
            .requests()
            .forEach(request -> request.operations().forEach(each -> add(each, opcodes)));
      }
    }
    return opcodes;
  }

  static void add(Operation operation, Set<Integer> opcodes) {
    opcodes.add(operation.opcode());
    if (operation instanceof Operation.Read read) {
      opcodes.add(100 + read.query().opcode());
    }
  }

  private void apply(byte[] data) throws IOException {
    long index = 1L + entries.size();
    long term = 1 + index / 50;
    entries.add(new Entry(index, term, data, Optional.empty()));
    if (data == null) {
      state.pass(index, term);
      answers.add("");
      return;
    }
    answers.add(null);
    InFlight proposal =
        proposal(entry(index), reply -> answers.set((int) index - 1, answer(reply)));
    Entry proposed = new Entry(index, term, data, Optional.of(proposal));
    PartitionState.Batch batch = PartitionState.read(List.of(proposed));
    partition.apply(batch).forEach(PartitionState.Outcome::tell);
  }

  private void look(SplittableRandom random, RandomEntries made) {
    List<List<Query>> requests = new ArrayList<>();
    for (int i = random.nextInt(3); i >= 0; i--) {
      requests.add(
          random.nextInt(3) == 0 ? List.of(made.query(), made.query()) : List.of(made.query()));
    }
    long nowMillis = state.timeMillis() + random.nextInt(12);
    try (View view = state.view()) {
      moments.put(
          (long) entries.size(),
          new Moment(
              data(view),
              state.idsKept(),
              requests,
              nowMillis,
              text(PartitionState.answer(view, requests, nowMillis, 0, reads))));
    }
  }

  // ---- What was made ----

  int length() {
    return entries.size();
  }

  /** An entry; its data is null where the engine keeps it to itself. */
  Entry entry(long index) {
    return entries.get((int) index - 1);
  }

  /** What the requests of an entry were answered. */
  String answer(long index) {
    return answers.get((int) index - 1);
  }

  /** What is to be seen behind an entry; null where nobody looked. */
  Moment moment(long index) {
    return moments.get(index);
  }

  /** The first index from one on behind which somebody looked. */
  long nextMoment(long index) {
    return moments.ceilingKey(index);
  }

  /** All that is compared, in a few characters. */
  String digest() {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      moments.forEach(
          (index, moment) ->
              digest.update(
                  (index + moment.data() + moment.ids() + moment.nowMillis() + moment.reply())
                      .getBytes(StandardCharsets.UTF_8)));
      digest.update((answers + counts()).getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest.digest(), 0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** What applying has counted. */
  String counts() {
    return counts(metrics);
  }

  // ---- As text, to be compared ----

  static String counts(Metrics of) {
    return "%d hits, %d misses, %d expired, %d full sweeps"
        .formatted(
            of.count(Metric.KEY_LOOKUPS, "hit"),
            of.count(Metric.KEY_LOOKUPS, "miss"),
            of.count(Metric.EXPIRED_KEYS),
            of.count(Metric.FULL_SWEEPS));
  }

  /** All keys, those that have expired too, and what is counted. */
  static String data(View view) {
    Applied row = view.applied();
    StringBuilder text =
        new StringBuilder(
            "counter %d, keys %d, time %d".formatted(row.counter(), row.keys(), row.timeMillis()));
    PartitionState.keys(view)
        .scan(
            KeyRange.ALL,
            Integer.MAX_VALUE,
            scanned -> {
              text.append('\n').append(HexFormat.of().formatHex(scanned.key()));
              text.append(' ')
                  .append(scanned.version())
                  .append(' ')
                  .append(scanned.expiresAtMillis());
              byte[] value = scanned.record().value();
              text.append(' ').append(value.length).append(' ').append(Arrays.hashCode(value));
              return true;
            });
    return text.toString();
  }

  static String answer(BatchReply reply) {
    return answer(((BatchReply.Done) reply).results());
  }

  static String answer(List<List<Result>> results) {
    StringBuilder text = new StringBuilder();
    for (List<Result> each : results) {
      byte[] bytes = ResultCodec.encode(each);
      text.append(
          bytes.length > 200 ? "#" + Arrays.hashCode(bytes) : HexFormat.of().formatHex(bytes));
      text.append(' ');
    }
    return text.toString();
  }

  static String text(Optional<BatchReply> reply) {
    return reply.map(BatchReply.Done.class::cast).map(StraightRun::answer).orElse("look again");
  }

  /** A proposal that waits for an entry. */
  static InFlight proposal(Entry entry, Consumer<BatchReply> reply) throws IOException {
    List<Request> requests = EntryCodec.decode(entry.data()).requests();
    return new InFlight(
        List.of(new InFlight.WaitingBatch(requests, 0, 0, reply)),
        0,
        Long.MAX_VALUE,
        (self, end) -> {});
  }
}
