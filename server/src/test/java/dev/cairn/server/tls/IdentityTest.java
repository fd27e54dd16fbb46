// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.StringWriter;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.Optional;
import org.bouncycastle.asn1.sec.ECPrivateKey;
import org.bouncycastle.asn1.sec.SECObjectIdentifiers;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.openssl.jcajce.JcaPKCS8Generator;
import org.bouncycastle.openssl.jcajce.JceOpenSSLPKCS8EncryptorBuilder;
import org.bouncycastle.util.io.pem.PemObject;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IdentityTest {
  @TempDir Path folder;
  private IdentityFiles files;

  @BeforeEach
  void write() throws Exception {
    files = new TestCertificates(folder, "ca").node("n");
  }

  private Path key() {
    return files.key().orElseThrow();
  }

  private void refused(IdentityFiles wrong, String... words) {
    assertThatThrownBy(() -> Identity.read(wrong))
        .isInstanceOf(TlsException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains(words));
  }

  @Test
  void aCertificateAndItsKeyAreReadFromTwoFilesOrOne() throws Exception {
    Identity two = Identity.read(files);
    assertThat(two.certificate().getSubjectX500Principal().getName()).isEqualTo("CN=n");

    Path both =
        TestCertificates.writePrivate(
            folder.resolve("both.pem"),
            Files.readString(key()) + Files.readString(files.certificate()));
    assertThat(Identity.read(new IdentityFiles(both, Optional.empty(), Optional.empty())))
        .isEqualTo(two);
  }

  @Test
  void aKeyOfAnotherCertificateIsRefused() throws Exception {
    IdentityFiles other = new TestCertificates(folder, "other").node("n");

    refused(
        new IdentityFiles(files.certificate(), other.key(), Optional.empty()),
        "does not fit",
        other.key().orElseThrow().toString());

    KeyPair rsa = KeyPairGenerator.getInstance("RSA").generateKeyPair();
    Path kind = TestCertificates.writePrivate(folder.resolve("rsa.key"), pem(rsa.getPrivate()));
    refused(
        new IdentityFiles(files.certificate(), Optional.of(kind), Optional.empty()),
        "does not fit");
  }

  @Test
  void filesThatHoldNothingOrSomethingElseAreRefused() throws Exception {
    Files.writeString(files.certificate(), "");
    refused(files, "is empty", files.certificate().toString());
    Files.writeString(
        files.certificate(), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    refused(files, "damaged");
    Files.writeString(files.certificate(), Files.readString(key()));
    refused(files, "has no certificate");
    Files.writeString(files.certificate(), "no PEM at all");
    refused(files, "is no PEM file");
    Files.delete(files.certificate());
    refused(files, "there is no such file");
  }

  @Test
  void aKeyThatOthersMayReadIsRefused() throws Exception {
    for (String open : new String[] {"rw----r--", "rw-rw----"}) {
      Files.setPosixFilePermissions(key(), PosixFilePermissions.fromString(open));
      refused(files, "open to other accounts", "chmod 600");
    }
    Files.setPosixFilePermissions(key(), PosixFilePermissions.fromString("r--r-----"));
    assertThat(Identity.read(files).chain()).hasSize(1);
  }

  @Test
  void keysComeInTheFormsThatToolsWrite() throws Exception {
    Identity known = Identity.read(files);
    BigInteger number = ((java.security.interfaces.ECPrivateKey) known.key()).getS();
    ECPrivateKey sec1 = new ECPrivateKey(256, number, SECObjectIdentifiers.secp256r1);
    TestCertificates.writePrivate(key(), pem(new PemObject("EC PRIVATE KEY", sec1.getEncoded())));
    assertThat(Identity.read(files).chain()).isEqualTo(known.chain());

    TestCertificates.writePrivate(
        key(),
        pem(
            new JcaPKCS8Generator(
                known.key(),
                new JceOpenSSLPKCS8EncryptorBuilder(JcaPKCS8Generator.AES_256_CBC)
                    .setProvider(new BouncyCastleProvider())
                    .setPassword("s3cret".toCharArray())
                    .build())));
    assertThat(Files.readString(key())).contains("BEGIN ENCRYPTED PRIVATE KEY");
    refused(files, "has a password", "--tls-key-password-file");
    Path password = TestCertificates.writePrivate(folder.resolve("password"), "s3cret\n");
    IdentityFiles withPassword =
        new IdentityFiles(files.certificate(), files.key(), Optional.of(password));
    assertThat(Identity.read(withPassword).chain()).isEqualTo(known.chain());
    TestCertificates.writePrivate(password, "another\n");
    refused(withPassword, "cannot be read", "password");
  }

  @Test
  void aPkcs12FileHasBoth() throws Exception {
    Identity known = Identity.read(files);
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    char[] secret = "s3cret".toCharArray();
    store.setKeyEntry("node", known.key(), secret, known.chain().toArray(new Certificate[0]));
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    store.store(bytes, secret);
    Path file = TestCertificates.writePrivate(folder.resolve("node.p12"), "");
    Files.write(file, bytes.toByteArray());
    Path password = TestCertificates.writePrivate(folder.resolve("password"), "s3cret");

    assertThat(Identity.read(new IdentityFiles(file, Optional.empty(), Optional.of(password))))
        .isEqualTo(known);
    refused(new IdentityFiles(file, Optional.empty(), Optional.empty()), "--tls-key-password-file");
    refused(new IdentityFiles(file, files.key(), Optional.of(password)), "PKCS12 file alone");
  }

  private static String pem(Object object) throws Exception {
    StringWriter text = new StringWriter();
    try (JcaPEMWriter writer = new JcaPEMWriter(text)) {
      writer.writeObject(object);
    }
    return text.toString();
  }
}
