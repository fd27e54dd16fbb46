// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.peer;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.stream.Stream;

/**
 * What hosts' names mean. A name with several addresses is one host: they are tried in the order
 * given, until the node that is meant answers at one.
 */
interface Names {
  /** Of one name are tried: each may cost a connection's whole time. */
  int ADDRESSES_MAX = 8;

  /** As the system says. */
  Names SYSTEM = InetAddress::getAllByName;

  /** All addresses of a host. May block. */
  InetAddress[] all(String host) throws UnknownHostException;

  /** Where to connect to, the first one first; none when the host has no address. May block. */
  default List<InetSocketAddress> lookUp(PeerAddress address) {
    try {
      return Stream.of(all(address.host()))
          .limit(ADDRESSES_MAX)
          .map(found -> new InetSocketAddress(found, address.port()))
          .toList();
    } catch (UnknownHostException e) {
      return List.of();
    }
  }
}
