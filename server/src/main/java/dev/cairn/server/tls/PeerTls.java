// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.tls;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * TLS between nodes, always of both ends: by certificates of nodes, or by a secret that all nodes
 * have, over certificates that nobody knows and that are thrown away ({@link Secret}).
 *
 * <p>Invariant: where the mode is REQUIRED, nothing that a connection brings is passed on to the
 * protocol of peers before its other end has proven that it is a node.
 */
public final class PeerTls {
  private static final PeerTls OFF = new PeerTls(TlsMode.OFF, null);
  private static final Duration THROWN_AWAY_AFTER = Duration.ofDays(3650);

  private final TlsMode mode;
  private final Reloaded<Made> made; // null where TLS is off
  private final Handshakes handshakes = new Handshakes();

  private record Made(
      SslContext accepting,
      SslContext connecting,
      Optional<Secret> secret,
      Optional<Instant> expires) {}

  /**
   * Who signs nodes' certificates.
   *
   * @param file PEM, one or several CAs
   * @param name that each node's certificate has; there when a CA signs clients' certificates too
   * @param ofClients the CAs of clients' certificates
   */
  public record Authorities(Path file, Optional<String> name, Optional<Path> ofClients) {
    private List<X509Certificate> read() throws TlsException {
      List<X509Certificate> found = Pem.certificates(file, SmallFile.read(file));
      if (name.isEmpty() && ofClients.isPresent()) {
        Path other = ofClients.get();
        List<X509Certificate> shared = Pem.certificates(other, SmallFile.read(other));
        shared.retainAll(found);
        if (!shared.isEmpty()) {
          throw new TlsException(
              "%s signs clients' certificates too (%s): give nodes a CA of their own as --peer-ca, or say with --peer-name which name theirs have"
                  .formatted(shared.get(0).getSubjectX500Principal().getName(), other));
        }
      }
      return found;
    }
  }

  private PeerTls(TlsMode mode, Reloaded<Made> made) {
    this.mode = mode;
    this.made = made;
  }

  /** Peers prove nothing. */
  public static PeerTls off() {
    return OFF;
  }

  /**
   * Peers show certificates.
   *
   * @param mode not OFF
   */
  public static PeerTls certificates(TlsMode mode, IdentityFiles files, Authorities authorities)
      throws TlsException {
    List<Path> all = new ArrayList<>(files.all());
    all.add(authorities.file());
    return new PeerTls(
        mode,
        new Reloaded<>(
            "the certificate of the peer port",
            all,
            () -> {
              Identity identity = Identity.read(files);
              PeerTrust trust =
                  new PeerTrust(Engine.trusting(authorities.read()), authorities.name());
              return new Made(
                  Engine.accepting(identity, ClientCertificates.REQUIRED, trust),
                  Engine.connecting(identity, trust),
                  Optional.empty(),
                  Optional.of(Expiry.first(identity.chain())));
            }));
  }

  /** Peers know a secret. */
  public static PeerTls secret(TlsMode mode, Path file) throws TlsException {
    CertificateWriter.Written own =
        new CertificateWriter(new SecureRandom())
            .selfSigned(
                new CertificateWriter.Wanted(
                    CertificateWriter.Use.NODE,
                    "cairn node",
                    List.of(),
                    Instant.now().plus(THROWN_AWAY_AFTER)));
    Identity identity = new Identity(own.key(), List.of(own.certificate()));
    // What is trusted is who knows the secret; certificates only say which connection it is.
    X509ExtendedTrustManager any =
        (X509ExtendedTrustManager) InsecureTrustManagerFactory.INSTANCE.getTrustManagers()[0];
    SslContext accepting = Engine.accepting(identity, ClientCertificates.REQUIRED, any);
    SslContext connecting = Engine.connecting(identity, any);
    return new PeerTls(
        mode,
        new Reloaded<>(
            "the cluster's secret",
            List.of(file),
            () ->
                new Made(accepting, connecting, Optional.of(Secret.read(file)), Optional.empty())));
  }

  /** Whether peers have to prove who they are; OPTIONAL: they may. */
  public TlsMode mode() {
    return mode;
  }

  /** When the certificate expires; empty where there is none that matters. */
  public Optional<Instant> expires() {
    return made == null ? Optional.empty() : made.current().expires();
  }

  /** Whether the files have changed to something that cannot be used. */
  public boolean filesAreRefused() {
    return made != null && made.isRefused();
  }

  /** Peers that have not proven yet who they are. */
  public Handshakes handshakes() {
    return handshakes;
  }

  /**
   * Lets a connection that was accepted prove itself.
   *
   * @param pipeline which has no handler yet
   * @param refusal what is said to who speaks something else, where that is not taken
   * @param admitted called on the loop, once, before anything is passed on
   */
  public void accept(
      ChannelPipeline pipeline, Function<ByteBuf, ByteBuf> refusal, Runnable admitted) {
    if (mode == TlsMode.OFF) {
      pipeline.addLast(new PeerDoor(Optional.empty(), false, false, handshakes, admitted));
      return;
    }
    Made now = made.current();
    pipeline.addLast(
        new FirstByte(mode == TlsMode.REQUIRED, now::accepting, handshakes, shaken -> {}, refusal));
    pipeline.addLast(
        new PeerDoor(now.secret(), mode == TlsMode.REQUIRED, false, handshakes, admitted));
  }

  /**
   * Has a connection that is being opened prove itself, over TLS.
   *
   * @param admitted called on the loop, once, when the other end has
   */
  public void connect(ChannelPipeline pipeline, Runnable admitted) {
    Made now = made.current();
    pipeline.addLast("tls", Engine.handler(now.connecting(), pipeline.channel()));
    pipeline.addLast(new PeerDoor(now.secret(), true, true, handshakes, admitted));
  }

  void look() {
    if (made != null) {
      made.look();
    }
  }
}
