// SPDX-License-Identifier: Apache-2.0
package dev.cairn.client;

import java.util.ArrayList;
import java.util.List;

/**
 * Where a node listens. Two addresses are the same when they are written the same: {@code
 * localhost} and {@code 127.0.0.1} differ.
 *
 * @param host a name or an IP address, IPv6 without brackets
 * @param port 1 to 65535
 */
public record Address(String host, int port) {
  public Address {
    if (host.isEmpty()) {
      throw new IllegalArgumentException("a node needs a host: HOST:PORT, such as 127.0.0.1:5000");
    }
    if (port < 1 || port > 65_535) {
      throw new IllegalArgumentException(
          "the port of " + host + " must be 1 to 65535, not " + port);
    }
  }

  /** Reads {@code host:port} or {@code [ipv6]:port}. */
  public static Address parse(String text) {
    int colon = text.lastIndexOf(':');
    String host = colon < 0 ? "" : text.substring(0, colon);
    if (host.startsWith("[") && host.endsWith("]")) {
      host = host.substring(1, host.length() - 1);
    } else if (host.indexOf(':') >= 0) {
      throw new IllegalArgumentException(
          "write an IPv6 node as [ADDRESS]:PORT, such as [::1]:5000, not '" + text + "'");
    }
    try {
      return new Address(host, Integer.parseInt(text.substring(colon + 1)));
    } catch (NumberFormatException notANumber) {
      throw new IllegalArgumentException(
          "a node is HOST:PORT, such as 127.0.0.1:5000, not '" + text + "'", notANumber);
    }
  }

  /** Reads addresses separated by commas; at least one. */
  public static List<Address> parseList(String text) {
    List<Address> addresses = new ArrayList<>();
    for (String part : text.split(",", -1)) {
      if (!part.isBlank()) {
        addresses.add(parse(part.strip()));
      }
    }
    if (addresses.isEmpty()) {
      throw new IllegalArgumentException(
          "at least one node is needed: HOST:PORT,HOST:PORT, such as 127.0.0.1:5000");
    }
    return List.copyOf(addresses);
  }

  /** {@code host:port}, an IPv6 host in brackets. */
  @Override
  public String toString() {
    return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
  }
}
