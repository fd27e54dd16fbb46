// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * Reads entries of one group, run by run ({@link Positions}), from batch to batch.
 *
 * <p>Invariant: what it gives out was checked: the batch whole, and each entry's index and term
 * against what the positions say.
 */
final class EntryReader {
  static final int AHEAD_BYTES = 128 << 10;

  /**
   * Entries in a row in one file.
   *
   * @param segment where the first begins; a cut entry may go on in the segments behind it
   * @param block of the batch to begin with
   * @param term of all of them
   * @param from index of the first that is wanted
   * @param to index of the last that is wanted
   */
  record Run(Segment segment, int block, long term, long from, long to) {}

  private final UnaryOperator<Segment> next;
  private final long log;
  private final long group;
  private final long bytesMax;
  private final int aheadBytes;

  private final List<LogEntry> taken = new ArrayList<>();
  private long takenBytes;
  private Segment readAhead;
  private BatchReader reader;

  /**
   * Begins to read.
   *
   * @param next gives the segment that follows another, or null
   * @param bytesMax no run is begun once so much was read, and none goes on to another batch
   */
  EntryReader(UnaryOperator<Segment> next, long log, long group, long bytesMax, int aheadBytes) {
    this.next = next;
    this.log = log;
    this.group = group;
    this.bytesMax = bytesMax;
    this.aheadBytes = aheadBytes;
  }

  /** Lets go of what was read ahead: it may be older than what is asked for. */
  void forget() {
    readAhead = null;
  }

  boolean isFull() {
    return takenBytes >= bytesMax;
  }

  List<LogEntry> taken() {
    return taken;
  }

  /** The index behind what was read. */
  long nextIndex() {
    return taken.get(taken.size() - 1).index() + 1;
  }

  /** Reads entries of a run, at least one; false when the file does not have what it should. */
  boolean read(Run run) throws IOException {
    List<LogEntry> found = new ArrayList<>();
    Parts parts = new Parts(true);
    boolean cut = false;
    Segment segment = run.segment();
    int block = run.block();
    long number = -1;
    while (segment != null) {
      Batch batch = batch(segment, block, number);
      if (batch == null) {
        if (number < 0) {
          return false;
        }
        segment = next.apply(segment);
        block = 0;
        batch = segment == null ? null : batch(segment, 0, number);
        if (batch == null) {
          return false;
        }
      }
      cut = take(batch, parts, cut, run, found);
      boolean enough = !found.isEmpty() && found.get(found.size() - 1).index() == run.to();
      if (enough || (bytesOf(found) >= bytesMax && !cut)) {
        break;
      }
      number = batch.header().number() + 1;
      block += batch.header().blocks();
    }
    boolean sound = !found.isEmpty() && found.stream().allMatch(each -> each.term() == run.term());
    if (sound) {
      takeFitting(found);
    }
    return sound;
  }

  private static long bytesOf(List<LogEntry> entries) {
    return entries.stream().mapToLong(each -> Batch.RECORD_BYTES + each.data().length).sum();
  }

  private void takeFitting(List<LogEntry> found) {
    for (LogEntry entry : found) {
      if (isFull()) {
        return;
      }
      taken.add(entry);
      takenBytes += Batch.RECORD_BYTES + entry.data().length;
    }
  }

  /** The batch of a number at a block, or of any number for -1. */
  private Batch batch(Segment segment, int block, long number) throws IOException {
    if (!segment.equals(readAhead)) {
      readAhead = segment;
      reader = new BatchReader(segment.file(), aheadBytes);
    }
    return reader.batch(segment, log, block, number);
  }

  /** Takes the run's entries of a batch; true while one of them goes on in the next. */
  private boolean take(Batch batch, Parts parts, boolean cut, Run run, List<LogEntry> found) {
    boolean open = cut;
    for (int i = 0; i < batch.size(); i++) {
      byte kind = batch.kind(i);
      boolean part = kind == Change.PART;
      boolean ours = batch.group(i) == group && Change.isEntry(part ? batch.wholeKind(i) : kind);
      if (!ours || (part && !open && batch.partFrom(i) > 0)) {
        continue;
      }
      Change change = parts.add(batch, i, 0);
      open = change == null;
      if (change != null) {
        take(change.toEntry(), run, found);
      }
    }
    return open;
  }

  /** An entry takes the place of one with its index, and of all behind it. */
  private static void take(LogEntry entry, Run run, List<LogEntry> found) {
    while (!found.isEmpty() && found.get(found.size() - 1).index() >= entry.index()) {
      found.remove(found.size() - 1);
    }
    if (entry.index() == run.from() + found.size() && entry.index() <= run.to()) {
      found.add(entry);
    }
  }
}
