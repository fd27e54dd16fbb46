// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.access;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collection;
import java.util.HexFormat;

/**
 * Passwords as Redis keeps them: SHA-256 of the bytes, 64 hex digits in small letters, without
 * salt. So a password must be long and random (ACL GENPASS), not one that a person made up.
 */
public final class Passwords {
  private static final String HASH = "[0-9a-f]{64}";

  private Passwords() {}

  /** What is kept of a password. */
  public static String hash(byte[] password) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(password));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  static boolean isHash(String text) {
    return text.matches(HASH);
  }

  /** Whether a hash is among others, in a time that tells nothing of where they differ. */
  static boolean isAmong(String hash, Collection<String> hashes) {
    byte[] wanted = hash.getBytes(StandardCharsets.US_ASCII);
    boolean found = false;
    for (String one : hashes) {
      found |= MessageDigest.isEqual(wanted, one.getBytes(StandardCharsets.US_ASCII));
    }
    return found;
  }
}
