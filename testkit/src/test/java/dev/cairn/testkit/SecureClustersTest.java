// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cairn.client.CairnClient;
import dev.cairn.client.Security;
import dev.cairn.server.tls.CertificateWriter;
import dev.cairn.server.tls.CertificateWriter.Use;
import dev.cairn.server.tls.CertificateWriter.Wanted;
import dev.cairn.server.tls.CertificateWriter.Written;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** A cluster that is moved over to TLS while clients use it, and whose certificates change then. */
@Tag("nightly")
class SecureClustersTest {
  private static final CertificateWriter WRITER = new CertificateWriter(new SecureRandom());

  @RegisterExtension final Clusters clusters = Clusters.ofEachTest();
  @TempDir Path folder;
  private Written authority;

  @BeforeEach
  void write() throws Exception {
    authority = authority("first");
    replace("ca.crt", authority.certificatePem());
    node(authority);
  }

  private static Written authority(String name) throws Exception {
    return WRITER.selfSigned(
        new Wanted(Use.AUTHORITY, name, List.of(), Instant.now().plus(Duration.ofDays(90))));
  }

  private void node(Written by) throws Exception {
    Written node =
        WRITER.signed(
            new Wanted(
                Use.NODE,
                "cairn-node",
                List.of("127.0.0.1", "localhost"),
                Instant.now().plus(Duration.ofDays(60))),
            by);
    replace("node.key", node.keyPem());
    replace("node.crt", node.certificatePem());
  }

  private Path file(String name) {
    return folder.resolve(name);
  }

  private void replace(String name, String text) throws IOException {
    Path next = file(name + ".next");
    Files.writeString(next, text);
    Files.setPosixFilePermissions(next, PosixFilePermissions.fromString("rw-------"));
    Files.move(next, file(name), StandardCopyOption.REPLACE_EXISTING);
  }

  private String[] options(String mode) {
    return new String[] {
      "--tls=" + mode,
      "--tls-cert=" + file("node.crt"),
      "--tls-key=" + file("node.key"),
      "--peer-ca=" + file("ca.crt")
    };
  }

  private Security security() throws IOException {
    return Security.NONE.tls(
        Security.context(Optional.of(file("ca.crt")), Optional.empty(), Optional.empty()));
  }

  private CairnClient secured(ProcessCluster cluster) throws IOException {
    return cluster.client().security(security()).build();
  }

  /** As each node sees it: one that was just started too. */
  private static void awaitHealthy(ProcessCluster cluster, Security as) {
    for (int node : cluster.indexes()) {
      try (CairnClient one = cluster.clientThrough(node).security(as).build()) {
        await("healthy, says node " + node)
            .atMost(Duration.ofSeconds(60))
            .ignoreExceptions()
            .until(() -> one.status().contains("\"healthy\":true"));
      }
    }
  }

  private void roll(ProcessCluster cluster, Security as, String mode, SteadyLoad load) {
    for (int node : cluster.indexes()) {
      assertThat(cluster.stop(node)).as("exit status").isZero();
      cluster.start(node, options(mode));
      awaitHealthy(cluster, as);
      load.awaitProgress(30);
    }
  }

  private static void assertNothingFailed(SteadyLoad load) {
    assertThat(load.failed() + load.unknown()).as("%s", load.reasons()).isZero();
  }

  @Test
  @Timeout(300)
  void aLoadedClusterIsMovedOverAndItsCertificatesChange() throws Exception {
    ProcessCluster cluster = clusters.startHealthy(ProcessCluster.of(3));
    List<java.util.Map.Entry<String, String>> pairs = Pairs.packages();
    try (CairnClient plain = cluster.client().build();
        CairnClient tls = secured(cluster);
        SteadyLoad before =
            SteadyLoad.start(cluster.client().build(), pairs.subList(0, 1_000), 50)) {
      roll(cluster, Security.NONE, "optional", before);
      assertThat(plain.status()).contains("\"notProtected\":");
      before.finish();
      assertNothingFailed(before);
      try (SteadyLoad after = SteadyLoad.start(secured(cluster), pairs.subList(1_000, 3_000), 50)) {
        roll(cluster, security(), "required", after);
        assertThat(tls.status()).doesNotContain("notProtected");
        certificatesChange(cluster, after);
        after.finish();
        assertNothingFailed(after);
        try (CairnClient reader = secured(cluster)) {
          assertThat(before.differences(reader)).isEmpty();
          assertThat(after.differences(reader)).isEmpty();
        }
      }
    }
  }

  private void certificatesChange(ProcessCluster cluster, SteadyLoad load) throws Exception {
    node(authority);
    awaitReadAnew(cluster, 1);
    load.awaitProgress(50);
    Written next = authority("second");
    replace("ca.crt", authority.certificatePem() + next.certificatePem());
    awaitReadAnew(cluster, 2);
    node(next);
    awaitReadAnew(cluster, 3);
    replace("ca.crt", next.certificatePem());
    awaitReadAnew(cluster, 4);
    load.awaitProgress(50);
    try (CairnClient client = secured(cluster)) {
      client.put("mykey", "myvalue");
      assertThat(client.get("mykey")).hasValue("myvalue");
    }
  }

  /** All nodes have read the peer port's files so many times again. */
  private static void awaitReadAnew(ProcessCluster cluster, int times) {
    String line = "the certificate of the peer port was read anew";
    await("read anew")
        .atMost(Duration.ofSeconds(30))
        .until(
            () ->
                cluster.indexes().stream()
                    .allMatch(
                        node -> cluster.node(node).log().split(line, -1).length - 1 >= times));
  }
}
