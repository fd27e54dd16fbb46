// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/**
 * One log on a simulated disk beside the plain model, driven by a seed: appends, steps, reads,
 * clean ends, crashes at any step. After each opening the log must be the model after some number
 * of appends, at least those that were durable.
 */
final class Simulation {
  static final LogSettings SMALL = new LogSettings(64 << 10, 8 << 10, 3, 24 * 40, 1 << 20);

  private final Random random;
  private final LogSettings settings;
  private SimulatedFiles files;
  private Log log;
  private Program program;

  /** What is surely durable, and the appends that are not yet known to be. */
  private Model durable = new Model();

  private final Deque<Append> waiting = new ArrayDeque<>();
  private long counted;
  private final Map<String, Long> counters = new TreeMap<>();

  private Simulation(long seed) {
    random = new Random(seed);
    int runs = random.nextBoolean() ? 40 : 4;
    settings = new LogSettings(64 << 10, 8 << 10, 2 + random.nextInt(3), 24 * runs, 1 << 20);
    files = new SimulatedFiles(random);
    files.direct = random.nextBoolean();
  }

  /** What went wrong with a seed, as text; null for nothing. */
  static String failureOf(long seed, int steps) {
    try {
      run(seed, steps);
      return null;
    } catch (Exception | AssertionError e) {
      return "seed " + seed + ": " + e;
    }
  }

  /** Runs a seed, and says how often what happened. */
  static Map<String, Long> run(long seed, int steps) throws IOException {
    Simulation simulation = new Simulation(seed);
    simulation.open();
    for (int i = 0; i < steps; i++) {
      simulation.step();
    }
    simulation.crash();
    return simulation.counters;
  }

  private void count(String what) {
    counters.merge(what, 1L, Long::sum);
  }

  private void step() throws IOException {
    try {
      switch (random.nextInt(16)) {
        case 0, 1, 2, 3, 4, 5 -> append();
        case 6, 7, 8, 9, 10 -> write();
        case 11 -> {
          if (log.prepare()) {
            count("files made");
          }
        }
        case 12 -> {
          if (log.copy()) {
            count("copies");
          }
        }
        case 13 -> log.mark();
        case 14 -> check();
        default -> end();
      }
    } catch (SimulatedFiles.Crash e) {
      crash();
    }
    if (log.failure().isPresent()) {
      throw log.failure().get();
    }
  }

  private void append() {
    Append append = program.next();
    if (append.changes().isEmpty()) {
      return;
    }
    try {
      log.append(append);
    } catch (LogException e) {
      if (e.kind() != LogException.Kind.BUSY) {
        throw e;
      }
      count("refused");
      while (log.write()) {
        settle();
      }
      log.append(append);
    }
    waiting.addLast(append);
  }

  private void write() {
    if (log.write()) {
      count("writes");
    }
    settle();
  }

  /** What became durable is part of the model now. */
  private void settle() {
    while (counted < log.durable()) {
      durable.apply(waiting.pollFirst());
      counted++;
    }
  }

  private void check() {
    settle();
    String difference = durable.difference(log);
    if (difference != null) {
      throw new AssertionError("while it ran: " + difference);
    }
  }

  private void end() throws IOException {
    int kind = random.nextInt(16);
    if (kind == 0) {
      log.close();
      count("clean ends");
      reopen(files.copy());
    } else if (kind == 1) {
      crash();
    } else if (kind < 5) {
      files.crashAt = files.steps() + 1 + random.nextInt(12);
    }
  }

  private void crash() throws IOException {
    count("crashes");
    settle();
    reopen(files.afterCrash());
  }

  private void reopen(SimulatedFiles next) throws IOException {
    files = next;
    // Some starts do not come to an end either.
    while (random.nextInt(4) == 0) {
      files.crashAt = files.steps() + 1 + random.nextInt(6);
      try {
        open();
        files.crashAt = Long.MAX_VALUE;
        return;
      } catch (SimulatedFiles.Crash e) {
        count("crashes in a start");
        files = files.afterCrash();
      }
    }
    open();
  }

  private void open() throws IOException {
    log = Log.open(files, settings, random);
    log.counts().forEach((what, n) -> counters.merge(what, n, Math::max));
    String difference = durable.difference(log);
    String first = difference;
    while (difference != null && !waiting.isEmpty()) {
      durable.apply(waiting.pollFirst());
      difference = durable.difference(log);
    }
    if (difference != null) {
      throw new AssertionError("after a start: " + first + "; with all appends: " + difference);
    }
    waiting.clear();
    counted = 0;
    program = new Program(random, durable, random.nextInt(3) == 0 ? 100_000 : 15_000);
  }
}
