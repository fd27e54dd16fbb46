// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.server.tls.ClientCertificates;
import dev.cairn.server.tls.ClientTls;
import dev.cairn.server.tls.IdentityFiles;
import dev.cairn.server.tls.PeerTls;
import dev.cairn.server.tls.TlsMode;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CertCommandTest {
  @TempDir Path folder;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  private int run(String... arguments) {
    return new NodeMain(out, new PrintStream(err, true, UTF_8), Map.of(), folder).run(arguments);
  }

  private Path file(String name) {
    return folder.resolve("certs").resolve(name);
  }

  private X509Certificate certificate(String name) throws Exception {
    return (X509Certificate)
        CertificateFactory.getInstance("X.509")
            .generateCertificate(new ByteArrayInputStream(Files.readAllBytes(file(name))));
  }

  @Test
  void aSetForATrialWorksAtBothKindsOfPort() throws Exception {
    assertThat(run("cert", "ca")).isZero();
    assertThat(run("cert", "node", "db1.example", "10.0.0.1", "::1")).isZero();
    assertThat(run("cert", "client", "ada", "--days", "7")).isZero();
    assertThat(out.toString(UTF_8).lines().toList())
        .hasSize(6)
        .contains(file("node.key").toString());

    IdentityFiles node =
        new IdentityFiles(file("node.crt"), Optional.of(file("node.key")), Optional.empty());
    Optional<Path> ca = Optional.of(file("ca.crt"));
    ClientTls.of(TlsMode.REQUIRED, node, ClientCertificates.REQUIRED, ca);
    PeerTls.certificates(
        TlsMode.REQUIRED,
        node,
        new PeerTls.Authorities(file("ca.crt"), Optional.of(CertCommand.NODE_NAME), ca));
    X509Certificate written = certificate("node.crt");
    written.verify(certificate("ca.crt").getPublicKey());
    assertThat(written.getSubjectAlternativeNames())
        .extracting(name -> String.valueOf(name.get(1)))
        .contains("localhost", "127.0.0.1", "db1.example", "10.0.0.1", "0:0:0:0:0:0:0:1");
    assertThat(certificate("client.ada.crt").getExtendedKeyUsage())
        .isEqualTo(List.of("1.3.6.1.5.5.7.3.2"));
    for (String key : List.of("ca.key", "node.key", "client.ada.key")) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file(key))))
          .isEqualTo("rw-------");
    }
  }

  @Test
  void nothingIsOverwrittenAndMistakesAreOneLine() throws Exception {
    assertThat(run("cert", "node")).isEqualTo(2);
    assertThat(err.toString(UTF_8)).contains("cert ca first").hasLineCount(1);
    assertThat(run("cert", "ca", "--days=0")).isEqualTo(2);
    assertThat(run("cert")).isEqualTo(2);
    assertThat(run("cert", "ca")).isZero();
    String before = Files.readString(file("ca.crt"));
    assertThat(run("cert", "ca")).isEqualTo(2);
    assertThat(Files.readString(file("ca.crt"))).isEqualTo(before);
    assertThat(run("cert", "client", "../ada")).isEqualTo(2);
    assertThat(err.toString(UTF_8).lines()).hasSize(5).allMatch(line -> line.startsWith("cairn: "));
  }
}
