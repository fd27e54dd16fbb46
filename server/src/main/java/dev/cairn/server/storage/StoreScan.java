// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.storage;

import dev.cairn.state.ValueRecord;
import java.util.Arrays;
import java.util.Optional;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;

/** Walks over the records of one key space of a database, in the order of keys. For one thread. */
final class StoreScan implements ScannedKey {
  /** Flags, version and expiry of a {@link ValueRecord}. */
  private static final int HEAD_BYTES = 17;

  private final RocksIterator iterator;
  private final byte space;
  private byte[] key;
  private ValueRecord head; // its value is cut short
  private final byte[] headBytes = new byte[HEAD_BYTES];

  /** Creates a walk by an iterator that somebody else closes. */
  StoreScan(RocksIterator iterator, byte space) {
    this.iterator = iterator;
    this.space = space;
  }

  /** As {@link PartitionStore#scan}. */
  Optional<byte[]> run(KeyRange range, int keysMax, Visitor visitor) throws RocksDBException {
    int visited = 0;
    boolean more = true;
    for (iterator.seek(inSpace(range.from())); iterator.isValid(); iterator.next()) {
      byte[] databaseKey = iterator.key();
      if (databaseKey[0] != space) {
        break;
      }
      key = Arrays.copyOfRange(databaseKey, 1, databaseKey.length);
      if (range.endsBefore(key)) {
        break;
      }
      if (!more || visited == keysMax) {
        return Optional.of(key);
      }
      int length = Math.min(iterator.value(headBytes), HEAD_BYTES);
      head = ValueRecord.decode(Arrays.copyOf(headBytes, length));
      more = visitor.visit(this);
      visited++;
    }
    iterator.status();
    return Optional.empty();
  }

  private byte[] inSpace(byte[] userKey) {
    byte[] bytes = new byte[userKey.length + 1];
    bytes[0] = space;
    System.arraycopy(userKey, 0, bytes, 1, userKey.length);
    return bytes;
  }

  @Override
  public byte[] key() {
    return key;
  }

  @Override
  public long version() {
    return head.version();
  }

  @Override
  public long expiresAtMillis() {
    return head.expiresAtMillis();
  }

  @Override
  public ValueRecord record() {
    return ValueRecord.decode(iterator.value());
  }
}
