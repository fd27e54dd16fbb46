// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

import java.util.Locale;

/**
 * A file that has batches: a segment, or a copied file that stands for one.
 *
 * @param name of the file
 * @param file open while the log is
 * @param ordinal of the segment
 * @param generation 0 for the segment itself; copies of it count from 1
 * @param epoch of the file's present use
 * @param firstNumber of its first batch
 * @param bytes the whole length of a segment, what is used of a copied file
 * @param entries of a copied file, how many it has; 0 for a segment
 * @param begunIn of a segment that begins in the middle of an append: where that began; else 0
 */
record Segment(
    String name,
    LogFile file,
    long ordinal,
    int generation,
    long epoch,
    long firstNumber,
    long bytes,
    long entries,
    long begunIn) {
  private static final String SEGMENT = "segment-";
  private static final String COPY = "copy-";

  boolean isCopy() {
    return generation > 0;
  }

  Segment withEntries(long counted) {
    return new Segment(
        name, file, ordinal, generation, epoch, firstNumber, bytes, counted, begunIn);
  }

  Segment withBegunIn(long known) {
    return new Segment(name, file, ordinal, generation, epoch, firstNumber, bytes, entries, known);
  }

  /** How many blocks it has, the last one in part if the file was cut. */
  int blocks() {
    return Batch.blocksOf(bytes);
  }

  static String segmentName(long number) {
    return String.format(Locale.ROOT, "%s%06d", SEGMENT, number);
  }

  static String copyName(long ordinal, int generation) {
    return String.format(Locale.ROOT, "%s%06d-%d", COPY, ordinal, generation);
  }

  static boolean isSegmentName(String name) {
    return name.matches(SEGMENT + "\\d{6,18}");
  }

  static boolean isCopyName(String name) {
    return name.matches(COPY + "\\d{6,18}-\\d{1,9}");
  }

  static long numberIn(String segmentName) {
    return Long.parseLong(segmentName.substring(SEGMENT.length()));
  }

  @Override
  public String toString() {
    return name + " (segment " + ordinal + ")";
  }
}
