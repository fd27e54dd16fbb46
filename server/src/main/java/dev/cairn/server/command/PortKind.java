// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

/** What a port pretends to be. */
public enum PortKind {
  /**
   * The client port: one big standalone Redis. Any key is answered, by forwarding if need be; there
   * is never a {@code MOVED}; DBSIZE covers the whole cluster.
   */
  CLIENT("client"),

  /**
   * The cluster port: a node of a Redis Cluster. {@code MOVED} for what this node does not lead;
   * DBSIZE covers the slots that it leads.
   */
  CLUSTER("cluster");

  private final String port;

  PortKind(String port) {
    this.port = port;
  }

  /** Its port, as metrics label it. */
  public String port() {
    return port;
  }

  /** What HELLO and INFO call it, in Redis' words. */
  String mode() {
    return this == CLUSTER ? "cluster" : "standalone";
  }
}
