// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.alipay.sofa.jraft.conf.Configuration;
import com.alipay.sofa.jraft.entity.EnumOutter.EntryType;
import com.alipay.sofa.jraft.entity.LogEntry;
import com.alipay.sofa.jraft.entity.PeerId;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * The rows of the write-ahead log, byte for byte (docs/reference/formats.md repeats it).
 *
 * <pre>
 *   all numbers big-endian; name:4 is a number of 4 bytes
 *
 *   key                    value
 *   'V'                    format:4                     format of the whole log, 1
 *   'G' name:utf8          row(group:4)                 directory: a group's number
 *   'F' group:4            row(index:8)                 first index; without the row it is 1
 *   'M' group:4            row(term:8 vote:utf8)        term and vote, always together
 *   'R' group:4            row(incarnation:8)           the replica's marker
 *   'L' group:4 index:8    row(entry)                   every entry
 *   'C' group:4 index:8    row(entry)                   configuration entries once more
 *
 *   row(body)  =  version:1 crc32c:4 body               version 1; crc32c over key, version, body
 *   entry      =  JRaft's LogEntry in its V2 encoding (magic BB D2, version 1, protobuf)
 * </pre>
 *
 * The checksum covers the key, so that a row that answers for another's key is found as well. It is
 * ours and not JRaft's {@code enableLogEntryChecksum}, which covers neither the group nor the rows
 * that are no entries. The V2 encoding ({@link EntryBytes}) is fixed here, whatever codec a node's
 * options name: the version byte says which one a row has.
 */
final class LogRows {
  static final int FORMAT = 1;
  static final byte[] FORMAT_KEY = {'V'};
  static final byte GROUP = 'G';
  static final byte FIRST = 'F';
  static final byte META = 'M';
  static final byte INCARNATION = 'R';
  static final byte ENTRY = 'L';
  static final byte CONFIGURATION = 'C';

  private static final byte VERSION = 1;
  private static final int HEADER_BYTES = 1 + 4;

  private LogRows() {}

  /** {@code 'G' name}. */
  static byte[] directoryKey(String group) {
    byte[] name = group.getBytes(UTF_8);
    return ByteBuffer.allocate(1 + name.length).put(GROUP).put(name).array();
  }

  /** The name in a directory key. */
  static String directoryName(byte[] key) {
    return new String(key, 1, key.length - 1, UTF_8);
  }

  /** {@code tag group}. */
  static byte[] key(byte tag, int group) {
    return ByteBuffer.allocate(5).put(tag).putInt(group).array();
  }

  /** {@code tag group index}. */
  static byte[] key(byte tag, int group, long index) {
    return ByteBuffer.allocate(13).put(tag).putInt(group).putLong(index).array();
  }

  /** Whether a key is {@code tag group index}. */
  static boolean isIndexed(byte[] key, byte tag, int group) {
    return key.length == 13 && key[0] == tag && ByteBuffer.wrap(key).getInt(1) == group;
  }

  /** The index in a key {@code tag group index}. */
  static long index(byte[] key) {
    return ByteBuffer.wrap(key).getLong(5);
  }

  static byte[] number(byte[] key, int number) {
    return row(key, ByteBuffer.allocate(4).putInt(number).array());
  }

  static byte[] number(byte[] key, long number) {
    return row(key, ByteBuffer.allocate(8).putLong(number).array());
  }

  static int readInt(byte[] key, byte[] row) {
    return body(key, row, 4).getInt();
  }

  static long readLong(byte[] key, byte[] row) {
    return body(key, row, 8).getLong();
  }

  static byte[] vote(byte[] key, Vote vote) {
    byte[] peer = vote.votedFor().getBytes(UTF_8);
    return row(key, ByteBuffer.allocate(8 + peer.length).putLong(vote.term()).put(peer).array());
  }

  static Vote readVote(byte[] key, byte[] row) {
    ByteBuffer body = body(key, row);
    if (body.remaining() < 8) {
      throw bad(key, "is too short", null);
    }
    return new Vote(body.getLong(), UTF_8.decode(body).toString());
  }

  static byte[] entry(byte[] key, LogEntry entry) {
    return sealed(key, EntryBytes.encode(entry, HEADER_BYTES));
  }

  /**
   * Reads an entry and checks that it is the one that its key names. Its data is a part of the row,
   * which must not be changed any more.
   */
  static LogEntry readEntry(byte[] key, byte[] row) {
    check(key, row);
    LogEntry entry = EntryBytes.decode(row, HEADER_BYTES);
    if (entry == null || entry.getId().getIndex() != index(key)) {
      throw bad(key, "holds no entry of this index", null);
    }
    return entry;
  }

  static StoredEntry describe(LogEntry entry) {
    byte[] data = new byte[0];
    if (entry.getData() != null) {
      data = new byte[entry.getData().remaining()];
      entry.getReadOnlyData().get(data);
    }
    boolean configuration = entry.getType() == EntryType.ENTRY_TYPE_CONFIGURATION;
    StoredEntry.Kind kind =
        configuration
            ? StoredEntry.Kind.CONFIGURATION
            : entry.getType() == EntryType.ENTRY_TYPE_DATA
                ? StoredEntry.Kind.DATA
                : StoredEntry.Kind.NO_OP;
    return new StoredEntry(
        entry.getId().getIndex(),
        entry.getId().getTerm(),
        kind,
        kind == StoredEntry.Kind.DATA ? data : new byte[0],
        configuration ? configurationText(entry) : "");
  }

  private static String configurationText(LogEntry entry) {
    String text = new Configuration(entry.getPeers(), entry.getLearners()).toString();
    return entry.getOldPeers() == null
        ? text
        : text + " from " + new Configuration(entry.getOldPeers(), entry.getOldLearners());
  }

  private static byte[] row(byte[] key, byte[] body) {
    byte[] row = new byte[HEADER_BYTES + body.length];
    System.arraycopy(body, 0, row, HEADER_BYTES, body.length);
    return sealed(key, row);
  }

  /** Puts version and checksum before a body. */
  private static byte[] sealed(byte[] key, byte[] row) {
    row[0] = VERSION;
    ByteBuffer.wrap(row).putInt(1, checksum(key, row));
    return row;
  }

  private static ByteBuffer body(byte[] key, byte[] row, int bytes) {
    ByteBuffer body = body(key, row);
    if (body.remaining() != bytes) {
      throw bad(key, "has " + body.remaining() + " bytes instead of " + bytes, null);
    }
    return body;
  }

  private static ByteBuffer body(byte[] key, byte[] row) {
    check(key, row);
    return ByteBuffer.wrap(row, HEADER_BYTES, row.length - HEADER_BYTES);
  }

  private static void check(byte[] key, byte[] row) {
    if (row.length < HEADER_BYTES) {
      throw bad(key, "is too short", null);
    }
    if (row[0] != VERSION) {
      throw bad(key, "has version " + row[0] + "; this node reads version " + VERSION, null);
    }
    if (ByteBuffer.wrap(row).getInt(1) != checksum(key, row)) {
      throw bad(key, "does not match its checksum", null);
    }
  }

  private static int checksum(byte[] key, byte[] row) {
    CRC32C crc = new CRC32C();
    crc.update(key);
    crc.update(row, 0, 1);
    crc.update(row, HEADER_BYTES, row.length - HEADER_BYTES);
    return (int) crc.getValue();
  }

  static LogDamagedException bad(byte[] key, String what, Throwable cause) {
    return new LogDamagedException("Log row " + keyText(key) + " " + what, cause);
  }

  private static String keyText(byte[] key) {
    if (key[0] == GROUP) {
      return "G " + directoryName(key);
    }
    ByteBuffer rest = ByteBuffer.wrap(key, 1, key.length - 1);
    StringBuilder text = new StringBuilder().append((char) key[0]);
    if (rest.remaining() >= 4) {
      text.append(" group ").append(rest.getInt());
    }
    if (rest.remaining() == 8) {
      text.append(" index ").append(rest.getLong());
    }
    return text.toString();
  }

  /** The first key that is greater than every {@code tag group index}. */
  static byte[] end(byte tag, int group) {
    byte[] key = key(tag, group, 0);
    Arrays.fill(key, 5, 13, (byte) 0xff);
    return key;
  }

  /**
   * Term and vote of a group.
   *
   * @param votedFor a peer as JRaft writes it; its empty peer where nobody was voted for
   */
  record Vote(long term, String votedFor) {
    /** Empty for nobody. */
    Optional<String> peer() {
      boolean nobody = votedFor.isEmpty() || votedFor.equals(PeerId.emptyPeer().toString());
      return nobody ? Optional.empty() : Optional.of(votedFor);
    }
  }
}
