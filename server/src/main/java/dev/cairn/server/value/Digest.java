// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.value;

import com.dynatrace.hash4j.hashing.Hasher64;
import com.dynatrace.hash4j.hashing.Hashing;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/** The digest of a value as Redis 8.4 has it: XXH3 with 64 bits and seed 0, 16 digits in hex. */
public final class Digest {
  /** How many digits a digest has. */
  public static final int LENGTH = 16;

  private static final Hasher64 XXH3 = Hashing.xxh3_64();

  private Digest() {}

  /** The digest of a value, in lower case. */
  public static String of(byte[] value) {
    return HexFormat.of().toHexDigits(XXH3.hashBytesToLong(value));
  }

  /** Whether the text is this value's digest, in either case. */
  public static boolean matches(byte[] value, byte[] text) {
    return of(value).equalsIgnoreCase(new String(text, StandardCharsets.ISO_8859_1));
  }
}
