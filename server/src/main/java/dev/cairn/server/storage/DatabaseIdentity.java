// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.storage;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * Whose data a database holds, inside it, so that a copy of it carries it along. No incarnation:
 * that belongs to a replica, and a copy moves between replicas.
 *
 * <pre>
 *   identity := format:1 partition:4 clusterId:utf8
 *   format   := 2
 * </pre>
 */
record DatabaseIdentity(String clusterId, int partition) {
  private static final byte FORMER_FORMAT = 1;
  private static final byte FORMAT = 2;

  DatabaseIdentity(PartitionIdentity identity) {
    this(identity.clusterId(), identity.partition());
  }

  byte[] encode() {
    byte[] cluster = clusterId.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(5 + cluster.length)
        .put(FORMAT)
        .putInt(partition)
        .put(cluster)
        .array();
  }

  static DatabaseIdentity decode(byte[] bytes, Path folder) {
    if (bytes.length < 6) {
      throw new StorageException("the identity of the database " + folder + " is cut short");
    }
    if (bytes[0] == FORMER_FORMAT) {
      throw new StorageException(StateFile.former("the database " + folder));
    }
    if (bytes[0] != FORMAT) {
      throw new StorageException(
          "the database %s has format %d; this version of Cairn knows %d: start the version that wrote it"
              .formatted(folder, bytes[0], FORMAT));
    }
    return new DatabaseIdentity(
        new String(bytes, 5, bytes.length - 5, StandardCharsets.UTF_8),
        ByteBuffer.wrap(bytes).getInt(1));
  }

  void check(PartitionIdentity expected, Path folder) {
    if (!equals(new DatabaseIdentity(expected))) {
      throw new StorageException(
          "the database %s holds cluster %s, partition %d, not %s: it is not opened"
              .formatted(folder, clusterId, partition, expected));
    }
  }
}
