// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.tls;

import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.openssl.PEMEncryptedKeyPair;
import org.bouncycastle.openssl.PEMKeyPair;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;
import org.bouncycastle.openssl.jcajce.JceOpenSSLPKCS8DecryptorProviderBuilder;
import org.bouncycastle.openssl.jcajce.JcePEMDecryptorProviderBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.pkcs.PKCS8EncryptedPrivateKeyInfo;
import org.bouncycastle.pkcs.PKCSException;

/** What stands in PEM files: certificates, and keys in all forms that tools write. */
final class Pem {
  private static final String BEGIN = "-----BEGIN ";

  private Pem() {}

  static boolean isPem(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1).contains(BEGIN);
  }

  /** All certificates of a file, in its order; at least one. */
  static List<X509Certificate> certificates(Path file, byte[] bytes) throws TlsException {
    List<X509Certificate> found = new ArrayList<>();
    JcaX509CertificateConverter converter = new JcaX509CertificateConverter();
    for (Object object : objects(file, bytes)) {
      if (object instanceof X509CertificateHolder certificate) {
        try {
          found.add(converter.getCertificate(certificate));
        } catch (CertificateException e) {
          throw new TlsException(file + " has a certificate that cannot be read", e);
        }
      }
    }
    if (found.isEmpty()) {
      throw new TlsException(file + " has no certificate (-----BEGIN CERTIFICATE-----)");
    }
    return found;
  }

  /** The first key of a file. */
  static PrivateKey key(Path file, byte[] bytes, Optional<char[]> password) throws TlsException {
    JcaPEMKeyConverter converter = new JcaPEMKeyConverter();
    try {
      for (Object object : objects(file, bytes)) {
        Optional<PrivateKeyInfo> key = Optional.empty();
        if (object instanceof PrivateKeyInfo plain) {
          key = Optional.of(plain);
        } else if (object instanceof PEMKeyPair pair) {
          key = Optional.of(pair.getPrivateKeyInfo());
        } else if (object instanceof PKCS8EncryptedPrivateKeyInfo encrypted) {
          key =
              Optional.of(
                  encrypted.decryptPrivateKeyInfo(
                      new JceOpenSSLPKCS8DecryptorProviderBuilder()
                          .setProvider(new BouncyCastleProvider())
                          .build(given(file, password))));
        } else if (object instanceof PEMEncryptedKeyPair encrypted) {
          key =
              Optional.of(
                  encrypted
                      .decryptKeyPair(
                          new JcePEMDecryptorProviderBuilder()
                              .setProvider(new BouncyCastleProvider())
                              .build(given(file, password)))
                      .getPrivateKeyInfo());
        }
        if (key.isPresent()) {
          return converter.getPrivateKey(key.get());
        }
      }
    } catch (IOException | PKCSException | OperatorCreationException e) {
      throw new TlsException(
          file + " has a key that cannot be read: is its password another one?", e);
    }
    throw new TlsException(file + " has no private key (-----BEGIN PRIVATE KEY-----)");
  }

  private static char[] given(Path file, Optional<char[]> password) throws TlsException {
    if (password.isEmpty()) {
      throw new TlsException(
          "the key in " + file + " has a password: give it with --tls-key-password-file");
    }
    return password.get();
  }

  private static List<Object> objects(Path file, byte[] bytes) throws TlsException {
    List<Object> objects = new ArrayList<>();
    String text = new String(bytes, StandardCharsets.ISO_8859_1);
    try (PEMParser parser = new PEMParser(new StringReader(text))) {
      for (Object object = parser.readObject(); object != null; object = parser.readObject()) {
        objects.add(object);
      }
      return objects;
    } catch (IOException | RuntimeException e) { // it throws both where bytes are no ASN.1
      throw new TlsException(file + " is damaged: it has a part that is no PEM", e);
    }
  }
}
