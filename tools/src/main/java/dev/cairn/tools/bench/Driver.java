// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools.bench;

import java.util.ArrayDeque;

/**
 * Starts operations when they are due and a client is free, and counts what comes of them: the
 * logic of a run, without sockets and with the clock given. Owned by the generator's thread.
 *
 * <p>A client has a fixed number of operations at once. Free ones are taken in the order in which
 * they became free, at first one of each client, so that the load spreads over all connections.
 */
final class Driver {
  /** Takes an operation to a server, now or as soon as it can be; later tells the driver. */
  interface Sender {
    void send(InFlight operation, long nowNanos);
  }

  private final Pacing pacing;
  private final Work work;
  private final Measurement measurement;
  private final Sender sender;
  private final InFlight[] operations;
  private final ArrayDeque<InFlight> free;

  /**
   * A run.
   *
   * @param clients 1 or more
   * @param inFlight operations of a client at once, 1 or more
   */
  Driver(
      Pacing pacing, Work work, Measurement measurement, Sender sender, int clients, int inFlight) {
    this.pacing = pacing;
    this.work = work;
    this.measurement = measurement;
    this.sender = sender;
    operations = new InFlight[clients * inFlight];
    free = new ArrayDeque<>(operations.length + 1);
    for (int i = 0; i < operations.length; i++) {
      operations[i] = new InFlight(i % clients);
      free.add(operations[i]);
    }
  }

  /** Starts what is due. */
  void start(long nowNanos) {
    while (!free.isEmpty() && pacing.isDue(nowNanos) && !work.isExhausted()) {
      InFlight operation = free.poll();
      operation.busy = true;
      work.next(operation);
      operation.startNanos = pacing.take(nowNanos);
      sender.send(operation, nowNanos);
    }
  }

  /** An operation succeeded, or failed if it carries an error. */
  void ended(InFlight operation, long nowNanos) {
    if (operation.errorCode == null) {
      measurement.succeeded(operation, nowNanos);
    } else {
      measurement.failed(operation, operation.errorCode, operation.errorLine);
    }
    work.ended(operation);
    operation.busy = false;
    free.add(operation);
    start(nowNanos);
  }

  /** Whether everything that was to start has started and ended. */
  boolean isFinished(long nowNanos) {
    return (work.isExhausted() || pacing.isOver(nowNanos)) && free.size() == operations.length;
  }

  /** Counts what has not ended as errors. The run is over: nothing is told of them any more. */
  void abandon(String code, String line) {
    for (InFlight operation : operations) {
      if (operation.busy) {
        measurement.failed(operation, code, line);
      }
    }
  }

  /** When the next operation is to start, if a client is free; otherwise {@link Long#MAX_VALUE}. */
  long nextNanos(long nowNanos) {
    return free.isEmpty() || pacing.isOver(nowNanos) || work.isExhausted()
        ? Long.MAX_VALUE
        : pacing.nextNanos();
  }

  Pacing pacing() {
    return pacing;
  }

  Measurement measurement() {
    return measurement;
  }
}
