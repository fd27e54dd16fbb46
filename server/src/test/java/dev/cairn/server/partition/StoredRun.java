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
import dev.cairn.server.storage.AppliedRow;
import dev.cairn.server.storage.KeyRange;
import dev.cairn.server.storage.PartitionFolder;
import dev.cairn.server.storage.StoredKeys;
import java.io.IOException;
import java.nio.ByteBuffer;
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
 * A log from a seed, and what {@link PartitionStateMachine} over a store on disk makes of it: what
 * another state machine is compared with.
 */
final class StoredRun {
  /** What is to be seen behind one entry. */
  record Moment(String data, long ids, List<List<Query>> requests, long nowMillis, String reply) {}

  private static final int RUN_MAX = 4;

  private final List<Entry> entries = new ArrayList<>(); // null data: an entry of the engine's own
  private final List<String> answers = new ArrayList<>();
  private final TreeMap<Long, Moment> moments = new TreeMap<>();
  private final Metrics metrics = new Metrics(); // of what was applied
  private final KeyMetrics reads = KeyMetrics.of(new Metrics());

  StoredRun(long seed, int length, PartitionFolder folder) throws IOException {
    SplittableRandom random = new SplittableRandom(seed);
    RandomEntries made = new RandomEntries(random.split());
    PartitionStateMachine machine =
        new PartitionStateMachine(folder, RandomEntries.ID_BOUNDS, KeyMetrics.of(metrics));
    while (entries.size() < length) {
      for (int i = random.nextInt(RUN_MAX); i >= 0; i--) {
        boolean engines = random.nextInt(20) == 0;
        apply(machine, engines ? null : made.next());
      }
      machine.flushBatch();
      look(folder, machine, random, made);
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

  private void apply(PartitionStateMachine machine, byte[] data) throws IOException {
    long index = 1L + entries.size();
    Entry entry = new Entry(index, 1 + index / 50, data, Optional.empty());
    entries.add(entry);
    if (data == null) {
      answers.add("");
      return;
    }
    answers.add(null);
    machine.apply(
        entry, Optional.of(proposal(entry, reply -> answers.set((int) index - 1, answer(reply)))));
  }

  private void look(
      PartitionFolder folder,
      PartitionStateMachine machine,
      SplittableRandom random,
      RandomEntries made) {
    List<List<Query>> requests = new ArrayList<>();
    for (int i = random.nextInt(3); i >= 0; i--) {
      requests.add(
          random.nextInt(3) == 0 ? List.of(made.query(), made.query()) : List.of(made.query()));
    }
    long nowMillis = machine.partitionTimeMillis() + random.nextInt(12);
    AppliedRow row = folder.store().applied();
    long ids =
        folder
            .store()
            .row(new byte[] {2})
            .map(found -> ByteBuffer.wrap(found).getLong(17))
            .orElse(0L);
    moments.put(
        (long) entries.size(),
        new Moment(
            data(row.operationCounter(), row.keyCount(), row.partitionTimeMillis(), folder.store()),
            ids,
            requests,
            nowMillis,
            text(ReadView.answer(folder.store(), requests, nowMillis, 0, reads))));
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
  static String data(long counter, long keyCount, long timeMillis, StoredKeys keys) {
    StringBuilder text =
        new StringBuilder("counter %d, keys %d, time %d".formatted(counter, keyCount, timeMillis));
    keys.scan(
        KeyRange.ALL,
        Integer.MAX_VALUE,
        scanned -> {
          text.append('\n').append(HexFormat.of().formatHex(scanned.key()));
          text.append(' ').append(scanned.version()).append(' ').append(scanned.expiresAtMillis());
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
    return reply.map(BatchReply.Done.class::cast).map(StoredRun::answer).orElse("look again");
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
