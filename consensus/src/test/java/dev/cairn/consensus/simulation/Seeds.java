// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus.simulation;

import dev.cairn.consensus.Batch;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongFunction;
import java.util.function.UnaryOperator;
import java.util.stream.LongStream;

/** Runs many seeds on all processors, without a test around it. */
public final class Seeds {
  private Seeds() {}

  /**
   * Prints what failed, what was reached and how long it took; exits with 1 if a seed failed.
   *
   * @param arguments the first seed, how many, and how many steps each
   */
  public static void main(String[] arguments) {
    run(arguments, null, null, UnaryOperator.identity());
  }

  /** The same with logs, states and a wire; see {@link Simulation#run}. */
  public static void run(
      String[] arguments,
      SimulatedLog.Maker logs,
      SimulatedState.Maker states,
      UnaryOperator<Batch> wire) {
    long first = Long.parseLong(arguments[0]);
    long count = Long.parseLong(arguments[1]);
    int steps = Integer.parseInt(arguments[2]);
    Map<String, Long> seen = new TreeMap<>();
    long begun = System.nanoTime();
    long failed =
        LongStream.range(first, first + count)
            .parallel()
            .filter(s -> fails(s, seed -> Simulation.run(seed, steps, logs, states, wire), seen))
            .count();
    double seconds = (System.nanoTime() - begun) / 1e9;
    seen.forEach((what, times) -> System.out.println(times + " " + what));
    System.out.printf(
        "%d seeds of %d steps, %d failed, %.0f s, %.1f seeds/s%n",
        count, steps, failed, seconds, count / seconds);
    System.exit(failed == 0 ? 0 : 1);
  }

  private static boolean fails(
      long seed, LongFunction<Simulation.Outcome> running, Map<String, Long> seen) {
    try {
      Map<String, Long> counters = running.apply(seed).counters();
      synchronized (seen) {
        counters.forEach((what, times) -> seen.merge(what, times, Long::sum));
      }
      return false;
    } catch (AssertionError e) {
      System.out.println(e.getMessage());
      return true;
    }
  }
}
