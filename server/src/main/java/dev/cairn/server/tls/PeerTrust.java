// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.tls;

import io.netty.handler.ssl.OpenSslCertificateException;
import java.net.Socket;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * Trusts certificates of nodes: signed by the CA, good for both ends of a connection, and with the
 * nodes' name where one is configured. What a client has is good for one end only, so that it opens
 * no peer port even where both have one CA.
 */
final class PeerTrust extends X509ExtendedTrustManager {
  private static final String SERVER = "1.3.6.1.5.5.7.3.1";
  private static final String CLIENT = "1.3.6.1.5.5.7.3.2";
  private static final int DNS_NAME = 2;

  /** OpenSSL's {@code X509_V_ERR_INVALID_PURPOSE}. */
  private static final int INVALID_PURPOSE = 26;

  private final X509ExtendedTrustManager authorities;
  private final Optional<String> name;

  /**
   * @param name that a node's certificate has, as its common name or a DNS name
   */
  PeerTrust(X509ExtendedTrustManager authorities, Optional<String> name) {
    this.authorities = authorities;
    this.name = name;
  }

  private void requireNode(X509Certificate certificate) throws CertificateException {
    List<String> usages = certificate.getExtendedKeyUsage();
    if (usages == null || !usages.contains(SERVER) || !usages.contains(CLIENT)) {
      throw refused(
          "%s is no certificate of a node: it lacks the extended key usages serverAuth and clientAuth, both of them"
              .formatted(certificate.getSubjectX500Principal().getName()));
    }
    if (name.isPresent() && !names(certificate).contains(name.get())) {
      throw refused(
          "%s is no certificate of a node: neither its common name nor a DNS name is %s (--peer-name)"
              .formatted(certificate.getSubjectX500Principal().getName(), name.get()));
    }
  }

  /** With the code that has both engines' alert say that it is the certificate's purpose. */
  private static CertificateException refused(String why) {
    return new OpenSslCertificateException(why, INVALID_PURPOSE);
  }

  private static List<String> names(X509Certificate certificate) throws CertificateException {
    ArrayList<String> names = new ArrayList<>();
    commonName(certificate).ifPresent(names::add);
    Collection<List<?>> alternatives = certificate.getSubjectAlternativeNames();
    if (alternatives != null) {
      for (List<?> alternative : alternatives) {
        if (alternative.get(0).equals(DNS_NAME)) {
          names.add((String) alternative.get(1));
        }
      }
    }
    return names;
  }

  /** The common name that is nearest to the certificate's own end. */
  static Optional<String> commonName(X509Certificate certificate) {
    try {
      List<Rdn> parts = new LdapName(certificate.getSubjectX500Principal().getName()).getRdns();
      for (int i = parts.size() - 1; i >= 0; i--) {
        Rdn part = parts.get(i);
        if (part.getType().equalsIgnoreCase("CN") && part.getValue() instanceof String text) {
          return Optional.of(text);
        }
      }
      return Optional.empty();
    } catch (InvalidNameException e) {
      return Optional.empty();
    }
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine)
      throws CertificateException {
    authorities.checkClientTrusted(chain, type, engine);
    requireNode(chain[0]);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine)
      throws CertificateException {
    authorities.checkServerTrusted(chain, type, engine);
    requireNode(chain[0]);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket)
      throws CertificateException {
    authorities.checkClientTrusted(chain, type, socket);
    requireNode(chain[0]);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket)
      throws CertificateException {
    authorities.checkServerTrusted(chain, type, socket);
    requireNode(chain[0]);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String type) throws CertificateException {
    authorities.checkClientTrusted(chain, type);
    requireNode(chain[0]);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String type) throws CertificateException {
    authorities.checkServerTrusted(chain, type);
    requireNode(chain[0]);
  }

  @Override
  public X509Certificate[] getAcceptedIssuers() {
    return authorities.getAcceptedIssuers();
  }
}
