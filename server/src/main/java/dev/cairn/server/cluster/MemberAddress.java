// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.cluster;

/**
 * Where a member is listening, as the list of the first nodes says it.
 *
 * <pre>
 *   member := host ":" clientPort [ "/" peerPort ]
 *   host   := a name, an IPv4 address, or an IPv6 address in brackets
 * </pre>
 *
 * @param host without brackets
 * @param clientPort 1 to 65535
 * @param peerPort 1 to 65535; {@code clientPort} + {@value #PEER_PORT_OFFSET} unless written
 */
public record MemberAddress(String host, int clientPort, int peerPort) {
  /** How far above the client port a node's peers talk to it. */
  public static final int PEER_PORT_OFFSET = 10_000;

  private static final int HOST_LENGTH_MAX = 253;

  public MemberAddress {
    checkHost(host);
    checkPort(clientPort, "port");
    checkPort(peerPort, "peer port");
  }

  /**
   * Reads one member.
   *
   * @throws IllegalArgumentException with what is wrong, naming the text
   */
  public static MemberAddress parse(String text) {
    try {
      int slash = text.indexOf('/');
      String client = slash < 0 ? text : text.substring(0, slash);
      int colon = client.lastIndexOf(':');
      if (colon < 0) {
        throw new IllegalArgumentException("there is no port");
      }
      int clientPort = port(client.substring(colon + 1));
      int peerPort = slash < 0 ? clientPort + PEER_PORT_OFFSET : port(text.substring(slash + 1));
      if (peerPort > 65_535) {
        throw new IllegalArgumentException(
            "its peer port would be %d, past 65535: write host:port/peerPort".formatted(peerPort));
      }
      return new MemberAddress(unbracketed(client.substring(0, colon)), clientPort, peerPort);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "'%s' is no member of the form host:port or host:port/peerPort: %s"
              .formatted(text, e.getMessage()),
          e);
    }
  }

  /** {@code host:clientPort}, an IPv6 host in brackets: the node's name. */
  public String name() {
    return bracketed(host) + ":" + clientPort;
  }

  /** {@code host:peerPort}, an IPv6 host in brackets. */
  public String peerName() {
    return bracketed(host) + ":" + peerPort;
  }

  /** As {@link #parse} reads it, in full. */
  @Override
  public String toString() {
    return name() + "/" + peerPort;
  }

  private static String bracketed(String host) {
    return host.indexOf(':') >= 0 ? "[" + host + "]" : host;
  }

  private static String unbracketed(String host) {
    if (host.startsWith("[") && host.endsWith("]")) {
      String inner = host.substring(1, host.length() - 1);
      if (inner.indexOf(':') < 0) {
        throw new IllegalArgumentException("brackets are for IPv6 addresses");
      }
      return inner;
    }
    if (host.indexOf(':') >= 0) {
      throw new IllegalArgumentException("an IPv6 address stands in brackets, as in [::1]:5000");
    }
    return host;
  }

  private static int port(String text) {
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("'%s' is no port".formatted(text), e);
    }
  }

  private static void checkPort(int port, String what) {
    if (port < 1 || port > 65_535) {
      throw new IllegalArgumentException("%s %d is not from 1 to 65535".formatted(what, port));
    }
  }

  private static void checkHost(String host) {
    boolean valid =
        !host.isEmpty()
            && host.length() <= HOST_LENGTH_MAX
            && host.chars()
                .allMatch(
                    c -> c < 128 && (Character.isLetterOrDigit(c) || ".-_:%".indexOf(c) >= 0));
    if (!valid) {
      throw new IllegalArgumentException("'%s' is no host name or address".formatted(host));
    }
  }
}
