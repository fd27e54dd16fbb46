// SPDX-License-Identifier: Apache-2.0
package dev.cairn.replication;

import dev.cairn.consensus.simulation.Seeds;
import dev.cairn.consensus.simulation.SimulatedLog;
import dev.cairn.consensus.simulation.Simulation;
import java.util.Arrays;

/**
 * The cluster of {@link Simulation}, with the state that ships in each of its replicas, and the
 * bytes that ship between its nodes; the log is a twin, or the one that ships too.
 */
public final class ShippedStates {
  private ShippedStates() {}

  /** Runs one seed with twins of the log; see {@link Simulation#run(long, int)}. */
  public static Simulation.Outcome run(long seed, int steps) {
    return run(seed, steps, null);
  }

  /** Runs one seed with the log that ships. */
  public static Simulation.Outcome runWithLogs(long seed, int steps) {
    return run(seed, steps, ShippingLog::new);
  }

  private static Simulation.Outcome run(long seed, int steps, SimulatedLog.Maker logs) {
    return Simulation.run(seed, steps, logs, ShippingState.Group::new, Wire::cross);
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

  /**
   * Runs many seeds on all processors; the arguments are those of {@link Seeds}, and a fourth for
   * the log that ships.
   */
  public static void main(String[] arguments) {
    SimulatedLog.Maker logs = arguments.length > 3 ? ShippingLog::new : null;
    Seeds.run(Arrays.copyOf(arguments, 3), logs, ShippingState.Group::new, Wire::cross);
  }
}
