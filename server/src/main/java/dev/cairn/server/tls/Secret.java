// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.tls;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * The secret that all nodes of a cluster have, and how one proves to another that it has it.
 *
 * <pre>
 *   proof ::= HMAC-SHA256(secret, "cairn peer 1" role:1 accepting:32 connecting:32 nonce:32 nonce:32)
 *   role  ::= 1 the connecting node proves | 2 the accepting one does
 * </pre>
 *
 * <p>{@code accepting} and {@code connecting} are the SHA-256 fingerprints of the two certificates
 * of the TLS connection, as the end that computes sees them; the nonces are the accepting node's
 * and the connecting one's. Who stands between two nodes has certificates of its own, so that what
 * it passes on proves nothing. The role keeps a node from being shown its own proof.
 *
 * <p>Invariant: proofs are compared in constant time, and the secret leaves this class in none of
 * its forms.
 */
final class Secret {
  static final int NONCE_BYTES = 32;
  static final int PROOF_BYTES = 32;
  static final byte CONNECTING = 1;
  static final byte ACCEPTING = 2;

  /** Who connects may try secrets at home: a short one would be found. */
  private static final int BYTES_MIN = 16;

  private static final byte[] LABEL = "cairn peer 1".getBytes(StandardCharsets.US_ASCII);
  private static final String ALGORITHM = "HmacSHA256";

  private final SecretKeySpec key;

  private Secret(byte[] secret) {
    key = new SecretKeySpec(secret, ALGORITHM);
  }

  /** Reads it: the file's bytes, without the blanks around them. */
  static Secret read(Path file) throws TlsException {
    byte[] bytes = stripped(SmallFile.readPrivate(file));
    if (bytes.length < BYTES_MIN) {
      throw new TlsException(
          "the secret in %s has %d bytes, at least %d are needed: make one with  openssl rand -hex 32 > %s"
              .formatted(file, bytes.length, BYTES_MIN, file));
    }
    return new Secret(bytes);
  }

  /** The text of a private file, without the blanks around it. */
  static char[] line(Path file) throws TlsException {
    return StandardCharsets.UTF_8
        .decode(ByteBuffer.wrap(stripped(SmallFile.readPrivate(file))))
        .toString()
        .toCharArray();
  }

  private static byte[] stripped(byte[] bytes) {
    int from = 0;
    int to = bytes.length;
    while (from < to && isBlank(bytes[from])) {
      from++;
    }
    while (to > from && isBlank(bytes[to - 1])) {
      to--;
    }
    return Arrays.copyOfRange(bytes, from, to);
  }

  private static boolean isBlank(byte value) {
    return value == ' ' || value == '\t' || value == '\r' || value == '\n';
  }

  /** What proves it for one connection. */
  byte[] proof(byte role, Ends ends) {
    try {
      Mac mac = Mac.getInstance(ALGORITHM);
      mac.init(key);
      mac.update(LABEL);
      mac.update(role);
      mac.update(ends.accepting());
      mac.update(ends.connecting());
      mac.update(ends.acceptingNonce());
      return mac.doFinal(ends.connectingNonce());
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK has " + ALGORITHM, e);
    }
  }

  boolean proves(byte[] proof, byte role, Ends ends) {
    return MessageDigest.isEqual(proof, proof(role, ends));
  }

  /** Both ends of a connection, as one of them sees them. */
  record Ends(byte[] accepting, byte[] connecting, byte[] acceptingNonce, byte[] connectingNonce) {}
}
