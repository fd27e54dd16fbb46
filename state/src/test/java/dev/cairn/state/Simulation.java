// SPDX-License-Identifier: Apache-2.0
package dev.cairn.state;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * Two replicas of one log, beside plain maps. Each applies, flushes a step at a time, crashes
 * between any two steps and applies again, and takes a copy of the other one. One seed is one run.
 */
public final class Simulation {
  private static final int VIEWS_MAX = 4;
  private static final int EXPIRY_MILLIS = 200;

  private final SplittableRandom random;
  private final Writes writes;
  private final List<Write.Entry> log = new ArrayList<>();
  private final List<PlainState> plain = new ArrayList<>(); // by index
  private final List<List<String>> answers = new ArrayList<>(); // by index
  private final Replica[] replicas = new Replica[2];
  private final Map<String, Long> counters;

  private Simulation(long seed, Supplier<CrashingDatabase> databases, Map<String, Long> counters) {
    this.random = new SplittableRandom(seed);
    this.writes = new Writes(random.split());
    this.counters = counters;
    plain.add(new PlainState());
    answers.add(List.of());
    for (int i = 0; i < replicas.length; i++) {
      replicas[i] = new Replica(databases.get());
    }
  }

  /**
   * Runs one seed.
   *
   * @param databases makes empty ones
   * @throws AssertionError when something is not as the plain map says
   */
  public static void run(
      long seed, int steps, Supplier<CrashingDatabase> databases, Map<String, Long> counters) {
    Simulation simulation = new Simulation(seed, databases, counters);
    try {
      for (int i = 0; i < steps; i++) {
        simulation.step();
      }
      for (Replica replica : simulation.replicas) {
        replica.crash();
        replica.compareAll();
        replica.closeAll();
      }
    } catch (AssertionError | RuntimeException e) {
      throw new AssertionError("seed " + seed + ": " + e, e);
    }
  }

  /**
   * On twins, for a class loader that knows other classes than its caller: null, or what failed.
   */
  public static String failureOf(long seed, int steps) {
    try {
      run(seed, steps, TwinDatabase::new, new HashMap<>());
      return null;
    } catch (AssertionError e) {
      return e.getMessage();
    }
  }

  /** On twins; what was seen how often. */
  public static Map<String, Long> run(long seed, int steps) {
    Map<String, Long> counters = new TreeMap<>();
    run(seed, steps, TwinDatabase::new, counters);
    return counters;
  }

  private void step() {
    Replica replica = replicas[random.nextInt(4) == 0 ? 1 : 0];
    switch (random.nextInt(24)) {
      case 0, 1, 2 -> replica.flush();
      case 3, 4, 5 -> replica.doFlush();
      case 6 -> replica.endFlush();
      case 7 -> replica.beginInstall(replica == replicas[0] ? replicas[1] : replicas[0]);
      case 8, 9 -> replica.installOn();
      case 10 -> {
        replica.look();
        replica.fetchAhead();
      }
      case 11 -> replica.compareOne();
      case 12 -> replica.openView();
      case 13 -> replica.closeView();
      case 14 -> {
        if (random.nextInt(4) == 0) {
          replica.crash();
        }
      }
      default -> replica.apply();
    }
  }

  /** An entry of the log, which grows when it is at its end. */
  private Write.Entry entry(int index) {
    if (index > log.size()) {
      Write.Entry entry = writes.next();
      PlainState next = plain.get(index - 1).copy();
      log.add(entry);
      answers.add(next.apply(entry));
      plain.add(next);
    }
    return log.get(index - 1);
  }

  private void count(String what) {
    counters.merge(what, 1L, Long::sum);
  }

  private static void same(String what, Object expected, Object found) {
    if (!expected.equals(found)) {
      throw new AssertionError(what + " is " + found + ", must be " + expected);
    }
  }

  private final class Replica {
    private final CrashingDatabase disk;
    private final List<View> views = new ArrayList<>();
    private final List<View> formerViews = new ArrayList<>(); // of the generation before
    private State state;
    private Flush flush;
    private boolean flushDone;
    private Install install;
    private boolean installDone;
    private Replica source;
    private int sourceLife;
    private Fetch ahead; // null if none is kept
    private boolean aheadEnded;
    private boolean aheadIsFormer; // of the generation before
    private int life;
    private long durable;

    Replica(CrashingDatabase disk) {
      this.disk = disk;
      begin();
    }

    private void begin() {
      state = State.open(disk.open(), random.nextLong(), Writes.ID_BOUNDS);
    }

    private PlainState expected() {
      return plain.get((int) state.applied().index());
    }

    void apply() {
      if (install == null) {
        int next = (int) state.applied().index() + 1;
        applyAt(next);
      }
    }

    private void applyAt(int index) {
      Optional<Fetch> fetch = fetched(index);
      List<String> answered = Writes.apply(state, index, 1, entry(index));
      same("the answer of entry " + index, answers.get(index), answered);
      fetch.ifPresent(Fetch::close);
    }

    /** What an entry asks for is read ahead, mostly, while flushes go on. */
    private Optional<Fetch> fetched(int index) {
      Optional<Fetch> fetch =
          random.nextInt(4) == 0 ? Optional.empty() : state.beginFetch(Writes.wanted(entry(index)));
      if (fetch.isPresent()) {
        fetch.get().run();
        doFlush();
        if (random.nextInt(3) == 0) {
          endFlush();
        }
        boolean known = fetch.get().end();
        count(known ? "fetches" : "fetches that a flush made void");
        if (known && state.beginFetch(Writes.wanted(entry(index))).isPresent()) {
          throw new AssertionError("entry " + index + " is cold after a fetch");
        }
      }
      return fetch;
    }

    /** A fetch for a later entry, kept while others are applied. */
    void fetchAhead() {
      if (ahead == null) {
        ahead =
            state.beginFetch(Writes.wanted(entry((int) state.applied().index() + 1))).orElse(null);
        if (ahead != null) {
          ahead.run();
          aheadEnded = false;
          aheadIsFormer = false;
        }
      } else if (!aheadEnded) {
        ahead.end();
        aheadEnded = true;
      } else {
        ahead.close();
        ahead = null;
      }
    }

    void flush() {
      if (flush == null) {
        flush = state.beginFlush().orElse(null);
        flushDone = false;
      }
    }

    void doFlush() {
      if (flush != null && !flushDone) {
        flushDone = !flush.step();
      }
    }

    void endFlush() {
      while (flush != null && !flushDone) {
        doFlush();
      }
      if (flush != null) {
        boolean synced = flush.end();
        count(synced ? "flushes" : "flushes that an install overtook");
        if (synced) {
          durable = Math.max(durable, flush.applied().index());
        }
        flush = null;
        if (install == null && state.durableIndex() < durable) {
          throw new AssertionError("durable is " + state.durableIndex() + ", was " + durable);
        }
        compareOne();
      }
    }

    void beginInstall(Replica from) {
      if (install != null) {
        return;
      }
      source = from;
      sourceLife = from.life;
      Database.Copy copy = source.state.copy();
      if (copy.applied().index() > state.applied().index()) {
        install = state.beginInstall(copy);
        installDone = false;
      }
    }

    /** What is next of an install: on disk, then in memory. */
    void installOn() {
      if (install == null) {
        return;
      }
      if (!installDone) {
        if (random.nextInt(8) == 0 || source.life != sourceLife) { // what is left of its copy?
          giveUpInstall();
          return;
        }
        letTheGenerationBeforeGo();
        install.carryOut();
        installDone = true;
        count("installs");
      } else {
        install.end();
        install = null;
        beginGeneration();
        durable = Math.max(durable, state.applied().index());
        same("durable behind an install", state.applied().index(), state.durableIndex());
        compareAll();
      }
    }

    /** A database keeps what it was before an install, until nothing reads it; not two of these. */
    private void letTheGenerationBeforeGo() {
      while (!formerViews.isEmpty()) {
        closeView(formerViews);
      }
      if (aheadIsFormer) {
        closeAhead();
      }
    }

    private void beginGeneration() {
      formerViews.addAll(views);
      views.clear();
      aheadIsFormer = true;
    }

    private void giveUpInstall() {
      install.end();
      install = null;
    }

    void crash() {
      closeAll();
      disk.crash(random);
      flush = null;
      install = null;
      life++;
      begin();
      long found = state.applied().index();
      if (found < durable) {
        throw new AssertionError("durable was " + durable + ", found is " + found);
      }
      durable = found;
      compareAll();
      count("crashes");
      replay((int) found);
    }

    /** The log is applied from some place before what was found; nothing happens twice. */
    private void replay(int found) {
      int from = Math.max(1, found - random.nextInt(4));
      for (int index = from; index <= found; index++) {
        if (Writes.apply(state, index, 1, entry(index)) != null) {
          throw new AssertionError("entry " + index + " is applied twice, found was " + found);
        }
        count("entries left out by a replay");
      }
      int to = found + random.nextInt(3);
      for (int index = found + 1; index <= to; index++) {
        applyAt(index);
      }
      compareAll();
    }

    // ---- Comparing ----

    void look() {
      String key = Writes.key(random);
      same(key, expected().read(key), PlainState.read(state, key));
      same("a look at " + key, expected().read(key), PlainState.look(state, key));
    }

    void compareOne() {
      same("the row", expected().figures(), PlainState.figures(state));
      long untilMillis = state.timeMillis() + random.nextInt(EXPIRY_MILLIS) - EXPIRY_MILLIS / 2;
      same(
          "whether any expires",
          "" + expected().anyExpires(untilMillis),
          "" + state.anyExpires(untilMillis));
      try (View view = state.view()) {
        compareRange(view);
      }
    }

    private void compareRange(View view) {
      String from = random.nextBoolean() ? "" : Writes.key(random);
      String to = random.nextBoolean() ? "" : Writes.key(random);
      if (to.isEmpty() || from.compareTo(to) <= 0) {
        PlainState expected = plain.get((int) view.applied().index());
        same("a range", expected.range(from, to), PlainState.range(view, from, to));
      }
    }

    void compareAll() {
      same("the row", expected().figures(), PlainState.figures(state));
      for (String key : Writes.keys()) {
        same(key, expected().read(key), PlainState.read(state, key));
      }
      try (View view = state.view()) {
        same("all", expected().range("", ""), PlainState.range(view, "", ""));
      }
    }

    void openView() {
      if (views.size() + formerViews.size() < VIEWS_MAX) {
        views.add(state.view());
      }
    }

    void closeView() {
      closeView(formerViews.isEmpty() || random.nextBoolean() ? views : formerViews);
    }

    private void closeView(List<View> of) {
      if (!of.isEmpty()) {
        try (View view = of.remove(random.nextInt(of.size()))) {
          String key = Writes.key(random);
          PlainState expected = plain.get((int) view.applied().index());
          same("a view's " + key, expected.read(key), PlainState.read(view, key));
          compareRange(view);
          if (view.applied().index() < state.applied().index()) {
            count("views of states that went on");
          }
        }
      }
    }

    private void closeAhead() {
      if (ahead != null) {
        ahead.close();
        ahead = null;
      }
    }

    void closeAll() {
      closeAhead();
      views.forEach(View::close);
      views.clear();
      formerViews.forEach(View::close);
      formerViews.clear();
      state.close();
    }
  }
}
