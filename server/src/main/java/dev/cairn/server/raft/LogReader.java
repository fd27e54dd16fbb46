// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import org.rocksdb.Range;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.SizeApproximationFlag;
import org.rocksdb.Slice;

/** What is read of the log's database as a whole: by the node when it opens it, and by the dump. */
final class LogReader {
  private LogReader() {}

  static void checkFormat(Path folder, int format) {
    if (format != LogRows.FORMAT) {
      throw new ForeignLogException(
          "The write-ahead log in "
              + folder
              + " has format "
              + format
              + "; this node reads format "
              + LogRows.FORMAT
              + ". Start the release that wrote it, or a newer one.");
    }
  }

  /** All groups and their numbers. */
  static Map<String, Integer> directory(RocksDB database) throws RocksDBException {
    Map<String, Integer> numbers = new HashMap<>();
    byte[] end = {LogRows.GROUP + 1};
    scan(
        database,
        new byte[] {LogRows.GROUP},
        end,
        (key, row) -> numbers.put(LogRows.directoryName(key), LogRows.readInt(key, row)));
    return numbers;
  }

  /** What the database has of a group, its first and last rows checked. */
  static GroupLog.Loaded group(RocksDB database, int number) throws RocksDBException {
    byte[] firstKey = LogRows.key(LogRows.FIRST, number);
    byte[] firstRow = database.get(firstKey);
    long first = firstRow == null ? 1 : LogRows.readLong(firstKey, firstRow);
    byte[] markerKey = LogRows.key(LogRows.INCARNATION, number);
    byte[] markerRow = database.get(markerKey);
    long incarnation = markerRow == null ? 0 : LogRows.readLong(markerKey, markerRow);
    byte[] from = LogRows.key(LogRows.ENTRY, number, first);
    byte[] end = LogRows.end(LogRows.ENTRY, number);
    long last = first - 1;
    try (RocksIterator rows = database.newIterator()) {
      rows.seekForPrev(end);
      rows.status();
      if (rows.isValid() && LogRows.isIndexed(rows.key(), LogRows.ENTRY, number)) {
        last = LogRows.index(rows.key());
        rows.seek(from);
        rows.status();
        if (!rows.isValid() || !Arrays.equals(rows.key(), from)) {
          throw LogRows.bad(from, "is missing at the start of a log that ends at " + last, null);
        }
      }
    }
    long bytes = last < first ? 0 : approximateBytes(database, from, end);
    return new GroupLog.Loaded(first, last, bytes, incarnation, true);
  }

  private static long approximateBytes(RocksDB database, byte[] from, byte[] end) {
    try (Slice start = new Slice(from);
        Slice limit = new Slice(end)) {
      return database
          .getApproximateSizes(
              List.of(new Range(start, limit)),
              SizeApproximationFlag.INCLUDE_FILES,
              SizeApproximationFlag.INCLUDE_MEMTABLES)[0];
    }
  }

  /** Visits the rows of [from, end). An iterator that ends by an error throws it. */
  static void scan(RocksDB database, byte[] from, byte[] end, BiConsumer<byte[], byte[]> visitor)
      throws RocksDBException {
    try (RocksIterator rows = database.newIterator()) {
      for (rows.seek(from);
          rows.isValid() && Arrays.compareUnsigned(rows.key(), end) < 0;
          rows.next()) {
        visitor.accept(rows.key(), rows.value());
      }
      rows.status();
    }
  }
}
