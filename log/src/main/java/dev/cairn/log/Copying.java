// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * Copies the entries of a segment that groups still need into a file of their own, so that one
 * group that lags does not keep all segments.
 *
 * <p>A copied file stands for its segment: it has the segment's ordinal, and of its entries those
 * that were needed when it was made, in their order. A copy of a copied file stands for the same
 * segment, under the next generation.
 *
 * <ol>
 *   <li>A copied file is synced before a segment's first batch counts it, and that batch is synced
 *       before the source is used again. A copy that no segment counts is a leftover: its source is
 *       still there.
 *   <li>A copy has no say but of entries that the oldest segment's first batch has in its range. So
 *       what the log truncated, reset or removed before that does not come back.
 *   <li>What was truncated later may be missing in a copy, or an older entry of its index be there:
 *       the log from the oldest segment on says so, and takes both away.
 *   <li>A segment that has a part of an append which is not whole is not copied: its entries are
 *       not known yet.
 *   <li>One file is copied into one file. So the copies of a group, by ordinal, are in the order in
 *       which the log had them.
 * </ol>
 *
 * (tikv/raft-engine copies into one queue for all and keeps removals apart from entries. Entries
 * came back after a removal, a removal took away what came after it, and half a copy of copies hid
 * what it was made from: its issues 54, 141, 142 and 288.)
 */
final class Copying {
  private static final int READ_BYTES = 1 << 20;

  private final Segment source;

  /** Of each group: the first and the last index to copy. */
  private final TreeMap<Long, long[]> ranges = new TreeMap<>();

  private final Map<Long, Copied> copied = new HashMap<>();
  private long copiedEntries;
  private final BatchBuffer buffer = new BatchBuffer();

  private Copying(Segment source) {
    this.source = source;
  }

  /** What is worth copying next; null for nothing. Called under the log's lock. */
  static Copying next(
      Map<Long, GroupState> groups,
      NavigableMap<Long, Segment> chain,
      NavigableMap<Long, Segment> copies,
      long begunIn,
      LogSettings settings) {
    Copying oldest = null;
    for (Segment segment : chain.values()) {
      int left = chain.tailMap(segment.ordinal(), true).size();
      boolean cut = begunIn != 0 && segment.ordinal() >= begunIn;
      if (cut || left <= settings.segmentsMax()) {
        break;
      }
      if (!copies.containsKey(segment.ordinal())) {
        oldest = new Copying(segment).of(groups);
        if (!oldest.ranges.isEmpty()) {
          return oldest;
        }
      }
    }
    for (Segment copy : copies.values()) {
      Copying again = new Copying(copy).of(groups);
      if (!again.ranges.isEmpty() && again.entries() < copy.entries() / 2) {
        return again;
      }
    }
    return null;
  }

  private Copying of(Map<Long, GroupState> groups) {
    groups.forEach(
        (id, group) -> {
          long ordinal = source.ordinal();
          long first = Math.max(group.base().index() + 1, group.positions().firstIn(ordinal));
          long last = group.positions().lastIn(ordinal, group.last());
          if (last >= first) {
            ranges.put(id, new long[] {first, last});
          }
        });
    return this;
  }

  private long entries() {
    return ranges.values().stream().mapToLong(range -> range[1] - range[0] + 1).sum();
  }

  /** What was copied of a group. */
  private static final class Copied {
    private final Positions positions = new Positions();
    private long last;

    void add(LogEntry entry, long place) {
      positions.add(entry.index(), entry.term(), place, 0);
      last = entry.index();
    }
  }

  /** Writes the copy and syncs it. */
  Segment run(Log log, LogFiles files, LogSettings settings, long id, long epoch)
      throws IOException {
    int generation = source.generation() + 1;
    String name = Segment.copyName(source.ordinal(), generation);
    files.delete(name); // left of a copy that failed for want of room
    LogFile file = files.create(name, 0);
    try {
      Output output = new Output(file, settings, id, epoch);
      for (Map.Entry<Long, long[]> range : ranges.entrySet()) {
        copy(log, range.getKey(), range.getValue()[0], range.getValue()[1], output);
      }
      output.end();
      file.sync();
      return new Segment(
          name,
          file,
          source.ordinal(),
          generation,
          epoch,
          1,
          (long) output.block * Batch.BLOCK_BYTES,
          copiedEntries,
          0);
    } catch (LogException e) {
      file.close();
      if (e.kind() == LogException.Kind.NO_ROOM) {
        files.delete(name);
      }
      throw e;
    }
  }

  private void copy(Log log, long group, long first, long last, Output output) throws IOException {
    Copied entries = new Copied();
    copied.put(group, entries);
    long at = first;
    while (at <= last) {
      List<LogEntry> read = log.read(group, at, last, READ_BYTES, READ_BYTES);
      if (read.isEmpty()) {
        long base = log.group(group).map(each -> each.base().index()).orElse(last);
        if (base < at) {
          return; // the rest was truncated meanwhile
        }
        at = base + 1;
        continue;
      }
      for (LogEntry entry : read) {
        entries.add(entry, output.write(Change.of(group, entry)));
        copiedEntries++;
      }
      at = read.get(read.size() - 1).index() + 1;
    }
  }

  /** The batches of a copied file. */
  private final class Output {
    private final LogFile file;
    private final int batchBytesMax;
    private final long log;
    private final long epoch;
    private long number = 1;
    private int block;

    Output(LogFile file, LogSettings settings, long log, long epoch) {
      this.file = file;
      this.batchBytesMax = settings.batchBytesMax();
      this.log = log;
      this.epoch = epoch;
      buffer.begin(epoch, number, batchBytesMax);
    }

    /** Writes an entry; the result is where it begins. */
    long write(Change entry) throws IOException {
      int at = buffer.add(entry, 0, true);
      if (at < 0) {
        end();
        at = buffer.add(entry, 0, true);
      }
      long place = Place.of(source.ordinal(), block);
      while (at < entry.payload().length) {
        end();
        at = buffer.add(entry, at, true);
      }
      return place;
    }

    void end() throws IOException {
      if (buffer.isEmpty()) {
        return;
      }
      int flags = Batch.COPY | (number == 1 ? Batch.FIRST : 0);
      ByteBuffer bytes = buffer.end(flags, log, source.ordinal(), block);
      int blocks = bytes.remaining() / Batch.BLOCK_BYTES;
      file.write((long) block * Batch.BLOCK_BYTES, bytes);
      block += blocks;
      number++;
      buffer.begin(epoch, number, batchBytesMax);
    }
  }

  /** Makes the copy the place of its entries. Called under the log's lock. */
  void moveTo(Map<Long, GroupState> groups) {
    long ordinal = source.ordinal();
    groups.forEach(
        (id, group) -> {
          long first = Math.max(group.base().index() + 1, group.positions().firstIn(ordinal));
          long last = group.positions().lastIn(ordinal, group.last());
          if (last < first) {
            return;
          }
          Copied entries = copied.get(id);
          if (entries == null
              || entries.last < last
              || entries.positions.isEmpty()
              || entries.positions.first(0) > first) {
            throw new LogException(
                LogException.Kind.FAILED,
                "entries " + first + ".." + last + " of group " + id + " were not copied");
          }
        });
    groups.forEach(
        (id, group) -> {
          if (copied.containsKey(id)) {
            group.positions().replace(ordinal, copied.get(id).positions, group.last());
          }
        });
  }
}
