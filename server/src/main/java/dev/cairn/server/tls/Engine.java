// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.tls;

import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * Which implementation of TLS does the work, with which versions, and where its expensive parts
 * run: the one place where that is chosen (docs/design/decisions/0033).
 *
 * <p>Signatures and checks of certificates run on threads of their own, so that a thousand clients
 * that connect at once hold no event loop up. What is encrypted and decrypted is so on the loops.
 */
final class Engine {
  /** Netty's own switch, read with each context. */
  static final String NO_OPENSSL = "io.netty.handler.ssl.noOpenSsl";

  /** From the first byte on; a client on a slow line needs three trips and a signature. */
  static final long HANDSHAKE_MILLIS = 5_000;

  private static final String[] VERSIONS = {"TLSv1.3", "TLSv1.2"};

  /** Half the processors: handshakes must not take them all from what was let in. */
  private static final int THREADS =
      Math.max(1, Math.min(4, Runtime.getRuntime().availableProcessors() / 2));

  /** Its queue is bounded by {@link Handshakes}: each has at most one task there. */
  private static final Executor EXPENSIVE = pool();

  static {
    // Read once, by the JDK's own engine: a client that renegotiates costs a signature each time.
    System.setProperty("jdk.tls.rejectClientInitiatedRenegotiation", "true");
  }

  private Engine() {}

  private static Executor pool() {
    ThreadPoolExecutor pool =
        new ThreadPoolExecutor(
            THREADS,
            THREADS,
            30,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            new DefaultThreadFactory("tls-handshake", true));
    pool.allowCoreThreadTimeOut(true);
    return pool;
  }

  static SslProvider provider() {
    return OpenSsl.isAvailable() && !Boolean.getBoolean(NO_OPENSSL)
        ? SslProvider.OPENSSL
        : SslProvider.JDK;
  }

  static SslContext accepting(
      Identity identity, ClientCertificates clients, X509ExtendedTrustManager trust)
      throws TlsException {
    SslContextBuilder builder =
        SslContextBuilder.forServer(identity.key(), identity.chain()).clientAuth(clients.netty());
    if (clients != ClientCertificates.NONE) {
      builder.trustManager(trust);
    }
    return build(builder);
  }

  /** Names of hosts are not compared: whom a peer's certificate speaks for, its trust says. */
  static SslContext connecting(Identity identity, X509ExtendedTrustManager trust)
      throws TlsException {
    return build(
        SslContextBuilder.forClient()
            .keyManager(identity.key(), identity.chain())
            .trustManager(trust)
            .endpointIdentificationAlgorithm(null));
  }

  private static SslContext build(SslContextBuilder builder) throws TlsException {
    try {
      return builder.sslProvider(provider()).protocols(VERSIONS).build();
    } catch (SSLException | IllegalArgumentException e) {
      throw new TlsException("the certificate or its CA cannot be used: " + e.getMessage(), e);
    }
  }

  static SslHandler handler(SslContext context, io.netty.channel.Channel channel) {
    SslHandler handler = context.newHandler(channel.alloc(), EXPENSIVE);
    handler.setHandshakeTimeoutMillis(HANDSHAKE_MILLIS);
    return handler;
  }

  /** Trusts what one of these has signed, and no other. */
  static X509ExtendedTrustManager trusting(List<X509Certificate> authorities) throws TlsException {
    try {
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(null, null);
      for (int i = 0; i < authorities.size(); i++) {
        store.setCertificateEntry("ca-" + i, authorities.get(i));
      }
      TrustManagerFactory factory =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      factory.init(store);
      for (TrustManager manager : factory.getTrustManagers()) {
        if (manager instanceof X509ExtendedTrustManager found) {
          return found;
        }
      }
      throw new TlsException("this JVM has no trust manager for certificates");
    } catch (IOException | GeneralSecurityException e) {
      throw new TlsException("the CA's certificates cannot be used: " + e.getMessage(), e);
    }
  }
}
