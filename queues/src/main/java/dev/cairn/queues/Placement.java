// SPDX-License-Identifier: Apache-2.0
package dev.cairn.queues;

import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.function.Supplier;

/** Says who serves the queues that the Raft engine makes while it opens a group. */
public interface Placement {
  /**
   * Where a queue's events are to be handled.
   *
   * @param queue the name that the engine gives the queue's thread, {@code JRaft-FSMCaller-...}
   * @return who runs one task at a time, or may run several at once
   */
  Executor executorOf(String queue);

  /** Applies this to the queues that the current thread makes while it does something. */
  default <R> R during(Supplier<R> opening) {
    Optional<Placement> before = Placements.current();
    Placements.set(Optional.of(this));
    try {
      return opening.get();
    } finally {
      Placements.set(before);
    }
  }

  /**
   * Where a queue that is made now is to be served, by the placement in force; empty without one: a
   * thread of the queue's own.
   */
  static Optional<Executor> now(String queue) {
    return Placements.current().map(placement -> placement.executorOf(queue));
  }
}
