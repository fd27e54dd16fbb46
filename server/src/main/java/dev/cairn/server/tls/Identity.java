// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.tls;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Who a node is for TLS: its certificate, those that lead to its CA, and its key. The key fits the
 * certificate: what was signed with the one was verified with the other.
 *
 * @param chain its own certificate first
 */
record Identity(PrivateKey key, List<X509Certificate> chain) {
  private static final byte[] PROBE = "cairn".getBytes(StandardCharsets.US_ASCII);

  Identity {
    chain = List.copyOf(chain);
  }

  X509Certificate certificate() {
    return chain.get(0);
  }

  /** Reads and checks it. */
  static Identity read(IdentityFiles files) throws TlsException {
    Optional<char[]> password = Optional.empty();
    if (files.password().isPresent()) {
      password = Optional.of(Secret.line(files.password().get()));
    }
    byte[] bytes = SmallFile.read(files.certificate());
    boolean one = files.key().isEmpty();
    if (one) {
      bytes = SmallFile.readPrivate(files.certificate());
    }
    Identity identity;
    if (Pem.isPem(bytes)) {
      Path keyFile = files.key().orElse(files.certificate());
      byte[] keyBytes = one ? bytes : SmallFile.readPrivate(keyFile);
      identity =
          new Identity(
              Pem.key(keyFile, keyBytes, password), Pem.certificates(files.certificate(), bytes));
    } else {
      if (!one) {
        throw new TlsException(
            files.certificate()
                + " is no PEM file: give PEM files, or a PKCS12 file alone, which has the key in it");
      }
      identity = pkcs12(files.certificate(), bytes, password.orElse(new char[0]));
    }
    identity.requireFit(files);
    return identity;
  }

  private static Identity pkcs12(Path file, byte[] bytes, char[] password) throws TlsException {
    try {
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(new ByteArrayInputStream(bytes), password);
      for (String alias : Collections.list(store.aliases())) {
        Certificate[] chain = store.getCertificateChain(alias);
        if (store.getKey(alias, password) instanceof PrivateKey key && chain != null) {
          return new Identity(key, Stream.of(chain).map(X509Certificate.class::cast).toList());
        }
      }
      throw new TlsException(file + " has no key with a certificate");
    } catch (IOException | GeneralSecurityException e) {
      throw new TlsException(
          file
              + " is neither PEM nor PKCS12, or its password is another one: it is read from"
              + " --tls-key-password-file",
          e);
    }
  }

  private void requireFit(IdentityFiles files) throws TlsException {
    String algorithm =
        switch (key.getAlgorithm()) {
          case "EC" -> "SHA256withECDSA";
          case "RSA" -> "SHA256withRSA";
          case "Ed25519", "EdDSA" -> "Ed25519";
          default ->
              throw new TlsException(
                  "a key of " + key.getAlgorithm() + " is of no use for TLS: take EC or RSA");
        };
    boolean fits;
    try {
      Signature signing = Signature.getInstance(algorithm);
      signing.initSign(key);
      signing.update(PROBE);
      byte[] signature = signing.sign();
      Signature verifying = Signature.getInstance(algorithm);
      verifying.initVerify(certificate().getPublicKey());
      verifying.update(PROBE);
      fits = verifying.verify(signature);
    } catch (GeneralSecurityException anotherKindOfKey) {
      fits = false;
    }
    if (!fits) {
      throw new TlsException(
          "the key in %s does not fit the certificate in %s, %s: give the two that belong together"
              .formatted(
                  files.key().orElse(files.certificate()),
                  files.certificate(),
                  certificate().getSubjectX500Principal().getName()));
    }
  }
}
