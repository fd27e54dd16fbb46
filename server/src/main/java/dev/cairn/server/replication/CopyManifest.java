// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.replication;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;

/**
 * What a copy consists of: the first that who fetches it is told.
 *
 * <pre>
 *   manifest ::= magic:8 format:1 meta files crc32c:4
 *   magic    ::= "CAIRNCPY"
 *   format   ::= 1
 *   meta     ::= length:4 byte*                      to 1 MiB; of the copy's source
 *   files    ::= count:4 (length:2 name:ascii bytes:8)+
 *   crc32c   ::= of all bytes before it
 * </pre>
 *
 * <p>Numbers are big-endian. Invariants:
 *
 * <ol>
 *   <li>A name is one to 255 of {@code A-Z a-z 0-9 . _ -} and does not begin with a dot, so that it
 *       names a file inside the receiver's folder and nothing else.
 *   <li>There is a file: a copy of nothing would be taken for data that is empty.
 *   <li>What {@link #encode} makes {@link #decode} takes, but for {@link #BYTES_MAX}.
 * </ol>
 *
 * @param files each file's name and length in bytes
 */
record CopyManifest(byte[] meta, Map<String, Long> files) {
  /** Of an encoded manifest; who makes one has to look. */
  static final int BYTES_MAX = 16 << 20;

  static final int FILES_MAX = 100_000;
  static final int META_BYTES_MAX = 1 << 20;

  private static final byte[] MAGIC = "CAIRNCPY".getBytes(StandardCharsets.US_ASCII);
  private static final byte FORMAT = 1;
  private static final int HEAD_BYTES = 9;
  private static final int NAME_BYTES_MAX = 255;
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]{0,254}");

  CopyManifest {
    if (meta.length > META_BYTES_MAX) {
      throw new IllegalArgumentException("a copy's meta cannot have " + meta.length + " bytes");
    }
    if (files.isEmpty() || files.size() > FILES_MAX) {
      throw new IllegalArgumentException("a copy cannot have " + files.size() + " files");
    }
    files.forEach(CopyManifest::requireSafe);
    files = Collections.unmodifiableMap(new LinkedHashMap<>(files));
  }

  byte[] encode() {
    int names = files.keySet().stream().mapToInt(String::length).sum();
    ByteBuffer out =
        ByteBuffer.allocate(
            HEAD_BYTES
                + Integer.BYTES
                + meta.length
                + Integer.BYTES
                + files.size() * (Short.BYTES + Long.BYTES)
                + names
                + Integer.BYTES);
    out.put(MAGIC).put(FORMAT);
    out.putInt(meta.length).put(meta).putInt(files.size());
    files.forEach(
        (name, bytes) ->
            out.putShort((short) name.length())
                .put(name.getBytes(StandardCharsets.US_ASCII))
                .putLong(bytes));
    out.putInt(checksum(out.array(), out.position()));
    return out.array();
  }

  /**
   * Reads a manifest.
   *
   * @throws IllegalArgumentException saying what is wrong with it
   */
  static CopyManifest decode(ByteBuffer from) {
    if (from.remaining() > BYTES_MAX) {
      throw new IllegalArgumentException("a copy's manifest is too long: " + from.remaining());
    }
    byte[] bytes = new byte[from.remaining()];
    from.get(bytes);
    ByteBuffer in = ByteBuffer.wrap(bytes);
    try {
      byte[] magic = new byte[MAGIC.length];
      in.get(magic);
      if (!Arrays.equals(magic, MAGIC)) {
        throw new IllegalArgumentException("no manifest of a copy");
      }
      byte format = in.get();
      if (format != FORMAT) {
        throw new IllegalArgumentException(
            "a copy's manifest in format %d, and this node knows %d: upgrade the older node"
                .formatted(format, FORMAT));
      }
      int end = bytes.length - Integer.BYTES;
      if (checksum(bytes, end) != in.getInt(end)) {
        throw new IllegalArgumentException("a copy's manifest has a wrong checksum");
      }
      in.limit(end);
      byte[] meta = new byte[length(in.getInt(), Math.min(in.remaining(), META_BYTES_MAX))];
      in.get(meta);
      Map<String, Long> files = files(in);
      if (in.hasRemaining()) {
        throw new IllegalArgumentException("a copy's manifest is longer than its contents");
      }
      return new CopyManifest(meta, files);
    } catch (BufferUnderflowException | IndexOutOfBoundsException e) {
      throw new IllegalArgumentException("a copy's manifest is cut short", e);
    }
  }

  /** A claimed number of files allocates nothing: the map grows by what is there. */
  private static Map<String, Long> files(ByteBuffer in) {
    int count = length(in.getInt(), FILES_MAX);
    Map<String, Long> files = new LinkedHashMap<>();
    for (int i = 0; i < count; i++) {
      byte[] name = new byte[length(in.getShort(), NAME_BYTES_MAX)];
      in.get(name);
      if (files.put(new String(name, StandardCharsets.ISO_8859_1), in.getLong()) != null) {
        throw new IllegalArgumentException("a copy's manifest names a file twice");
      }
    }
    return files;
  }

  private static int length(int length, int max) {
    if (length < 0 || length > max) {
      throw new IllegalArgumentException(
          "a copy's manifest claims a length of %d, at most %d".formatted(length, max));
    }
    return length;
  }

  private static void requireSafe(String name, long bytes) {
    if (!NAME.matcher(name).matches()) {
      throw new IllegalArgumentException("a copy's file may not be named '" + name + "'");
    }
    if (bytes < 0) {
      throw new IllegalArgumentException(name + " cannot have " + bytes + " bytes");
    }
  }

  private static int checksum(byte[] bytes, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, length);
    return (int) crc.getValue();
  }
}
