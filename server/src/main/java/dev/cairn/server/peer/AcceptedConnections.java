// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.peer;

import dev.cairn.server.tls.PeerTls;
import io.netty.channel.Channel;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * The connections that peers have opened to this node.
 *
 * <p>Threads: {@link #accept} on the connection's loop; the rest by any. Invariants:
 *
 * <ol>
 *   <li>Who has not proven that it is a node is not counted, and has no say.
 *   <li>Once closed, nothing is accepted any more.
 * </ol>
 */
final class AcceptedConnections {
  private static final int CONNECTIONS_MAX = 4_096;

  private final PeerDirectory directory;
  private final PeerTls tls;
  private final AcceptedConnection.Dispatch dispatch;
  private final MessageCounts counts;
  private final Set<AcceptedConnection> proven = ConcurrentHashMap.newKeySet();
  private final ChannelGroup all = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE, true);
  private final List<Consumer<PeerRun>> endListeners = new CopyOnWriteArrayList<>();
  private volatile boolean closed;

  AcceptedConnections(
      PeerDirectory directory,
      PeerTls tls,
      AcceptedConnection.Dispatch dispatch,
      MessageCounts counts) {
    this.directory = directory;
    this.tls = tls;
    this.dispatch = dispatch;
    this.counts = counts;
  }

  void accept(Channel channel) {
    all.add(channel);
    AcceptedConnection connection =
        new AcceptedConnection(
            channel, directory.self(), directory::isOver, dispatch, counts, this::ended);
    tls.accept(
        channel.pipeline(),
        said -> Frame.tlsOnly(),
        () -> {
          proven.add(connection);
          if (closed || proven.size() > CONNECTIONS_MAX) {
            channel.close();
          }
        });
    channel.pipeline().addLast(new Frame.Decoder(), connection.handler());
  }

  private void ended(AcceptedConnection connection) {
    proven.remove(connection);
    if (!closed && connection.greeted()) {
      endListeners.forEach(listener -> listener.accept(connection.peer()));
    }
  }

  /** As {@link PeerTransport#onEnd}. */
  void onEnd(Consumer<PeerRun> listener) {
    endListeners.add(listener);
  }

  /** How many there are. */
  int count() {
    return proven.size();
  }

  /** Whether one is of a run of a node. */
  boolean hasOneOf(PeerRun run) {
    return proven.stream().anyMatch(connection -> run.equals(connection.peer()));
  }

  /** As {@link PeerTransport#hearsOtherRun}. */
  boolean hearsOtherRun(String nodeId, String startId, long withinMillis) {
    long nanos = TimeUnit.MILLISECONDS.toNanos(withinMillis);
    return proven.stream().anyMatch(connection -> connection.isOtherRun(nodeId, startId, nanos));
  }

  /** As {@link PeerTransport#fenceAgain}. */
  void fenceAgain() {
    proven.forEach(AcceptedConnection::closeIfSuperseded);
  }

  /** Ends all, and waits for it. */
  void close() {
    closed = true;
    all.close().awaitUninterruptibly();
  }
}
