// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.peer;

import dev.cairn.server.TestLoops;
import dev.cairn.server.tls.PeerTls;
import java.io.IOException;

/** Nodes on loopback for tests, each named after its port. */
public final class LocalPeers {
  private static final String LOCAL = "127.0.0.1";

  private LocalPeers() {}

  /** A node, on the loop of all tests. */
  public static PeerTransport listen(int port) throws IOException {
    return listen(port, 1);
  }

  /** As {@link #listen(int)}, in a start of that number. */
  public static PeerTransport listen(int port, long start) throws IOException {
    return listen(port, start, TestLoops.SHARED);
  }

  /** As {@link #listen(int, long)}, on loops of the caller's. */
  public static PeerTransport listen(int port, long start, EventLoops loops) throws IOException {
    PeerRun run = new PeerRun(id(port), start, "run-" + start);
    return PeerTransport.listen(LOCAL, port, run, PeerTls.off(), loops);
  }

  /** The id of the node that listens on a port. */
  public static String id(int port) {
    return "node-" + port;
  }

  /** The same; from now on {@code from} knows where that is. */
  public static String at(PeerTransport from, int port) {
    from.locate(id(port), new PeerAddress(LOCAL, port));
    return id(port);
  }
}
