// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import dev.cairn.client.Security;
import dev.cairn.server.tls.CertificateWriter;
import dev.cairn.server.tls.CertificateWriter.Use;
import dev.cairn.server.tls.CertificateWriter.Wanted;
import dev.cairn.server.tls.CertificateWriter.Written;
import dev.cairn.server.tls.TlsException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLContext;

/**
 * TLS at every port and users: nodes show each other certificates with a name, clients log in. One
 * authority signs nodes and a client. Who tests is {@code root}, who may do everything; {@code
 * default} is off.
 *
 * <pre>{@code
 * Secured secured = Secured.in(folder, "user app on >secret ~app:* +@read");
 * ProcessCluster cluster = ProcessCluster.of(3).in(secured).start();
 * }</pre>
 */
public final class Secured implements Surroundings {
  private static final String PEER_NAME = "cairn-node";
  private static final String ROOT = "root";
  private static final String ROOT_PASSWORD = "a-password-of-those-who-test";
  private static final Duration GOOD_FOR = Duration.ofDays(60);

  private final Path folder;
  private final Security security;
  private final HttpClient http;

  private Secured(Path folder) throws IOException {
    this.folder = folder;
    http =
        HttpClient.newBuilder().sslContext(context()).version(HttpClient.Version.HTTP_1_1).build();
    security = Security.NONE.tls(context()).login(ROOT, ROOT_PASSWORD);
  }

  private SSLContext context() throws IOException {
    return Security.context(Optional.of(ca()), Optional.empty(), Optional.empty());
  }

  /**
   * Writes certificates and users.
   *
   * @param folder an empty one, which outlives the cluster
   * @param users lines of a users' file, in addition to those of {@code root} and {@code default}
   */
  public static Secured in(Path folder, String... users) {
    try {
      CertificateWriter writer = new CertificateWriter(new SecureRandom());
      Written authority = writer.selfSigned(wanted(Use.AUTHORITY, "ca"));
      write(folder.resolve("ca.crt"), authority.certificatePem());
      write(folder, "node", writer.signed(wanted(Use.NODE, PEER_NAME), authority));
      write(folder, "client", writer.signed(wanted(Use.CLIENT, "ada"), authority));
      write(
          folder.resolve("users.acl"),
          "user %s on >%s ~* +@all%nuser default off%n%s%n"
              .formatted(ROOT, ROOT_PASSWORD, String.join(System.lineSeparator(), users)));
      return new Secured(folder);
    } catch (TlsException e) {
      throw new IllegalStateException(e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Wanted wanted(Use use, String name) {
    return new Wanted(use, name, List.of("127.0.0.1", "localhost"), Instant.now().plus(GOOD_FOR));
  }

  private static void write(Path folder, String name, Written written) throws IOException {
    write(folder.resolve(name + ".crt"), written.certificatePem());
    write(folder.resolve(name + ".key"), written.keyPem());
  }

  private static void write(Path file, String text) throws IOException {
    Files.writeString(file, text);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
  }

  /** The certificate of the authority, in PEM. */
  public Path ca() {
    return folder.resolve("ca.crt");
  }

  /** A node's certificate, in PEM. */
  public Path nodeCertificate() {
    return folder.resolve("node.crt");
  }

  /** The key of {@link #nodeCertificate}. */
  public Path nodeKey() {
    return folder.resolve("node.key");
  }

  /** A client's certificate, in PEM: it opens no peer port. Its key stands beside it. */
  public Path clientCertificate() {
    return folder.resolve("client.crt");
  }

  /** The key of {@link #clientCertificate}. */
  public Path clientKey() {
    return folder.resolve("client.key");
  }

  /** As {@code root}. */
  @Override
  public Security security() {
    return security;
  }

  /** As another user. */
  public Security as(String user, String password) {
    return security.login(user, password);
  }

  /**
   * A number that a node measures.
   *
   * @param series a line of its metrics up to the number
   */
  public double measured(NodeProcess node, String series) throws IOException {
    String login = ROOT + ":" + ROOT_PASSWORD;
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("https://" + node.name() + "/metrics"))
            .header(
                "Authorization",
                "Basic "
                    + Base64.getEncoder().encodeToString(login.getBytes(StandardCharsets.UTF_8)))
            .build();
    try {
      String all = http.send(request, HttpResponse.BodyHandlers.ofString()).body();
      return all.lines()
          .filter(line -> line.startsWith(series + " "))
          .findFirst()
          .map(line -> Double.parseDouble(line.substring(series.length())))
          .orElseThrow(() -> new IOException("no " + series + " in " + all));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  @Override
  public void prepare(int node, Path data, ProcessBuilder builder) {
    builder
        .command()
        .addAll(
            List.of(
                "--tls=required",
                "--tls-cert=" + nodeCertificate(),
                "--tls-key=" + nodeKey(),
                "--tls-ca=" + ca(),
                "--tls-clients=none",
                "--peer-name=" + PEER_NAME,
                "--users-file=" + folder.resolve("users.acl")));
  }
}
