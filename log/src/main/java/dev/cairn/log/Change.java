// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

import java.nio.ByteBuffer;

/**
 * One record of the log before it is cut: what changes in a group, or what a segment begins with.
 *
 * <pre>
 *   kind             term            index          payload
 *   1 DATA           of the entry    of the entry   data
 *   2 CONFIGURATION  of the entry    of the entry   configuration, as the group encodes it
 *   3 EMPTY          of the entry    of the entry   none
 *   4 HARD_STATE     highest seen    0              vote, as the group encodes it; empty for nobody
 *   5 MARKER         0               0              who this replica is, as the group encodes it
 *   6 RESET          of the base     of the base    configurationIndex:8 configuration
 *   7 COMPACT        of the base     of the base    configurationIndex:8 configuration
 *   8 TRUNCATE       0               last kept      none
 *   9 COMMIT         0               commit index   none
 *   10 REMOVE        0               0              none
 *   11 GROUP         of the last     last entry     hardTerm:8 commit:8 base:8 baseTerm:8
 *                                                   configurationIndex:8 vote:2 marker:2
 *                                                   configuration:4 and the bytes of these three
 *   12 FILES         0               0              oldest:8 previous:8 begunIn:8 start:1 count:4
 *                                                   and for each copied file
 *                                                   ordinal:8 generation:4 epoch:8 bytes:8
 *   13 PART          as the whole    as the whole   kind:1 from:4 total:4 bytes
 * </pre>
 *
 * An entry takes the place of one with its index, and of all behind it. RESET drops all entries;
 * COMPACT those up to its index. GROUP and FILES stand in the first batch of a segment only.
 *
 * @param payload nobody may change the array
 */
record Change(byte kind, long group, long term, long index, byte[] payload) {
  static final byte DATA = 1;
  static final byte CONFIGURATION = 2;
  static final byte EMPTY = 3;
  static final byte HARD_STATE = 4;
  static final byte MARKER = 5;
  static final byte RESET = 6;
  static final byte COMPACT = 7;
  static final byte TRUNCATE = 8;
  static final byte COMMIT = 9;
  static final byte REMOVE = 10;
  static final byte GROUP = 11;
  static final byte FILES = 12;
  static final byte PART = 13;

  /** Of an entry's data: a value of 16 MiB, its key of 64 KiB, and what stands around them. */
  static final int DATA_BYTES_MAX = (16 << 20) + (128 << 10);

  static final int CONFIGURATION_BYTES_MAX = 64 << 10;
  static final int VOTE_BYTES_MAX = 1 << 10;
  static final int MARKER_BYTES_MAX = 1 << 10;

  /** No payload. */
  static final byte[] NOTHING = new byte[0];

  static boolean isEntry(byte kind) {
    return kind >= DATA && kind <= EMPTY;
  }

  boolean isEntry() {
    return isEntry(kind);
  }

  static Change of(long group, LogEntry entry) {
    byte kind =
        switch (entry.kind()) {
          case DATA -> DATA;
          case CONFIGURATION -> CONFIGURATION;
          case EMPTY -> EMPTY;
        };
    return new Change(kind, group, entry.term(), entry.index(), entry.data());
  }

  LogEntry toEntry() {
    LogEntry.Kind of =
        switch (kind) {
          case DATA -> LogEntry.Kind.DATA;
          case CONFIGURATION -> LogEntry.Kind.CONFIGURATION;
          case EMPTY -> LogEntry.Kind.EMPTY;
          default -> throw new IllegalArgumentException("kind " + kind + " is no entry");
        };
    return new LogEntry(index, term, of, payload);
  }

  static Change ofBase(byte kind, long group, Base base) {
    ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES + base.configuration().length);
    bytes.putLong(base.configurationIndex()).put(base.configuration());
    return new Change(kind, group, base.term(), base.index(), bytes.array());
  }

  Base toBase() {
    ByteBuffer bytes = ByteBuffer.wrap(payload);
    long configurationIndex = bytes.getLong();
    byte[] configuration = new byte[bytes.remaining()];
    bytes.get(configuration);
    return new Base(index, term, configurationIndex, configuration);
  }
}
