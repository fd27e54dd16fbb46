// SPDX-License-Identifier: Apache-2.0
package dev.cairn.replication;

import dev.cairn.consensus.simulation.Seeds;
import dev.cairn.consensus.simulation.Simulation;

/**
 * The cluster of {@link Simulation}, with the log that ships under each of its nodes, and the bytes
 * that ship between them.
 */
public final class ShippedLogs {
  private ShippedLogs() {}

  /** Runs one seed; see {@link Simulation#run(long, int)}. */
  public static Simulation.Outcome run(long seed, int steps) {
    return Simulation.run(seed, steps, ShippingLog::new, null, Wire::cross);
  }

  /** What failed, or null: for a class loader that knows other classes than its caller. */
  public static String failureOf(long seed, int steps) {
    try {
      run(seed, steps);
      return null;
    } catch (AssertionError e) {
      return e.getMessage();
    }
  }

  /** Runs many seeds on all processors; the arguments are those of {@link Seeds}. */
  public static void main(String[] arguments) {
    Seeds.run(arguments, ShippingLog::new, null, Wire::cross);
  }
}
