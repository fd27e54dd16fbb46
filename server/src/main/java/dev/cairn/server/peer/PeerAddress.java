// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.peer;

/**
 * Where a node's peer port is. It is no name: what a node is called is its id, and it may move.
 *
 * @param host a name, an IPv4 address, or an IPv6 address without brackets
 * @param port 1 to 65535
 */
public record PeerAddress(String host, int port) {
  @Override
  public String toString() {
    return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
  }
}
