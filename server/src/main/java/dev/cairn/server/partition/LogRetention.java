// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import dev.cairn.server.cluster.NodeReport.PartitionReport;
import dev.cairn.server.cluster.Placement;
import dev.cairn.server.cluster.Replica;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;

/**
 * Decides when the log before a snapshot may go.
 *
 * <p>A snapshot of this replica makes the log before it useless <em>here</em>. Somebody else may
 * still need it: a replica that lags, or, on a witness, any replica that has not flushed what it
 * applied. So a snapshot that is ready is held until every full replica has reported an index at or
 * past it. A replica that has not been heard of, or reports another incarnation, counts as 0.
 *
 * <ul>
 *   <li>A <b>witness</b> asks for the durable index. It is the one other copy of what a dead leader
 *       acknowledged: a log it dropped too early loses acknowledged writes without an error
 *       (docs/design/decisions/0004).
 *   <li>A <b>full replica</b> asks for the applied index: it can always send its snapshot instead,
 *       so this only spares work.
 * </ul>
 *
 * <p>The wait is bounded in time, since the group can neither take nor accept another snapshot
 * meanwhile; it is then cancelled and tried again later. The log is bounded in bytes: past {@link
 * LogLimits#replicaBytesMax} a full replica drops it all the same; past {@link
 * LogLimits#witnessBytesMax} a witness does, and the partition would be unavailable, never wrong,
 * if the leader were lost before the laggard is back. {@code status} says so beforehand.
 */
final class LogRetention {
  private static final long HOLD_NANOS = TimeUnit.SECONDS.toNanos(10);
  private static final String STOPPING = "the group is stopping";

  private final boolean witness;
  private final long bytesMax;
  private final String selfId;
  private final Supplier<Placement> placement;
  private final Function<Replica, Optional<PartitionReport>> reports;
  private final ToLongFunction<Placement> logBytes;
  private final LongSupplier nanoTime;
  private Held held; // guarded by this
  private boolean closed; // guarded by this

  private record Held(
      long index, long sinceNanos, Runnable pastBound, Consumer<Optional<String>> done) {}

  LogRetention(
      boolean witness,
      LogLimits limits,
      String selfId,
      Supplier<Placement> placement,
      Function<Replica, Optional<PartitionReport>> reports,
      ToLongFunction<Placement> logBytes,
      LongSupplier nanoTime) {
    this.witness = witness;
    this.bytesMax = witness ? limits.witnessBytesMax() : limits.replicaBytesMax();
    this.selfId = selfId;
    this.placement = placement;
    this.reports = reports;
    this.logBytes = logBytes;
    this.nanoTime = nanoTime;
  }

  /** Holds a snapshot at {@code index} until the log before it may go. */
  void hold(long index, Consumer<Optional<String>> done) {
    hold(index, () -> {}, done);
  }

  /**
   * Holds a snapshot at {@code index} until the log before it may go.
   *
   * @param pastBound run before {@code done} when the log goes although somebody needs it
   */
  void hold(long index, Runnable pastBound, Consumer<Optional<String>> done) {
    boolean stopping;
    synchronized (this) {
      stopping = closed;
      if (!stopping) {
        held = new Held(index, nanoTime.getAsLong(), pastBound, done);
      }
    }
    if (stopping) {
      done.accept(Optional.of(STOPPING));
    } else {
      check();
    }
  }

  /** Lets go of what is held, and holds nothing from now on: the group waits for it to stop. */
  void close() {
    Held last;
    synchronized (this) {
      closed = true;
      last = held;
      held = null;
    }
    if (last != null) {
      last.done().accept(Optional.of(STOPPING));
    }
  }

  /** Looks whether what is held may go now. Called a few times a second. */
  void check() {
    Held ready;
    Optional<String> answer;
    boolean needed;
    synchronized (this) {
      if (held == null) {
        return;
      }
      List<String> behind = behind(held.index());
      needed = !behind.isEmpty();
      if (!needed || logBytes.applyAsLong(placement.get()) > bytesMax) {
        answer = Optional.empty();
      } else if (nanoTime.getAsLong() - held.sinceNanos() > HOLD_NANOS) {
        answer = Optional.of("the log is still needed by " + String.join(", ", behind));
      } else {
        return;
      }
      ready = held;
      held = null;
    }
    if (needed && answer.isEmpty()) {
      ready.pastBound().run();
    }
    ready.done().accept(answer);
  }

  private List<String> behind(long index) {
    List<String> behind = new ArrayList<>();
    Placement now = placement.get();
    for (Replica replica : now.replicas()) {
      if (replica.nodeId().equals(selfId)) {
        continue;
      }
      Optional<PartitionReport> report = reports.apply(replica);
      long reached = report.map(r -> witness ? r.durableIndex() : r.appliedIndex()).orElse(0L);
      if (reached < index) {
        behind.add(replica.nodeId());
      }
    }
    return behind;
  }
}
