// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.server.metrics.ProcessFigures;
import java.time.Clock;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * What commands tell about the node itself.
 *
 * @param cairnVersion this build's version
 * @param startedMillis when the node started, milliseconds since 1970
 * @param listening which port it is, and its bounds
 * @param clock for ages and TIME
 * @param nanoTime the monotonic clock, for how long commands take
 * @param shutdown who may stop the node, and how it is stopped
 * @param loops the event loops of this port
 */
public record NodeFacts(
    String cairnVersion,
    long startedMillis,
    Listening listening,
    Clock clock,
    LongSupplier nanoTime,
    Shutdown shutdown,
    Loops loops) {
  /**
   * A client port.
   *
   * @param port its number
   * @param valueBytesMax longest value
   * @param connectionsMax most connections
   * @param connections how many there are now
   */
  public record Listening(
      int port, int valueBytesMax, int connectionsMax, IntSupplier connections) {}

  /**
   * SHUTDOWN.
   *
   * @param by whose is carried out
   * @param begin begins to stop the node, and returns
   */
  public record Shutdown(ShutdownBy by, Runnable begin) {}

  /**
   * The threads that serve clients.
   *
   * @param count how many
   * @param processorSeconds what they have used of the processors
   */
  public record Loops(int count, Supplier<ProcessFigures.ProcessorSeconds> processorSeconds) {}

  /** Longest value, bytes. */
  int valueBytesMax() {
    return listening.valueBytesMax();
  }

  /** The Redis that clients are told this is: the one whose behaviour is followed. */
  static final String REDIS_VERSION = "7.4.0";
}
