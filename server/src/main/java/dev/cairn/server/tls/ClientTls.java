// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.tls;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.X509ExtendedTrustManager;

/** TLS of the ports that clients use: with which certificate, and what clients have to show. */
public final class ClientTls {
  private static final ClientTls OFF = new ClientTls(TlsMode.OFF, ClientCertificates.NONE, null);

  private final TlsMode mode;
  private final ClientCertificates clients;
  private final Reloaded<Made> made; // null where TLS is off
  private final Handshakes handshakes = new Handshakes();

  private record Made(SslContext context, Instant expires) {}

  private ClientTls(TlsMode mode, ClientCertificates clients, Reloaded<Made> made) {
    this.mode = mode;
    this.clients = clients;
    this.made = made;
  }

  /** No TLS. */
  public static ClientTls off() {
    return OFF;
  }

  /**
   * Reads the files.
   *
   * @param mode not OFF
   * @param authorities PEM, one or several CAs whose certificates clients show; there when they are
   *     asked for any
   */
  public static ClientTls of(
      TlsMode mode, IdentityFiles files, ClientCertificates clients, Optional<Path> authorities)
      throws TlsException {
    List<Path> all = new ArrayList<>(files.all());
    authorities.ifPresent(all::add);
    return new ClientTls(
        mode,
        clients,
        new Reloaded<>(
            "the certificate of the client ports",
            all,
            () -> {
              Identity identity = Identity.read(files);
              X509ExtendedTrustManager trust = null;
              if (authorities.isPresent()) {
                Path file = authorities.get();
                trust = Engine.trusting(Pem.certificates(file, SmallFile.read(file)));
              }
              return new Made(
                  Engine.accepting(identity, clients, trust), Expiry.first(identity.chain()));
            }));
  }

  /** Whether TLS is spoken. */
  public TlsMode mode() {
    return mode;
  }

  /** Whether clients show certificates. */
  public ClientCertificates clients() {
    return clients;
  }

  /** When the certificate, or one that leads to its CA, expires; empty where there is none. */
  public Optional<Instant> expires() {
    return made == null ? Optional.empty() : Optional.of(made.current().expires());
  }

  /** Whether the files have changed to something that cannot be used. */
  public boolean filesAreRefused() {
    return made != null && made.isRefused();
  }

  /** Handshakes of all client ports. */
  public Handshakes handshakes() {
    return handshakes;
  }

  /**
   * Has a connection that was accepted begin with TLS, where that is spoken.
   *
   * @param pipeline which has no handler yet but those that see the bytes as they travel
   * @param refusal what is said to who speaks something else, where that is not taken
   * @param shown told the common name of the client's certificate, if it shows one, before anything
   *     that the client sends is passed on
   */
  public void guard(
      ChannelPipeline pipeline, Function<ByteBuf, ByteBuf> refusal, Consumer<String> shown) {
    if (mode != TlsMode.OFF) {
      pipeline.addLast(
          new FirstByte(
              mode == TlsMode.REQUIRED,
              () -> made.current().context(),
              handshakes,
              channel -> {
                handshakes.done(channel);
                commonName(channel).ifPresent(shown);
              },
              refusal));
    }
  }

  /** The common name of the certificate that a connection has shown, once it has. */
  public static Optional<String> commonName(Channel channel) {
    SslHandler handler = channel.pipeline().get(SslHandler.class);
    if (handler == null) {
      return Optional.empty();
    }
    try {
      return handler.engine().getSession().getPeerCertificates()[0]
              instanceof X509Certificate certificate
          ? PeerTrust.commonName(certificate)
          : Optional.empty();
    } catch (SSLPeerUnverifiedException noneWasShown) {
      return Optional.empty();
    }
  }

  /** Whether a connection speaks TLS. */
  public static boolean isSecured(Channel channel) {
    return channel.pipeline().get(SslHandler.class) != null;
  }

  void look() {
    if (made != null) {
      made.look();
    }
  }
}
