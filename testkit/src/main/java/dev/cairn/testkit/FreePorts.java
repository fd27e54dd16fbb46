// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Ports that nobody listens on. Taken below the range from which the system gives outgoing
 * connections theirs: a node that is down must find its port free when it comes back.
 */
public final class FreePorts {
  /** Test processes that run side by side take from different parts of the range. */
  private static final int SIDE_BY_SIDE = 2;

  private static final int PART = 6_000;
  private static final int FIRST =
      20_000 + Integer.getInteger("cairn.tests.fork", 1) % SIDE_BY_SIDE * PART;
  private static final int LAST = FIRST + PART;
  private static final int TRIES_MAX = 1_000;

  /** What this process took before: a cluster's node that is down still owns its ports. */
  private static final Set<Integer> GIVEN = ConcurrentHashMap.newKeySet();

  private FreePorts() {}

  /** Different ports, each bound and let go. Another process may still take one. */
  public static List<Integer> take(int count) {
    Random random = new Random();
    List<ServerSocket> bound = new ArrayList<>();
    try {
      for (int tries = 0; bound.size() < count; tries++) {
        if (tries == TRIES_MAX) {
          throw new IllegalStateException("found no " + count + " free ports");
        }
        ServerSocket socket = new ServerSocket();
        int port = FIRST + random.nextInt(LAST - FIRST);
        if (!GIVEN.contains(port) && isFree(socket, port) && GIVEN.add(port)) {
          bound.add(socket);
        } else {
          socket.close();
        }
      }
      return bound.stream().map(ServerSocket::getLocalPort).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      bound.forEach(FreePorts::close);
    }
  }

  /** Whether nobody listens on this port of the loopback address. */
  static boolean isFree(int port) {
    try (ServerSocket socket = new ServerSocket()) {
      return isFree(socket, port);
    } catch (IOException e) {
      return false;
    }
  }

  private static boolean isFree(ServerSocket socket, int port) {
    try {
      socket.setReuseAddress(true);
      socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
      return true;
    } catch (IOException taken) {
      return false;
    }
  }

  private static void close(ServerSocket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
