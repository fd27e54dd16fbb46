// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import dev.cairn.server.access.AccessControl;
import dev.cairn.server.access.AuditLog;
import dev.cairn.server.cluster.NodeProtection;
import dev.cairn.server.metrics.Metric;
import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.tls.ClientTls;
import dev.cairn.server.tls.Handshakes;
import dev.cairn.server.tls.PeerTls;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * TLS of a node's ports, with what was read from its files, and what else protects it.
 *
 * @param notProtected what lets everybody in, if anything does
 * @param watch how well it knows whom to let in, and keeps whom it did
 */
record NodeTls(
    ClientTls clients,
    PeerTls peers,
    Supplier<Optional<String>> notProtected,
    Supplier<NodeProtection.Watch> watch) {
  /**
   * Reads the files.
   *
   * @param access whose users let everybody in, or do not, from one moment to the next
   */
  static NodeTls of(Protection protection, AccessControl access, AuditLog audit)
      throws StartException {
    return new NodeTls(
        protection.clientTls(),
        protection.peerTls(),
        () -> protection.notProtected(!access.users().needsNoLogin()),
        () ->
            new NodeProtection.Watch(
                access.users().needsNoLogin() ? 0 : access.ageMillis(), audit.losesEvents()));
  }

  /** Of a node that nobody else reaches. */
  static NodeTls off() {
    return new NodeTls(
        ClientTls.off(), PeerTls.off(), Optional::empty, () -> NodeProtection.Watch.GOOD);
  }

  /** As it is now. */
  NodeProtection shown() {
    List<String> refused = new ArrayList<>();
    if (clients.filesAreRefused()) {
      refused.add("the certificate of its client ports");
    }
    if (peers.filesAreRefused()) {
      refused.add("what it shows its peers");
    }
    OptionalLong days =
        Stream.of(clients.expires(), peers.expires())
            .flatMap(Optional::stream)
            .min(Comparator.naturalOrder())
            .map(end -> OptionalLong.of(Duration.between(Instant.now(), end).toDays()))
            .orElse(OptionalLong.empty());
    return new NodeProtection(notProtected.get(), days, refused, watch.get());
  }

  /** What is measured of it. */
  void tell(Metrics metrics) {
    clients
        .expires()
        .ifPresent(
            known ->
                metrics.gauge(Metric.CERTIFICATE_EXPIRES, () -> ends(clients.expires()), "client"));
    peers
        .expires()
        .ifPresent(
            known ->
                metrics.gauge(Metric.CERTIFICATE_EXPIRES, () -> ends(peers.expires()), "peer"));
    tell(metrics, clients.handshakes(), "client");
    tell(metrics, peers.handshakes(), "peer");
  }

  private static double ends(Optional<Instant> expires) {
    return expires.map(Instant::getEpochSecond).orElse(0L);
  }

  private static void tell(Metrics metrics, Handshakes handshakes, String port) {
    metrics.gauge(Metric.HANDSHAKES_UNDER_WAY, handshakes::count, port);
    metrics.counted(Metric.HANDSHAKES, handshakes::succeeded, port, "ok");
    metrics.counted(Metric.HANDSHAKES, handshakes::failed, port, "failed");
    metrics.counted(Metric.HANDSHAKES, handshakes::pushedOut, port, "pushed_out");
  }
}
