// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.storage;

import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * The one file that says what counts in a partition's folder: whose data it is, which generation of
 * the database, up to which snapshot. It is replaced whole, so switching to a received database and
 * to its snapshot's meta is one step.
 *
 * <pre>
 *   state    := magic:8 format:1 generation:8 identity meta crc32c:4
 *   magic    := "CAIRNPST"
 *   format   := 2
 *   identity := length:2 clusterId:utf8 partition:4 incarnation:8
 *   meta     := 0:1 | 1:1 length:4 bytes
 *   crc32c   := of all bytes before it
 * </pre>
 *
 * Numbers are big-endian. Generation 0 means that the folder holds no data on purpose (a witness).
 *
 * @param meta the last durable snapshot's meta, opaque here; null before the first
 */
record StateFile(long generation, PartitionIdentity identity, byte[] meta) {
  static final String NAME = "state";
  static final int META_BYTES_MAX = 1 << 20;

  private static final byte[] MAGIC = "CAIRNPST".getBytes(StandardCharsets.US_ASCII);
  private static final byte FORMER_FORMAT = 1;
  private static final byte FORMAT = 2;

  StateFile {
    if (meta != null && meta.length > META_BYTES_MAX) {
      throw new IllegalArgumentException(
          "a snapshot's meta has at most %d bytes: %d".formatted(META_BYTES_MAX, meta.length));
    }
  }

  /** The state in a folder, if it has one; refuses another identity's, naming both. */
  static Optional<StateFile> load(Path folder, PartitionIdentity expected) throws IOException {
    Path file = folder.resolve(NAME);
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    StateFile state = decode(Files.readAllBytes(file), file);
    if (!state.identity.equals(expected)) {
      throw new StorageException(
          "%s holds the data of %s, not of %s: start the node with the right data folder, or move this one away"
              .formatted(folder, state.identity, expected));
    }
    return Optional.of(state);
  }

  void save(Path folder) throws IOException {
    DurableFiles.replace(folder.resolve(NAME), encode());
  }

  Optional<byte[]> snapshotMeta() {
    return Optional.ofNullable(meta).map(byte[]::clone);
  }

  byte[] encode() {
    byte[] cluster = identity.clusterId().getBytes(StandardCharsets.UTF_8);
    int metaSize = meta == null ? 1 : 5 + meta.length;
    ByteBuffer out = ByteBuffer.allocate(17 + 14 + cluster.length + metaSize + 4);
    out.put(MAGIC).put(FORMAT).putLong(generation);
    out.putShort((short) cluster.length).put(cluster);
    out.putInt(identity.partition()).putLong(identity.incarnation());
    if (meta == null) {
      out.put((byte) 0);
    } else {
      out.put((byte) 1).putInt(meta.length).put(meta);
    }
    out.putInt(checksum(out.array(), out.position()));
    return out.array();
  }

  static StateFile decode(byte[] bytes, Path file) {
    ByteBuffer in = ByteBuffer.wrap(bytes);
    try {
      byte[] magic = new byte[MAGIC.length];
      in.get(magic);
      if (!Arrays.equals(magic, MAGIC)) {
        throw new StorageException(file + " is no state file of a Cairn partition");
      }
      byte format = in.get();
      if (format == FORMER_FORMAT) {
        throw new StorageException(former(file.toString()));
      }
      if (format != FORMAT) {
        throw new StorageException(
            "%s has format %d; this version of Cairn knows %d: start the version that wrote it"
                .formatted(file, format, FORMAT));
      }
      if (bytes.length < 21
          || checksum(bytes, bytes.length - 4) != in.getInt(bytes.length - Integer.BYTES)) {
        throw damaged(file);
      }
      in.limit(bytes.length - Integer.BYTES);
      long generation = in.getLong();
      byte[] cluster = new byte[Short.toUnsignedInt(in.getShort())];
      in.get(cluster);
      PartitionIdentity identity =
          new PartitionIdentity(
              new String(cluster, StandardCharsets.UTF_8), in.getInt(), in.getLong());
      byte[] meta = null;
      if (in.get() == 1) {
        meta = new byte[Math.min(in.getInt(), in.remaining())];
        in.get(meta);
      }
      if (in.hasRemaining()) {
        throw damaged(file);
      }
      return new StateFile(generation, identity, meta);
    } catch (BufferUnderflowException | IllegalArgumentException | NegativeArraySizeException e) {
      throw damaged(file);
    }
  }

  /** What is said of data that an earlier version of Cairn wrote in another form. */
  static String former(String what) {
    return what
        + " was written by an earlier version of Cairn in a form that this one does not read: start"
        + " that version, write the data out with './cairn export', and bring it into a new data"
        + " folder with './cairn import'";
  }

  private static StorageException damaged(Path file) {
    return new StorageException(
        file + " is damaged: remove the partition's folder and let the replica be rebuilt",
        StorageException.Kind.DAMAGED);
  }

  private static int checksum(byte[] bytes, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, length);
    return (int) crc.getValue();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof StateFile that
        && generation == that.generation
        && identity.equals(that.identity)
        && Arrays.equals(meta, that.meta);
  }

  @Override
  public int hashCode() {
    return Long.hashCode(generation);
  }
}
