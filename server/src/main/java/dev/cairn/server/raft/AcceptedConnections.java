// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import com.alipay.remoting.Connection;
import com.alipay.remoting.ConnectionEventProcessor;
import com.alipay.remoting.ConnectionEventType;
import com.alipay.remoting.rpc.RpcServer;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What a peer port has accepted, so that none of it outlives the port.
 *
 * <p>Bolt stops to listen in the background and closes at once what it knows: a peer that connects
 * between the two stays connected to a server that is no more, for as long as the process lives.
 * Where the port is opened anew in the same process, what that peer sends would reach what was
 * closed. Here a connection is noted before it is asked whether the port is closed, so one of the
 * two sees the other.
 */
final class AcceptedConnections implements AutoCloseable {
  private final Set<Connection> open = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  /**
   * Watches a server that has not started.
   *
   * @param oneEnded called after a connection has ended, whoever ended it; must not block
   */
  static AcceptedConnections of(RpcServer server, Runnable oneEnded) {
    AcceptedConnections accepted = new AcceptedConnections();
    ConnectionEventProcessor opened = (address, connection) -> accepted.opened(connection);
    ConnectionEventProcessor ended =
        (address, connection) -> {
          accepted.open.remove(connection);
          if (!accepted.closed) {
            oneEnded.run();
          }
        };
    server.addConnectionEventProcessor(ConnectionEventType.CONNECT, opened);
    server.addConnectionEventProcessor(ConnectionEventType.CLOSE, ended);
    return accepted;
  }

  private void opened(Connection connection) {
    open.add(connection);
    if (closed) {
      connection.close();
    }
  }

  /** Closes all, and whatever is still to come. */
  @Override
  public void close() {
    closed = true;
    open.forEach(Connection::close);
  }
}
