// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import dev.cairn.server.peer.PeerAddress;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches the leaders of this node's groups, and has the groups stand for election when one is gone
 * (docs/design/decisions/0008).
 *
 * <p>A leader that is silent may be slow, so its followers wait. But a process that ends, however
 * it ends, leaves a trace: its system closes its connections and refuses new ones. So when a
 * connection that a peer had opened ends, the peers that lead are asked for a new one; who refuses
 * it, or ends it at once, is gone, and its followers need not wait. One that takes it may be
 * frozen, or whole: that is left to its silence.
 *
 * <p>Threads: one looks whenever a group could be due to stand, so hardly ever while leaders are
 * heard; a few more ask peers and stand, both of which may block for a moment. Nothing here can
 * make two leaders of a term, whatever it mistakes: that is the votes' affair.
 */
final class Elections implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Elections.class);

  /** Between two looks, milliseconds. */
  private static final long LOOK_AGAIN_MIN = 25;

  /** Less than a lease, so that no time in which a leader was heard goes by unseen. */
  private static final long LOOK_AGAIN_MAX = 250;

  private static final int CONNECT_MILLIS = 250;
  private static final int LISTEN_MILLIS = 150;
  private static final int THREADS = 8;
  private static final int WAITING_MAX = 4_096;

  private final Function<String, Optional<PeerAddress>> located;
  private final long lookAgainMaxMillis;
  private final Map<String, Entry> groups = new ConcurrentHashMap<>();
  private final Set<String> asked = ConcurrentHashMap.newKeySet();
  private final Set<String> askAgain = ConcurrentHashMap.newKeySet();
  private final ScheduledExecutorService looking =
      Executors.newSingleThreadScheduledExecutor(task -> daemon(task, "elections"));
  private final ThreadPoolExecutor working =
      new ThreadPoolExecutor(
          THREADS,
          THREADS,
          10,
          TimeUnit.SECONDS,
          new LinkedBlockingQueue<>(WAITING_MAX),
          task -> daemon(task, "election"));

  private Future<?> nextLook; // guarded by this
  private long nextLookMillis; // guarded by this

  /** A group that is open here. */
  private record Entry(Candidacy candidacy, Supplier<Optional<Peer>> leader) {}

  /**
   * Looks after no group yet.
   *
   * @param located where a node is
   */
  Elections(Function<String, Optional<PeerAddress>> located) {
    this(located, LOOK_AGAIN_MAX);
  }

  /** With another time between two looks, for tests. */
  Elections(Function<String, Optional<PeerAddress>> located, long lookAgainMaxMillis) {
    this.located = located;
    this.lookAgainMaxMillis = lookAgainMaxMillis;
    working.allowCoreThreadTimeOut(true);
    lookWithin(lookAgainMaxMillis);
  }

  private static Thread daemon(Runnable task, String name) {
    Thread thread = new Thread(task, name);
    thread.setDaemon(true);
    return thread;
  }

  /** Looks after a group from now on. */
  void opened(String group, Candidacy candidacy, Supplier<Optional<Peer>> leader) {
    groups.put(group, new Entry(candidacy, leader));
  }

  /** Forgets a group. */
  void closed(String group) {
    groups.remove(group);
  }

  /** Has {@link #look} run so much later, or before. */
  private synchronized void lookWithin(long millis) {
    long at = nowMillis() + millis;
    if (nextLook != null && nextLookMillis <= at) {
      return;
    }
    if (nextLook != null) {
      nextLook.cancel(false);
    }
    try {
      nextLook = looking.schedule(this::look, millis, TimeUnit.MILLISECONDS);
      nextLookMillis = at;
    } catch (RejectedExecutionException closed) {
      log.debug("nobody stands any more: the node is stopping", closed);
    }
  }

  private void look() {
    synchronized (this) {
      nextLook = null;
    }
    long now = nowMillis();
    long again = lookAgainMaxMillis;
    try {
      for (Map.Entry<String, Entry> group : groups.entrySet()) {
        again = Math.min(again, lookAfter(group.getKey(), group.getValue(), now));
      }
    } finally { // whatever it was: without this nobody would ever stand again
      lookWithin(Math.max(LOOK_AGAIN_MIN, again));
    }
  }

  /** Has a group stand if it is due; for how long it need not be looked at again. */
  private long lookAfter(String group, Entry entry, long now) {
    try {
      if (entry.candidacy().due(now)) {
        standLater(group, entry);
      }
      return entry.candidacy().undueForMillis(now);
    } catch (RuntimeException e) {
      log.error("group={} cannot look after its leader", group, e);
      return lookAgainMaxMillis;
    }
  }

  private void standLater(String group, Entry entry) {
    boolean begun = false;
    try {
      working.execute(() -> stand(group, entry));
      begun = true;
    } catch (RejectedExecutionException full) {
      log.debug("group={} stands later", group, full);
    } finally {
      if (!begun) {
        entry.candidacy().stood(); // it may try again
      }
    }
  }

  private void stand(String group, Entry entry) {
    try {
      entry.candidacy().stand(); // a group that was closed meanwhile does nothing
    } catch (GroupClosedException closed) {
      log.debug("group={} was closed while it stood for election", group, closed);
    } catch (RuntimeException e) {
      log.error("group={} cannot stand for election", group, e);
    }
  }

  /** A connection that some peer had opened is no more. Does not block. */
  void connectionEnded() {
    groups.values().stream()
        .filter(entry -> entry.candidacy().waits())
        .flatMap(entry -> entry.leader().get().stream())
        .map(Peer::nodeId)
        .distinct()
        .forEach(this::ask);
  }

  /** Asks a peer, one question at a time; what happened after it began deserves another one. */
  private void ask(String peer) {
    if (!asked.add(peer)) {
      askAgain.add(peer);
      return;
    }
    try {
      working.execute(
          () -> {
            askAgain.remove(peer);
            boolean gone = located.apply(peer).map(Elections::processEnded).orElse(false);
            asked.remove(peer);
            if (gone) {
              leaderEnded(peer);
            } else if (askAgain.remove(peer)) {
              ask(peer);
            }
          });
    } catch (RejectedExecutionException full) {
      asked.remove(peer);
      log.debug("peer={} not asked", peer, full);
    }
  }

  private void leaderEnded(String peer) {
    long now = nowMillis();
    groups.forEach(
        (group, entry) -> {
          if (entry.leader().get().map(Peer::nodeId).filter(peer::equals).isPresent()
              && entry.candidacy().leaderEnded(now)) {
            log.info("group={} the process of its leader, node {}, has ended", group, peer);
            lookWithin(LOOK_AGAIN_MIN);
          }
        });
  }

  /** Whether nobody is behind an address any more, for certain; false where that cannot be told. */
  static boolean processEnded(PeerAddress peer) {
    InetSocketAddress resolved = new InetSocketAddress(peer.host(), peer.port());
    try (Socket socket = new Socket()) {
      try {
        socket.connect(resolved, CONNECT_MILLIS);
      } catch (java.net.ConnectException refused) {
        return true;
      }
      socket.setSoTimeout(LISTEN_MILLIS);
      return socket.getInputStream().read() < 0;
    } catch (SocketTimeoutException mute) {
      return false; // a peer says nothing before it is asked something
    } catch (java.net.SocketException reset) {
      return true;
    } catch (IOException unreachable) {
      log.debug("peer={} cannot be asked", peer, unreachable);
      return false;
    }
  }

  private static long nowMillis() {
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime());
  }

  @Override
  public void close() {
    looking.shutdownNow();
    working.shutdownNow();
    groups.clear();
  }
}
