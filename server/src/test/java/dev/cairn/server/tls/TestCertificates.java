// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.tls;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.security.cert.Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;

/** Authorities and certificates for tests, written to a folder. */
public final class TestCertificates {
  private static final CertificateWriter WRITER = new CertificateWriter(new SecureRandom());

  private final Path folder;
  private final String name;
  private final CertificateWriter.Written authority;

  /** An authority whose certificate is NAME.pem. */
  public TestCertificates(Path folder, String name) throws TlsException, IOException {
    this.folder = folder;
    this.name = name;
    authority =
        WRITER.selfSigned(wanted(CertificateWriter.Use.AUTHORITY, name, Duration.ofDays(100)));
    Files.writeString(ca(), authority.certificatePem());
  }

  private static CertificateWriter.Wanted wanted(
      CertificateWriter.Use use, String name, Duration good) {
    return new CertificateWriter.Wanted(
        use, name, List.of("localhost", "127.0.0.1"), Instant.now().plus(good));
  }

  /** The authority's certificate. */
  public Path ca() {
    return folder.resolve(name + ".pem");
  }

  /** A node's. */
  public IdentityFiles node(String commonName) throws TlsException, IOException {
    return write(CertificateWriter.Use.NODE, commonName, Duration.ofDays(90));
  }

  /** A client's. */
  public IdentityFiles client(String commonName) throws TlsException, IOException {
    return write(CertificateWriter.Use.CLIENT, commonName, Duration.ofDays(90));
  }

  /** A certificate good for so long from now; negative: it has expired. */
  public IdentityFiles write(CertificateWriter.Use use, String commonName, Duration good)
      throws TlsException, IOException {
    CertificateWriter.Written written = WRITER.signed(wanted(use, commonName, good), authority);
    Path certificate = folder.resolve(name + "-" + commonName + ".crt");
    Path key = folder.resolve(name + "-" + commonName + ".key");
    Files.writeString(certificate, written.certificatePem());
    writePrivate(key, written.keyPem());
    return new IdentityFiles(certificate, Optional.of(key), Optional.empty());
  }

  /** A file that only its owner reads. */
  public static Path writePrivate(Path file, String text) throws IOException {
    Files.writeString(file, text);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    return file;
  }

  /** What a client that trusts this authority connects with. */
  public SSLContext context(Optional<IdentityFiles> own) throws Exception {
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(
        own.isPresent() ? keys(own.get()) : null,
        new TrustManager[] {Engine.trusting(List.of(authority.certificate()))},
        null);
    return context;
  }

  private static KeyManager[] keys(IdentityFiles files) throws Exception {
    Identity identity = Identity.read(files);
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    store.setKeyEntry(
        "own", identity.key(), new char[0], identity.chain().toArray(new Certificate[0]));
    KeyManagerFactory factory =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    factory.init(store, new char[0]);
    return factory.getKeyManagers();
  }
}
