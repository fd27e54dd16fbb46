// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.operation.Query;
import dev.cairn.server.raft.GroupListener.Entry;
import dev.cairn.state.CrashingDatabase;
import dev.cairn.state.Fetch;
import dev.cairn.state.Flush;
import dev.cairn.state.State;
import dev.cairn.state.View;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;

/**
 * Applies the log of a {@link StraightRun} by {@link PartitionState}, and compares. At random it
 * fetches what is cold or waits, flushes a step at a time, is opened again, and crashes: then what
 * was not flushed is lost, and the log is applied from before the row that is found. One seed is
 * one run.
 */
final class StateRun {
  private static final int BATCH_MAX = 4;

  private final StraightRun expected;
  private final SplittableRandom random;
  private final CrashingDatabase disk;
  private final GuardedDatabase.Mistake mistake;
  private final Map<String, Long> seen;
  private final Metrics metrics = new Metrics(); // of what was applied
  private final KeyMetrics reads = KeyMetrics.of(new Metrics());
  private GuardedDatabase database;
  private State state;
  private PartitionState partition;
  private Flush flush; // null if none is under way
  private long furthest; // the last entry that was ever applied
  private int told; // of the answers of one entry
  private View view; // of a state that may have gone on; null for none

  private StateRun(
      StraightRun expected,
      long seed,
      CrashingDatabase disk,
      GuardedDatabase.Mistake mistake,
      Map<String, Long> seen) {
    this.expected = expected;
    this.random = new SplittableRandom(seed);
    this.disk = disk;
    this.mistake = mistake;
    this.seen = seen;
    open();
  }

  /**
   * Runs one seed.
   *
   * @param seen what happened how often
   * @throws AssertionError where anything is not as the straight run has it
   */
  static void run(
      StraightRun expected,
      long seed,
      CrashingDatabase disk,
      GuardedDatabase.Mistake mistake,
      Map<String, Long> seen)
      throws IOException {
    StateRun run = new StateRun(expected, seed, disk, mistake, seen);
    try {
      while (run.state.applied().index() < expected.length()) {
        run.step();
      }
      run.crash();
      while (run.state.applied().index() < expected.length()) {
        run.apply();
      }
      run.compare();
      run.same("what was counted", expected.counts(), StraightRun.counts(run.metrics));
    } finally {
      run.close();
    }
  }

  private void count(String what) {
    seen.merge(what, 1L, Long::sum);
  }

  private void step() throws IOException {
    switch (random.nextInt(16)) {
      case 0, 1 -> beginFlush();
      case 2, 3, 4 -> stepFlush();
      case 5 -> endFlush();
      case 6 -> keepView();
      case 7 -> {
        if (random.nextInt(4) == 0) {
          crash();
        }
      }
      case 8 -> {
        if (random.nextInt(6) == 0) {
          reopen();
        }
      }
      default -> apply();
    }
  }

  private void open() {
    database = new GuardedDatabase(disk.open(), mistake);
    state = State.open(database, random.nextLong(), RandomEntries.ID_BOUNDS);
    partition = new PartitionState(state, KeyMetrics.of(metrics));
    flush = null;
    view = null;
  }

  private void close() {
    if (view != null) {
      view.close();
    }
    state.close();
  }

  // ---- Applying ----

  private void apply() throws IOException {
    long first = state.applied().index() + 1;
    if (first <= expected.length()) {
      long most = Math.min(expected.length(), first + random.nextInt(BATCH_MAX));
      applyFrom(first, random.nextInt(3) == 0 ? most : expected.nextMoment(first));
      compare();
    }
  }

  /** Applies entries; those of the engine's own one at a time, all others in batches. */
  private void applyFrom(long first, long last) throws IOException {
    List<Entry> batch = new ArrayList<>();
    for (long index = first; index <= last; index++) {
      Entry entry = expected.entry(index);
      if (entry.data() != null) {
        batch.add(proposed(entry));
        continue;
      }
      applyBatch(batch);
      batch.clear();
      if (random.nextBoolean()) {
        state.pass(index, entry.term());
      } else {
        state.configure(index, entry.term(), new byte[] {(byte) index});
      }
    }
    applyBatch(batch);
  }

  /** The first time an entry is applied its answer goes to whoever proposed it. */
  private Entry proposed(Entry entry) throws IOException {
    if (entry.index() <= furthest) {
      return entry;
    }
    InFlight proposal =
        StraightRun.proposal(
            entry,
            reply -> {
              same("index", entry.index(), ((BatchReply.Done) reply).index());
              told++;
              sameAnswer(entry.index(), StraightRun.answer(reply));
            });
    return new Entry(entry.index(), entry.term(), entry.data(), Optional.of(proposal));
  }

  private void applyBatch(List<Entry> entries) throws IOException {
    if (entries.isEmpty()) {
      return;
    }
    long before = state.applied().index();
    PartitionState.Batch batch = PartitionState.read(entries);
    boolean loop = random.nextBoolean();
    if (loop) {
      fetch(batch);
    }
    database.refuseReads(loop && !batch.walks());
    List<PartitionState.Outcome> outcomes = partition.apply(batch);
    database.refuseReads(false);
    List<Entry> applied = entries.stream().filter(entry -> entry.index() > before).toList();
    same("what was applied", applied, outcomes.stream().map(each -> each.entry()).toList());
    for (PartitionState.Outcome outcome : outcomes) {
      long index = outcome.entry().index();
      sameAnswer(index, StraightRun.answer(outcome.results()));
      told = 0;
      outcome.tell();
      same("how often it was told", outcome.entry().proposal().isPresent() ? 1 : 0, told);
      furthest = Math.max(furthest, index);
    }
    for (int i = applied.size(); i < entries.size(); i++) {
      count("entries skipped");
    }
  }

  /** The group is parked; the disk is read elsewhere; meanwhile a flush may end. */
  private void fetch(PartitionState.Batch batch) {
    Optional<Fetch> fetch = partition.fetch(batch);
    while (fetch.isPresent()) {
      fetch.get().run();
      if (random.nextInt(4) == 0) {
        endFlush();
      }
      count(fetch.get().end() ? "fetches" : "fetches that a flush made void");
      fetch = partition.fetch(batch);
    }
  }

  // ---- Flushes, starts, crashes ----

  private void beginFlush() {
    if (flush == null) {
      flush = state.beginFlush().orElse(null);
    }
  }

  private void stepFlush() {
    if (flush != null) {
      flush.step();
    }
  }

  private void endFlush() {
    if (flush != null) {
      while (flush.step()) {
        count("steps of flushes");
      }
      flush.end();
      flush = null;
    }
  }

  private void reopen() throws IOException {
    endFlush();
    beginFlush();
    endFlush();
    long index = state.applied().index();
    close();
    open();
    same("the index behind a start", index, state.applied().index());
    compare();
    count("starts");
  }

  private void crash() throws IOException {
    long durable = state.durableIndex();
    close();
    disk.crash(random);
    open();
    long found = state.applied().index();
    if (found < durable) {
      throw new AssertionError("durable was " + durable + ", found is " + found);
    }
    compare();
    count("crashes");
    long first = Math.max(1, found - random.nextInt(4));
    applyFrom(first, Math.min(expected.length(), found + random.nextInt(4)));
    compare();
  }

  // ---- Comparing ----

  private void keepView() {
    if (view != null) {
      compare(view);
      view.close();
    }
    view = state.view();
  }

  private void compare() {
    try (View now = state.view()) {
      compare(now);
    }
    StraightRun.Moment moment = expected.moment(state.applied().index());
    if (moment == null) {
      return;
    }
    same("ids", moment.ids(), state.idsKept());
    for (List<Query> request : moment.requests()) {
      List<List<Query>> one = List.of(request);
      Optional<BatchReply> reply = partition.answerFromMemory(one, moment.nowMillis(), reads);
      if (reply.isPresent()) {
        String elsewhere;
        try (View now = state.view()) {
          elsewhere =
              StraightRun.text(PartitionState.answer(now, one, moment.nowMillis(), 0, reads));
        }
        same("an answer from memory", elsewhere, StraightRun.text(reply));
        count("answers from memory");
      }
    }
  }

  private void compare(View of) {
    StraightRun.Moment moment = expected.moment(of.applied().index());
    if (moment == null) {
      return;
    }
    same("the data", moment.data(), StraightRun.data(of));
    same(
        "the reply",
        moment.reply(),
        StraightRun.text(
            PartitionState.answer(of, moment.requests(), moment.nowMillis(), 0, reads)));
    count("comparisons");
  }

  private void sameAnswer(long index, String found) {
    same("the answer of entry " + index, expected.answer(index), found);
  }

  private void same(String what, Object wanted, Object found) {
    if (!wanted.equals(found)) {
      throw new AssertionError(
          what + " at " + state.applied() + " must be\n" + wanted + "\nbut is\n" + found);
    }
  }
}
