// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.storage;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * How far a partition's data is: written in the same batch as the data, so that a crash neither
 * loses nor repeats an operation.
 *
 * <pre>
 *   row    := format:1 index:8 term:8 operationCounter:8 keyCount:8 partitionTimeMillis:8
 *             peers oldPeers learners
 *   peers, oldPeers, learners := count:2 (length:2 utf8)*
 *   format := 1
 * </pre>
 *
 * Numbers are big-endian; nothing may follow.
 *
 * @param index the last log entry that is in the data; 0 before the first
 * @param term that entry's term
 * @param operationCounter how many operations changed something, ever; gives keys their version
 * @param keyCount how many keys the partition holds
 * @param partitionTimeMillis milliseconds since 1970 by the log, never backwards
 * @param peers voters at that index
 * @param oldPeers voters of the configuration that is being left; empty when none is
 * @param learners members without a vote
 */
public record AppliedRow(
    long index,
    long term,
    long operationCounter,
    long keyCount,
    long partitionTimeMillis,
    List<String> peers,
    List<String> oldPeers,
    List<String> learners) {
  /** Nothing applied yet. */
  public static final AppliedRow EMPTY =
      new AppliedRow(0, 0, 0, 0, 0, List.of(), List.of(), List.of());

  private static final byte FORMAT = 1;
  private static final int MEMBERS_MAX = 1000;
  private static final int NAME_BYTES_MAX = 512;

  public AppliedRow {
    peers = List.copyOf(peers);
    oldPeers = List.copyOf(oldPeers);
    learners = List.copyOf(learners);
  }

  byte[] encode() {
    List<List<byte[]>> lists = new ArrayList<>(3);
    int size = 1 + 5 * Long.BYTES;
    for (List<String> names : List.of(peers, oldPeers, learners)) {
      if (names.size() > MEMBERS_MAX) {
        throw new IllegalArgumentException(names.size() + " members, at most " + MEMBERS_MAX);
      }
      List<byte[]> encoded = new ArrayList<>(names.size());
      size += Short.BYTES;
      for (String name : names) {
        byte[] utf8 = name.getBytes(StandardCharsets.UTF_8);
        if (utf8.length > NAME_BYTES_MAX) {
          throw new IllegalArgumentException("a member's name is too long: " + name);
        }
        encoded.add(utf8);
        size += Short.BYTES + utf8.length;
      }
      lists.add(encoded);
    }
    ByteBuffer out = ByteBuffer.allocate(size);
    out.put(FORMAT).putLong(index).putLong(term).putLong(operationCounter);
    out.putLong(keyCount).putLong(partitionTimeMillis);
    for (List<byte[]> names : lists) {
      out.putShort((short) names.size());
      names.forEach(name -> out.putShort((short) name.length).put(name));
    }
    return out.array();
  }

  static AppliedRow decode(byte[] bytes) {
    ByteBuffer in = ByteBuffer.wrap(bytes);
    try {
      byte format = in.get();
      if (format != FORMAT) {
        throw new StorageException(
            "the applied row has format %d; this version of Cairn knows %d: start the version that wrote it"
                .formatted(format, FORMAT));
      }
      AppliedRow row =
          new AppliedRow(
              in.getLong(),
              in.getLong(),
              in.getLong(),
              in.getLong(),
              in.getLong(),
              names(in),
              names(in),
              names(in));
      if (in.hasRemaining()) {
        throw new StorageException("the applied row is followed by " + in.remaining() + " bytes");
      }
      return row;
    } catch (BufferUnderflowException e) {
      throw new StorageException("the applied row of " + bytes.length + " bytes is cut short");
    }
  }

  private static List<String> names(ByteBuffer in) {
    int count = in.getShort();
    if (count < 0 || count > MEMBERS_MAX) {
      throw new StorageException("the applied row names " + count + " members");
    }
    List<String> names = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int length = in.getShort();
      if (length < 0 || length > NAME_BYTES_MAX) {
        throw new StorageException("the applied row has a name of " + length + " bytes");
      }
      byte[] utf8 = new byte[length];
      in.get(utf8);
      names.add(new String(utf8, StandardCharsets.UTF_8));
    }
    return names;
  }
}
