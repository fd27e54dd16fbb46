// SPDX-License-Identifier: Apache-2.0
package dev.cairn.client;

import dev.cairn.protocol.RespWriter;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Collection;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;

/**
 * How a client's connections are protected, and as whom it logs in. Immutable; shows no password.
 *
 * <pre>{@code
 * Security security =
 *     Security.NONE
 *         .tls(Security.context(Optional.of(Path.of("ca.pem")), Optional.empty(), Optional.empty()))
 *         .login("ada", password);
 * }</pre>
 */
public final class Security {
  /** In the clear, as nobody. */
  public static final Security NONE = new Security(null, null, null);

  private static final Pattern KEY =
      Pattern.compile("-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\\s]+)-----END PRIVATE KEY-----");

  private static final String[] KEY_KINDS = {"EC", "RSA", "Ed25519"};

  private final SSLContext context; // null: in the clear
  private final String user; // null: the default user, if there is a password
  private final String password; // null: as nobody

  private Security(SSLContext context, String user, String password) {
    this.context = context;
    this.user = user;
    this.password = password;
  }

  /** Over TLS. The name by which a node is connected to has to stand in its certificate. */
  public Security tls(SSLContext with) {
    return new Security(with, user, password);
  }

  /** As a user; {@code default} is the one of whom only a password is known. */
  public Security login(String as, String secret) {
    return new Security(context, as, secret);
  }

  /** Whether connections go over TLS. */
  public boolean isTls() {
    return context != null;
  }

  /**
   * TLS of files.
   *
   * @param authorities PEM: the CAs that sign nodes' certificates; empty: those that this JVM
   *     trusts
   * @param certificate PEM: what this client shows, its own first
   * @param key PEM, PKCS#8 without a password; there when the certificate is
   * @throws IOException when a file cannot be read or used; the message says which, and what to do
   */
  public static SSLContext context(
      Optional<Path> authorities, Optional<Path> certificate, Optional<Path> key)
      throws IOException {
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(
          certificate.isPresent()
              ? keys(
                  certificate.get(),
                  key.orElseThrow(() -> new IOException("a certificate needs its key: give both")))
              : null,
          authorities.isPresent() ? trust(authorities.get()) : null,
          null);
      return context;
    } catch (GeneralSecurityException e) {
      throw new IOException("TLS cannot be set up: " + e.getMessage(), e);
    }
  }

  private static TrustManager[] trust(Path file) throws IOException, GeneralSecurityException {
    KeyStore store = empty();
    int index = 0;
    for (Certificate authority : certificates(file)) {
      store.setCertificateEntry("ca-" + index++, authority);
    }
    TrustManagerFactory factory =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(store);
    return factory.getTrustManagers();
  }

  private static KeyManager[] keys(Path certificate, Path key)
      throws IOException, GeneralSecurityException {
    KeyStore store = empty();
    store.setKeyEntry(
        "own", key(key), new char[0], certificates(certificate).toArray(new Certificate[0]));
    KeyManagerFactory factory =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    factory.init(store, new char[0]);
    return factory.getKeyManagers();
  }

  private static KeyStore empty() throws IOException, GeneralSecurityException {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    return store;
  }

  private static Collection<? extends Certificate> certificates(Path file) throws IOException {
    Collection<? extends Certificate> found;
    try {
      found =
          CertificateFactory.getInstance("X.509")
              .generateCertificates(new ByteArrayInputStream(Files.readAllBytes(file)));
    } catch (GeneralSecurityException e) {
      throw new IOException(file + " has a part that is no certificate in PEM", e);
    }
    if (found.isEmpty()) {
      throw new IOException(file + " has no certificate in PEM");
    }
    return found;
  }

  private static PrivateKey key(Path file) throws IOException {
    Matcher matcher = KEY.matcher(Files.readString(file, StandardCharsets.ISO_8859_1));
    if (matcher.find()) {
      byte[] encoded = Base64.getMimeDecoder().decode(matcher.group(1));
      for (String kind : KEY_KINDS) {
        try {
          return KeyFactory.getInstance(kind).generatePrivate(new PKCS8EncodedKeySpec(encoded));
        } catch (GeneralSecurityException anotherKind) {
          // The next one is tried.
        }
      }
    }
    throw new IOException(
        file
            + " has no key in PKCS#8 (-----BEGIN PRIVATE KEY-----): make one of it with  openssl"
            + " pkcs8 -topk8 -nocrypt -in "
            + file);
  }

  /**
   * A connection that is open, over TLS where that is wanted; blocks for the handshake. Closing the
   * one given closes both.
   */
  public Socket secure(Socket connected, Address node) throws IOException {
    if (context == null) {
      return connected;
    }
    SSLSocket socket =
        (SSLSocket)
            context.getSocketFactory().createSocket(connected, node.host(), node.port(), true);
    SSLParameters parameters = socket.getSSLParameters();
    parameters.setEndpointIdentificationAlgorithm("HTTPS");
    socket.setSSLParameters(parameters);
    try {
      socket.startHandshake();
      return socket;
    } catch (SSLException e) {
      throw new SSLException(node + " and this client did not agree on TLS: " + e.getMessage(), e);
    }
  }

  /** TLS for connections that do not block, of the client's end; empty: in the clear. */
  public Optional<SSLEngine> engine(Address node) {
    if (context == null) {
      return Optional.empty();
    }
    SSLEngine engine = context.createSSLEngine(node.host(), node.port());
    engine.setUseClientMode(true);
    SSLParameters parameters = engine.getSSLParameters();
    parameters.setEndpointIdentificationAlgorithm("HTTPS");
    engine.setSSLParameters(parameters);
    return Optional.of(engine);
  }

  /** The first request of every connection: RESP3, and who asks. */
  public byte[] greeting() {
    return password == null
        ? RespWriter.command("HELLO", "3")
        : RespWriter.command(
            "HELLO", "3", "AUTH", user == null || user.isEmpty() ? "default" : user, password);
  }

  /** What logs in on a connection of RESP2; empty: nobody does. */
  public Optional<byte[]> login() {
    return password == null
        ? Optional.empty()
        : Optional.of(
            RespWriter.command(
                "AUTH", user == null || user.isEmpty() ? "default" : user, password));
  }

  @Override
  public String toString() {
    return (context == null ? "in the clear" : "TLS") + (password == null ? "" : ", as " + user);
  }
}
