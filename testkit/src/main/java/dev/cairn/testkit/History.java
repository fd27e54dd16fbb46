// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import dev.cairn.testkit.Observation.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.LongSupplier;

/**
 * Records what clients ask for and are told. Thread-safe; clients share it.
 *
 * <p>An operation is in the history from its invocation on: what is never completed counts as of
 * unknown outcome.
 */
public final class History {
  private final LongSupplier nanoClock;
  private final Queue<Invocation> invocations = new ConcurrentLinkedQueue<>();

  /** A history by the machine's monotonic clock. */
  public History() {
    this(System::nanoTime);
  }

  History(LongSupplier nanoClock) {
    this.nanoClock = nanoClock;
  }

  /** To be called just before the request is sent. */
  public Invocation invoke(int process, String key, Action asked) {
    Invocation invocation = new Invocation(process, key, asked);
    invocations.add(invocation);
    return invocation;
  }

  /** All operations so far, in no particular order. */
  public List<Observation> operations() {
    List<Observation> operations = new ArrayList<>();
    for (Invocation invocation : invocations) {
      operations.add(invocation.operation);
    }
    return operations;
  }

  /** How many operations ended so. */
  public long count(Outcome outcome) {
    return operations().stream().filter(operation -> operation.outcome() == outcome).count();
  }

  /** A request in flight. Completed at most once, by the client that made it. */
  public final class Invocation {
    private volatile Observation operation;

    private Invocation(int process, String key, Action asked) {
      operation =
          new Observation(
              process, key, asked, Outcome.UNKNOWN, nanoClock.getAsLong(), Observation.NEVER);
    }

    /** It happened. */
    public void ok(Action answered) {
      complete(answered, Outcome.OK, nanoClock.getAsLong());
    }

    /** It certainly did not happen. */
    public void failed() {
      complete(operation.action(), Outcome.FAILED, nanoClock.getAsLong());
    }

    /** It may have happened: nothing more will be heard of it. */
    public void unknown() {
      complete(operation.action(), Outcome.UNKNOWN, Observation.NEVER);
    }

    private void complete(Action action, Outcome outcome, long completedNanos) {
      Observation asked = operation;
      operation =
          new Observation(
              asked.process(), asked.key(), action, outcome, asked.invokedNanos(), completedNanos);
    }
  }
}
