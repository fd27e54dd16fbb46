// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Looks before anything is started whether the node's ports can be had, so that the message names
 * the port and what to do. Who takes one between this look and the node's own bind is met there.
 */
final class ListenPorts {
  private ListenPorts() {}

  static void requireFree(NodeConfig config) throws StartException {
    InetAddress address;
    try {
      address =
          only(config.listening().host(), InetAddress.getAllByName(config.listening().host()));
    } catch (UnknownHostException e) {
      throw new StartException(
          "--host %s: there is no such host; give an address of this machine"
              .formatted(config.listening().host()),
          e);
    }
    requireFree(
        address, config.listening().port(), "port", "is another node running? Give another PORT");
    requireFree(
        address,
        config.listening().peerPort(),
        "peer port",
        "give another --peer-port, or stop that process");
    if (config.listening().clusterPort() != 0) {
      requireFree(
          address,
          config.listening().clusterPort(),
          "cluster port",
          "give another --cluster-port, or 0 for none, or stop that process");
    }
  }

  /**
   * The one address of a host to listen on. Of a name with several the node would listen on one,
   * and others may try another; localhost, whose addresses are all this machine's own, is its
   * first.
   */
  static InetAddress only(String host, InetAddress... found) throws StartException {
    if (found.length > 1 && !Stream.of(found).allMatch(InetAddress::isLoopbackAddress)) {
      throw new StartException(
          "--host %s has %d addresses (%s): give the one to listen on, and the name, if others are to use it, as --announce-host"
              .formatted(
                  host,
                  found.length,
                  Stream.of(found)
                      .map(InetAddress::getHostAddress)
                      .collect(Collectors.joining(", "))));
    }
    return found[0];
  }

  private static void requireFree(InetAddress address, int port, String what, String advice)
      throws StartException {
    try (ServerSocket socket = new ServerSocket()) {
      // As the node itself does: connections that linger from the last run are no obstacle.
      socket.setReuseAddress(true);
      socket.bind(new InetSocketAddress(address, port));
    } catch (IOException e) {
      throw new StartException(
          "cannot listen on %s %d of %s (%s): %s"
              .formatted(what, port, address.getHostAddress(), e.getMessage(), advice),
          e);
    }
  }
}
