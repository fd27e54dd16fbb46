// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import com.alipay.sofa.jraft.entity.RaftOutter.SnapshotMeta;
import com.google.protobuf.InvalidProtocolBufferException;
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
 * What a snapshot consists of: the first that a receiver asks for.
 *
 * <pre>
 *   manifest := magic:8 format:1 flags:1 meta files crc32c:4
 *   magic    := "CAIRNSNP"
 *   format   := 1
 *   flags    := bit 0: there is data; every other bit must be 0
 *   meta     := length:4 SnapshotMeta in protobuf
 *   files    := count:4 (length:2 name:ascii bytes:8)*        none without data
 *   crc32c   := of all bytes before it
 * </pre>
 *
 * Numbers are big-endian. A name is one to 255 of {@code A-Z a-z 0-9 . _ -} and does not begin with
 * a dot, so that it names a file inside the receiver's folder and nothing else.
 *
 * @param files each file's name and length in bytes
 */
record SnapshotManifest(boolean hasData, SnapshotMeta meta, Map<String, Long> files) {
  static final int BYTES_MAX = 16 << 20;
  static final int FILES_MAX = 100_000;

  private static final byte[] MAGIC = "CAIRNSNP".getBytes(StandardCharsets.US_ASCII);
  private static final byte FORMAT = 1;
  private static final byte HAS_DATA = 1;
  private static final int META_BYTES_MAX = 1 << 20;
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]{0,254}");

  SnapshotManifest {
    if (files.size() > FILES_MAX || (!hasData && !files.isEmpty())) {
      throw new IllegalArgumentException("a snapshot cannot have " + files.size() + " files");
    }
    files.keySet().forEach(SnapshotManifest::requireSafe);
    files = Collections.unmodifiableMap(new LinkedHashMap<>(files));
  }

  byte[] encode() {
    byte[] metaBytes = meta.toByteArray();
    int names = files.keySet().stream().mapToInt(String::length).sum();
    ByteBuffer out = ByteBuffer.allocate(14 + metaBytes.length + 4 + files.size() * 10 + names + 4);
    out.put(MAGIC).put(FORMAT).put(hasData ? HAS_DATA : 0);
    out.putInt(metaBytes.length).put(metaBytes).putInt(files.size());
    files.forEach(
        (name, bytes) ->
            out.putShort((short) name.length())
                .put(name.getBytes(StandardCharsets.US_ASCII))
                .putLong(bytes));
    out.putInt(checksum(out.array(), out.position()));
    return out.array();
  }

  /**
   * @throws IllegalArgumentException saying what is wrong with it
   */
  static SnapshotManifest decode(byte[] bytes) {
    ByteBuffer in = ByteBuffer.wrap(bytes);
    try {
      byte[] magic = new byte[MAGIC.length];
      in.get(magic);
      byte format = in.get();
      if (!Arrays.equals(magic, MAGIC) || format != FORMAT) {
        throw new IllegalArgumentException(
            "a snapshot's manifest in format %d, and this node knows %d: upgrade the older node"
                .formatted(format, FORMAT));
      }
      if (checksum(bytes, bytes.length - 4) != in.getInt(bytes.length - Integer.BYTES)) {
        throw new IllegalArgumentException("a snapshot's manifest has a wrong checksum");
      }
      in.limit(bytes.length - Integer.BYTES);
      byte flags = in.get();
      if ((flags & ~HAS_DATA) != 0) {
        throw new IllegalArgumentException("a snapshot's manifest has unknown flags " + flags);
      }
      byte[] meta = new byte[length(in.getInt(), Math.min(in.remaining(), META_BYTES_MAX))];
      in.get(meta);
      int count = length(in.getInt(), FILES_MAX);
      Map<String, Long> files = new LinkedHashMap<>();
      for (int i = 0; i < count; i++) {
        byte[] name = new byte[length(in.getShort(), 255)];
        in.get(name);
        long size = in.getLong();
        if (size < 0 || files.put(new String(name, StandardCharsets.ISO_8859_1), size) != null) {
          throw new IllegalArgumentException("a snapshot's manifest names a file twice");
        }
      }
      if (in.hasRemaining()) {
        throw new IllegalArgumentException("a snapshot's manifest is longer than its contents");
      }
      return new SnapshotManifest(flags == HAS_DATA, SnapshotMeta.parseFrom(meta), files);
    } catch (BufferUnderflowException | IndexOutOfBoundsException e) {
      throw new IllegalArgumentException("a snapshot's manifest is cut short", e);
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalArgumentException("a snapshot's manifest has a damaged meta", e);
    }
  }

  private static int length(int length, int max) {
    if (length < 0 || length > max) {
      throw new IllegalArgumentException(
          "a snapshot's manifest claims a length of %d, at most %d".formatted(length, max));
    }
    return length;
  }

  private static void requireSafe(String name) {
    if (!NAME.matcher(name).matches()) {
      throw new IllegalArgumentException("a snapshot's file may not be named '" + name + "'");
    }
  }

  private static int checksum(byte[] bytes, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, length);
    return (int) crc.getValue();
  }
}
