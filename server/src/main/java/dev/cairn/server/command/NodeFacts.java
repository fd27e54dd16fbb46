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
 * @param port which port
 * @param valueBytesMax longest value
 * @param connectionsMax most connections of this port
 * @param connections how many there are now
 * @param clock for ages and TIME
 * @param nanoTime the monotonic clock, for how long commands take
 * @param startedMillis when the node started, milliseconds since 1970
 * @param shutdownBy whose SHUTDOWN is carried out
 * @param loops the event loops of this port
 * @param shutdown begins to stop the node, and returns
 */
public record NodeFacts(
    String cairnVersion,
    int port,
    int valueBytesMax,
    int connectionsMax,
    IntSupplier connections,
    Clock clock,
    LongSupplier nanoTime,
    long startedMillis,
    ShutdownBy shutdownBy,
    Loops loops,
    Runnable shutdown) {
  /**
   * The threads that serve clients.
   *
   * @param count how many
   * @param processorSeconds what they have used of the processors
   */
  public record Loops(int count, Supplier<ProcessFigures.ProcessorSeconds> processorSeconds) {}

  /** The Redis that clients are told this is: the one whose behaviour is followed. */
  static final String REDIS_VERSION = "7.4.0";
}
