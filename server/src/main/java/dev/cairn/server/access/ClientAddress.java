// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.access;

import java.net.InetAddress;
import java.net.UnknownHostException;

/**
 * Where a client connects from.
 *
 * @param host the address in digits, without the port; empty where it is not known
 * @param isLocal whether that is this machine: what some things are allowed from only
 */
public record ClientAddress(String host, boolean isLocal) {
  /**
   * Reads it.
   *
   * @param address {@code 127.0.0.1:40000} or {@code 0:0:0:0:0:0:0:1:40000}
   */
  public static ClientAddress of(String address) {
    String host = address.substring(0, Math.max(0, address.lastIndexOf(':')));
    try {
      // An address in digits: nobody is asked for it. An empty one would be loopback.
      return new ClientAddress(
          host, !host.isEmpty() && InetAddress.getByName(host).isLoopbackAddress());
    } catch (UnknownHostException none) {
      return new ClientAddress(host, false);
    }
  }
}
