// SPDX-License-Identifier: Apache-2.0
package dev.cairn.client;

import dev.cairn.protocol.RespProtocolException;
import dev.cairn.protocol.Topology;
import dev.cairn.protocol.TopologyCodec;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What all calls of one client share: routes, connections, one timer thread, and the refresh of the
 * topology, of which at most one is under way and at most one begins within {@value
 * #REFRESH_MILLIS_MIN} ms.
 */
final class CallContext {
  private static final long REFRESH_MILLIS_MIN = 20;
  private static final Duration REFRESH_ATTEMPT = Duration.ofMillis(500);

  /** An old topology costs a hop, never an answer; still it should not stay for ever. */
  private static final long STALE_NANOS = TimeUnit.SECONDS.toNanos(10);

  private static final long STAMP_BACK_MILLIS = 500;

  private static final byte[][] TOPOLOGY = CairnClient.words("CAIRN", "TOPOLOGY");

  private final Settings settings;
  private final Routes routes;
  private final Connections connections;
  private final ScheduledThreadPoolExecutor timer;
  private volatile boolean closed;
  private volatile long learnedNanos;
  private volatile ClusterTime clusterTime;
  private final String clientId;
  private final AtomicLong sequence = new AtomicLong();
  private CompletableFuture<Topology> refresh; // guarded by this
  private long refreshNanos = System.nanoTime() - STALE_NANOS; // guarded by this

  CallContext(Settings settings) {
    this.settings = settings;
    routes = new Routes(settings.nodes());
    connections = new Connections(settings);
    byte[] random = new byte[16];
    new SecureRandom().nextBytes(random);
    clientId = HexFormat.of().formatHex(random);
    timer =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread thread = new Thread(task, "cairn-client-timer");
              thread.setDaemon(true);
              return thread;
            });
    timer.setRemoveOnCancelPolicy(true);
  }

  /** The cluster's time when the topology was last learned. */
  private record ClusterTime(long millis, long atNanos) {}

  /**
   * The words {@code ID clientId sequence issuedAtMillis} for one more write; empty where writes
   * carry none, or the cluster's time is not known. A partition may be a little behind that time,
   * and refuses what is issued later than it is: hence {@link #STAMP_BACK_MILLIS}.
   */
  Optional<List<String>> nextId() {
    ClusterTime known = clusterTime;
    if (!settings.writeIds() || known == null) {
      return Optional.empty();
    }
    long millis =
        known.millis()
            + TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - known.atNanos())
            - STAMP_BACK_MILLIS;
    return Optional.of(
        List.of(
            "ID",
            clientId,
            Long.toString(sequence.incrementAndGet()),
            Long.toString(Math.max(0, millis))));
  }

  Routes routes() {
    return routes;
  }

  Connections connections() {
    return connections;
  }

  ScheduledThreadPoolExecutor timer() {
    return timer;
  }

  long retryNanosMax() {
    return settings.retryTime().toNanos();
  }

  boolean closed() {
    return closed;
  }

  /** Whether calls can be routed; true for a client that is not to follow the topology. */
  boolean knowsTopology() {
    if (!settings.followTopology()) {
      return true;
    }
    if (routes.topology().partitions().isEmpty()) {
      return false;
    }
    if (System.nanoTime() - learnedNanos > STALE_NANOS) {
      refreshSoon();
    }
    return true;
  }

  /** Retires a connection on which nothing came since the given moment. */
  void hangs(Connection connection, long sinceNanos) {
    if (connection.retireIfSilentSince(sinceNanos)) {
      Runnable close =
          () -> connection.close(new IOException(connection.address() + " gave no answer"));
      try {
        timer.schedule(close, settings.deadline().toNanos(), TimeUnit.NANOSECONDS);
      } catch (RejectedExecutionException closing) {
        close.run();
      }
    }
  }

  /** Asks for the topology, unless this request is itself such a question. */
  void refreshSoon(Call.Request because) {
    if (!because.aboutTopology()) {
      refreshSoon();
    }
  }

  private void refreshSoon() {
    if (settings.followTopology()) {
      synchronized (this) {
        if (System.nanoTime() - refreshNanos < TimeUnit.MILLISECONDS.toNanos(REFRESH_MILLIS_MIN)) {
          return;
        }
      }
      refresh(ClientListener.NONE);
    }
  }

  /** Asks any node for the topology; ends, well or not, within the deadline of a call. */
  CompletableFuture<Topology> refresh(ClientListener listener) {
    Call call;
    CompletableFuture<Topology> learned = new CompletableFuture<>();
    synchronized (this) {
      if (refresh != null) {
        return refresh;
      }
      refresh = learned;
      refreshNanos = System.nanoTime();
      boolean first = routes.topology().partitions().isEmpty();
      call =
          new Call(
              this,
              new Call.Request(TOPOLOGY, Call.Request.NO_SLOT, false, true, Optional.empty()),
              listener,
              first || settings.attemptTimeout().compareTo(REFRESH_ATTEMPT) < 0
                  ? settings.attemptTimeout()
                  : REFRESH_ATTEMPT,
              System.nanoTime() + settings.deadline().toNanos());
    }
    call.future()
        .whenComplete(
            (answer, failed) -> {
              synchronized (this) {
                refresh = null;
              }
              if (failed != null) {
                learned.completeExceptionally(failed);
                return;
              }
              try {
                routes.learn(TopologyCodec.decode(answer.value()));
                learnedNanos = System.nanoTime();
                OptionalLong millis = TopologyCodec.time(answer.value());
                if (millis.isPresent()) {
                  clusterTime = new ClusterTime(millis.getAsLong(), learnedNanos);
                }
                learned.complete(routes.topology());
              } catch (RespProtocolException | IllegalArgumentException malformed) {
                learned.completeExceptionally(
                    new RefusedException(
                        "ERR", answer.node() + " sent no topology: " + malformed.getMessage()));
              }
            });
    call.start();
    return learned;
  }

  void close() {
    closed = true;
    connections.close();
  }

  void stopTimer() {
    timer.shutdownNow();
  }
}
