// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.clients;

import dev.cairn.testkit.ProcessCluster;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What a library is told: where a node is, and as whom to come.
 *
 * @param port the node's client port
 * @param clusterPort its port for clients in cluster mode
 * @param account over TLS, as a user; empty: in the clear, as nobody
 */
record Seed(String host, int port, int clusterPort, Optional<Account> account) {
  /**
   * A user, and how its clients know nodes.
   *
   * @param ca PEM: who signs nodes' certificates
   */
  record Account(Path ca, String user, String password) {}

  static Seed of(ProcessCluster cluster, int node, Optional<Account> account) {
    return new Seed(
        cluster.node(node).host(), cluster.node(node).port(), cluster.clusterPort(node), account);
  }

  /** The same user with another password. */
  Seed withPassword(String other) {
    return new Seed(
        host,
        port,
        clusterPort,
        account.map(known -> new Account(known.ca(), known.user(), other)));
  }
}
