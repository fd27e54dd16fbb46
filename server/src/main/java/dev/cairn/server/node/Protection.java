// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import dev.cairn.server.node.SettingSources.Given;
import dev.cairn.server.tls.ClientCertificates;
import dev.cairn.server.tls.ClientTls;
import dev.cairn.server.tls.IdentityFiles;
import dev.cairn.server.tls.PeerTls;
import dev.cairn.server.tls.TlsException;
import dev.cairn.server.tls.TlsMode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What clients and peers have to show, and how what travels is protected.
 *
 * <p>Safe by default: on an address that others reach, the client ports need users or clients'
 * certificates, and the peer port certificates or the secret; otherwise the node does not start.
 * {@code --insecure} lifts that, and is told of for as long as it holds. What users there are is
 * what the node acts on, not what it was given: its cluster may have others.
 *
 * @param clients what holds for the client ports
 * @param peers what holds for the peer port
 * @param reachedAt the address that is listened on, if others reach it
 * @param insecure whether that is accepted however little is asked for
 */
public record Protection(
    Clients clients, Peers peers, Optional<String> reachedAt, boolean insecure) {
  private static final String GUIDE = "docs/guide/secure.md";

  /**
   * What holds for the client ports.
   *
   * @param mode whether they speak TLS. Default REQUIRED where there is a certificate, else OFF.
   * @param identity their certificate and key; there unless the mode is OFF
   * @param certificates whether clients show certificates. Default REQUIRED where {@code
   *     authorities} are there, else NONE.
   * @param authorities CAs that sign clients' certificates
   */
  public record Clients(
      TlsMode mode,
      Optional<IdentityFiles> identity,
      ClientCertificates certificates,
      Optional<Path> authorities) {}

  /**
   * What holds for the peer port.
   *
   * @param mode whether peers prove that they are nodes: OPTIONAL where {@code --tls} is, else
   *     REQUIRED where they can, else OFF
   * @param identity this node's certificate; there where there are {@code authorities}
   * @param authorities CAs that sign nodes' certificates
   * @param name that each node's certificate has
   * @param secret the file of the cluster's secret; instead of {@code authorities}
   */
  public record Peers(
      TlsMode mode,
      Optional<IdentityFiles> identity,
      Optional<Path> authorities,
      Optional<String> name,
      Optional<Path> secret) {}

  /**
   * Reads it, and checks what belongs together.
   *
   * @param reachable whether others reach the address that is listened on
   */
  static Protection of(SettingReader reader, String host, boolean reachable) throws StartException {
    Clients clients = clients(reader);
    return new Protection(
        clients,
        peers(reader, clients),
        reachable ? Optional.of(host) : Optional.empty(),
        reader.flag(Setting.INSECURE));
  }

  /**
   * Ends the start of a node that lets everybody in on an address that others reach.
   *
   * @param login whether clients have to log in, by the users that the node acts on
   * @throws StartException with the lines that mend it
   */
  void requireSafe(boolean login) throws StartException {
    if (reachedAt.isEmpty() || insecure || notProtected(login).isEmpty()) {
      return;
    }
    List<String> mend = new ArrayList<>();
    if (clientsAreOpen(login)) {
      mend.add("--password-file FILE  (clients of a new cluster log in)");
      mend.add("or --tls-cert FILE --tls-key FILE --tls-ca FILE  (clients show certificates)");
    }
    if (peersAreOpen()) {
      mend.add(
          "--cluster-secret-file FILE  (or --peer-ca FILE, with a certificate), the same at all nodes");
    }
    throw new StartException(
        "--host %s can be reached by others, and %s. Give\n  %s\n(./cairn cert makes the files, %s says how), or keep to 127.0.0.1, or accept it with --insecure"
            .formatted(
                reachedAt.get(), notProtected(login).get(), String.join("\n  ", mend), GUIDE));
  }

  /** What anybody who reaches this node can do, if so, for a person; as {@link #requireSafe}. */
  Optional<String> notProtected(boolean login) {
    List<String> open = new ArrayList<>();
    if (clientsAreOpen(login)) {
      open.add("its client ports let everybody in");
    }
    if (peersAreOpen()) {
      open.add(
          "its peer port lets everybody in"
              + (peers.mode() == TlsMode.OPTIONAL ? " while --tls is optional" : ""));
    }
    return open.isEmpty() ? Optional.empty() : Optional.of(String.join(", and ", open));
  }

  /**
   * What a node warns of whose users send passwords to others' eyes: once, when it starts.
   *
   * @param passwords whether a user has one
   */
  Optional<String> inTheClear(boolean passwords) {
    return reachedAt.isEmpty() || !passwords || clients.mode() == TlsMode.REQUIRED
        ? Optional.empty()
        : Optional.of(
            "passwords cross the network in the clear"
                + (clients.mode() == TlsMode.OPTIONAL ? " where clients speak no TLS" : "")
                + ": give --tls-cert FILE and --tls-key FILE, and --tls required; "
                + GUIDE
                + " says how");
  }

  private boolean clientsAreOpen(boolean login) {
    boolean certificates =
        clients.mode() == TlsMode.REQUIRED && clients.certificates() == ClientCertificates.REQUIRED;
    return reachedAt.isPresent() && !login && !certificates;
  }

  private boolean peersAreOpen() {
    return reachedAt.isPresent()
        ? peers.mode() != TlsMode.REQUIRED
        : peers.mode() == TlsMode.OPTIONAL;
  }

  private static Clients clients(SettingReader reader) throws StartException {
    Optional<IdentityFiles> identity = identity(reader, Setting.TLS_CERT, Setting.TLS_KEY);
    TlsMode mode =
        reader
            .named(Setting.TLS, TlsMode::named, "off, optional, required")
            .orElse(identity.isPresent() ? TlsMode.REQUIRED : TlsMode.OFF);
    Optional<Path> authorities = reader.file(Setting.TLS_CA);
    boolean peersOnly = mode == TlsMode.OPTIONAL && reader.has(Setting.CLUSTER_SECRET_FILE);
    if (mode != TlsMode.OFF && identity.isEmpty()) {
      if (!peersOnly) {
        throw new StartException(
            "--tls %s needs a certificate: give --tls-cert FILE and --tls-key FILE; ./cairn cert makes them"
                .formatted(mode.lowerName()));
      }
      mode = TlsMode.OFF;
    }
    ClientCertificates certificates =
        reader
            .named(Setting.TLS_CLIENTS, ClientCertificates::named, "none, optional, required")
            .orElse(
                authorities.isPresent() && mode != TlsMode.OFF
                    ? ClientCertificates.REQUIRED
                    : ClientCertificates.NONE);
    if (certificates != ClientCertificates.NONE && authorities.isEmpty()) {
      throw new StartException(
          "--tls-clients %s needs the CA of their certificates: give --tls-ca FILE"
              .formatted(certificates.lowerName()));
    }
    if (certificates != ClientCertificates.NONE && mode == TlsMode.OFF) {
      throw new StartException(
          "--tls-clients %s needs TLS: give --tls-cert FILE and --tls-key FILE, and leave --tls off out"
              .formatted(certificates.lowerName()));
    }
    return new Clients(mode, identity, certificates, authorities);
  }

  private static Peers peers(SettingReader reader, Clients clients) throws StartException {
    Optional<Path> secret = reader.file(Setting.CLUSTER_SECRET_FILE);
    Optional<String> name =
        Optional.ofNullable(reader.given().get(Setting.PEER_NAME)).map(Given::text);
    Optional<Path> authorities =
        reader
            .file(Setting.PEER_CA)
            .or(() -> name.isPresent() ? clients.authorities() : Optional.empty());
    Optional<IdentityFiles> identity =
        identity(reader, Setting.PEER_CERT, Setting.PEER_KEY).or(clients::identity);
    if (name.isPresent() && authorities.isEmpty()) {
      throw new StartException(
          "--peer-name needs the CA of the nodes' certificates: give --peer-ca FILE or --tls-ca FILE");
    }
    if (reader.has(Setting.PEER_CERT) && authorities.isEmpty()) {
      throw new StartException(
          "--peer-cert needs the CA of the other nodes' certificates: give --peer-ca FILE");
    }
    if (authorities.isPresent() && secret.isPresent()) {
      throw new StartException(
          "peers prove themselves by certificates or by a secret: give --peer-ca (or --peer-name), or --cluster-secret-file");
    }
    if (authorities.isPresent() && identity.isEmpty()) {
      throw new StartException(
          "--peer-ca needs a certificate of this node: give --peer-cert FILE and --peer-key FILE, or --tls-cert FILE and --tls-key FILE");
    }
    boolean can = authorities.isPresent() || secret.isPresent();
    boolean optional =
        Optional.ofNullable(reader.given().get(Setting.TLS))
            .filter(given -> given.text().equals(TlsMode.OPTIONAL.lowerName()))
            .isPresent();
    TlsMode mode = can ? optional ? TlsMode.OPTIONAL : TlsMode.REQUIRED : TlsMode.OFF;
    return new Peers(mode, identity, authorities, name, secret);
  }

  private static Optional<IdentityFiles> identity(
      SettingReader reader, Setting certificate, Setting key) throws StartException {
    Optional<Path> file = reader.file(certificate);
    Optional<Path> keyFile = reader.file(key);
    if (file.isEmpty() && keyFile.isPresent()) {
      throw new StartException(
          "%s needs its certificate: give %s FILE".formatted(key.option(), certificate.option()));
    }
    if (file.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        new IdentityFiles(file.get(), keyFile, reader.file(Setting.TLS_KEY_PASSWORD_FILE)));
  }

  /** Reads the files of the client ports. */
  ClientTls clientTls() throws StartException {
    if (clients.mode() == TlsMode.OFF) {
      return ClientTls.off();
    }
    try {
      return ClientTls.of(
          clients.mode(),
          clients.identity().orElseThrow(),
          clients.certificates(),
          clients.certificates() == ClientCertificates.NONE
              ? Optional.empty()
              : clients.authorities());
    } catch (TlsException e) {
      throw new StartException("--tls-cert, --tls-key and --tls-ca: " + e.getMessage(), e);
    }
  }

  /** Reads the files of the peer port. */
  PeerTls peerTls() throws StartException {
    try {
      if (peers.secret().isPresent()) {
        return PeerTls.secret(peers.mode(), peers.secret().get());
      }
      return peers.authorities().isEmpty()
          ? PeerTls.off()
          : PeerTls.certificates(
              peers.mode(),
              peers.identity().orElseThrow(),
              new PeerTls.Authorities(
                  peers.authorities().get(), peers.name(), clients.authorities()));
    } catch (TlsException e) {
      throw new StartException("the peer port: " + e.getMessage(), e);
    }
  }
}
