// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import java.util.Map;
import java.util.TreeMap;

/**
 * About how many bytes a group's entries are, without asking the database: one mark each mebibyte
 * of log, straight lines between them. Thread-safe.
 */
final class LogSize {
  private static final long STEP_BYTES = 1 << 20;

  /** Index to the bytes of all entries before it, counted from an arbitrary start. */
  private final TreeMap<Long, Long> bytesBefore = new TreeMap<>();

  private long next;
  private long endBytes;

  LogSize(long first, long last, long bytes) {
    next = last + 1;
    endBytes = last < first ? 0 : bytes;
    bytesBefore.put(first, 0L);
  }

  synchronized void append(long last, long bytes) {
    next = last + 1;
    endBytes += bytes;
    if (endBytes - bytesBefore.lastEntry().getValue() >= STEP_BYTES) {
      bytesBefore.put(next, endBytes);
    }
  }

  synchronized void truncatePrefix(long first) {
    long before = first >= next ? endBytes : bytesBefore(first);
    next = Math.max(next, first);
    bytesBefore.headMap(first, false).clear();
    bytesBefore.put(first, before);
  }

  synchronized void truncateSuffix(long last) {
    endBytes = bytesBefore(last + 1);
    next = last + 1;
    bytesBefore.tailMap(next, false).clear();
  }

  synchronized void reset(long first) {
    bytesBefore.clear();
    bytesBefore.put(first, 0L);
    next = first;
    endBytes = 0;
  }

  synchronized long bytes() {
    return endBytes - bytesBefore.firstEntry().getValue();
  }

  private long bytesBefore(long index) {
    Map.Entry<Long, Long> from = bytesBefore.floorEntry(index);
    Map.Entry<Long, Long> to = bytesBefore.higherEntry(index);
    long toIndex = to == null ? next : to.getKey();
    long toBytes = to == null ? endBytes : to.getValue();
    if (toIndex <= from.getKey()) {
      return toBytes;
    }
    double part = (double) (index - from.getKey()) / (toIndex - from.getKey());
    return from.getValue() + Math.round(part * (toBytes - from.getValue()));
  }
}
