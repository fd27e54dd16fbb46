// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.tls;

import io.netty.util.NetUtil;
import java.io.IOException;
import java.io.StringWriter;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.CertIOException;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.openssl.jcajce.JcaPKCS8Generator;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/**
 * Writes certificates: for a trial ({@code ./cairn cert}), and those that nodes with a secret throw
 * away when they end. Keys are EC on P-256, which every client takes and which sign fast.
 */
public final class CertificateWriter {
  /** Clocks of other machines may be a little behind. */
  private static final Duration BEFORE = Duration.ofHours(1);

  private static final int SERIAL_BITS = 127;

  private final SecureRandom random;

  /** Draws keys and serial numbers from a source. */
  public CertificateWriter(SecureRandom random) {
    this.random = random;
  }

  /** What a certificate is for. */
  public enum Use {
    /** Signs others. */
    AUTHORITY,
    /** A node: both ends of a connection. */
    NODE,
    /** A client: one end. */
    CLIENT
  }

  /**
   * A certificate that is wanted.
   *
   * @param commonName its common name
   * @param hosts names and addresses that it speaks for
   * @param expires until when it is good
   */
  public record Wanted(Use use, String commonName, List<String> hosts, Instant expires) {
    public Wanted {
      hosts = List.copyOf(hosts);
    }
  }

  /**
   * A certificate with its key.
   *
   * @param certificate it
   * @param key PKCS#8 when written
   */
  public record Written(X509Certificate certificate, PrivateKey key) {
    /** As a PEM file. */
    public String certificatePem() {
      return pem(certificate);
    }

    /** As a PEM file that others must not read. */
    public String keyPem() {
      try {
        return pem(new JcaPKCS8Generator(key, null));
      } catch (IOException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  /** One that nobody has signed but itself. */
  public Written selfSigned(Wanted wanted) throws TlsException {
    return write(wanted, Optional.empty());
  }

  /** One that an authority has signed. */
  public Written signed(Wanted wanted, Written authority) throws TlsException {
    return write(wanted, Optional.of(authority));
  }

  /** An authority of files, such as {@link #selfSigned} wrote. */
  public static Written read(IdentityFiles files) throws TlsException {
    Identity identity = Identity.read(files);
    return new Written(identity.certificate(), identity.key());
  }

  private Written write(Wanted wanted, Optional<Written> authority) throws TlsException {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
      generator.initialize(new ECGenParameterSpec("secp256r1"), random);
      KeyPair pair = generator.generateKeyPair();
      X500Name subject =
          new X500NameBuilder(BCStyle.INSTANCE).addRDN(BCStyle.CN, wanted.commonName()).build();
      X500Name issuer =
          authority.isPresent()
              ? X500Name.getInstance(
                  authority.get().certificate().getSubjectX500Principal().getEncoded())
              : subject;
      X509v3CertificateBuilder builder =
          new JcaX509v3CertificateBuilder(
              issuer,
              new BigInteger(SERIAL_BITS, random).setBit(SERIAL_BITS - 1),
              Date.from(Instant.now().minus(BEFORE)),
              Date.from(wanted.expires()),
              subject,
              pair.getPublic());
      extend(builder, wanted, pair, authority);
      PrivateKey signing = authority.map(Written::key).orElse(pair.getPrivate());
      String algorithm = signing.getAlgorithm().equals("RSA") ? "SHA256withRSA" : "SHA256withECDSA";
      X509Certificate certificate =
          new JcaX509CertificateConverter()
              .getCertificate(
                  builder.build(
                      new JcaContentSignerBuilder(algorithm)
                          .setSecureRandom(random)
                          .build(signing)));
      return new Written(certificate, pair.getPrivate());
    } catch (GeneralSecurityException | CertIOException | OperatorCreationException e) {
      throw new TlsException("the certificate cannot be written: " + e.getMessage(), e);
    }
  }

  private static void extend(
      X509v3CertificateBuilder builder, Wanted wanted, KeyPair pair, Optional<Written> authority)
      throws GeneralSecurityException, CertIOException {
    JcaX509ExtensionUtils extensions = new JcaX509ExtensionUtils();
    builder.addExtension(
        Extension.subjectKeyIdentifier,
        false,
        extensions.createSubjectKeyIdentifier(pair.getPublic()));
    if (authority.isPresent()) {
      builder.addExtension(
          Extension.authorityKeyIdentifier,
          false,
          extensions.createAuthorityKeyIdentifier(authority.get().certificate()));
    }
    if (wanted.use() == Use.AUTHORITY) {
      builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(0));
      builder.addExtension(
          Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
      return;
    }
    builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
    builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature));
    builder.addExtension(
        Extension.extendedKeyUsage,
        false,
        new ExtendedKeyUsage(
            wanted.use() == Use.NODE
                ? new KeyPurposeId[] {KeyPurposeId.id_kp_serverAuth, KeyPurposeId.id_kp_clientAuth}
                : new KeyPurposeId[] {KeyPurposeId.id_kp_clientAuth}));
    List<GeneralName> names = new ArrayList<>();
    for (String host : wanted.hosts()) {
      boolean address = NetUtil.createByteArrayFromIpAddressString(host) != null;
      names.add(new GeneralName(address ? GeneralName.iPAddress : GeneralName.dNSName, host));
    }
    if (!names.isEmpty()) {
      builder.addExtension(
          Extension.subjectAlternativeName,
          false,
          new GeneralNames(names.toArray(new GeneralName[0])));
    }
  }

  private static String pem(Object object) {
    StringWriter text = new StringWriter();
    try (JcaPEMWriter writer = new JcaPEMWriter(text)) {
      writer.writeObject(object);
    } catch (IOException e) {
      throw new IllegalStateException("a string takes all that is written", e);
    }
    return text.toString();
  }
}
