// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

/**
 * What a replica or witness of this node holds and has yet to do, for whoever watches. Of a
 * witness, and of a replica that has stopped, only the log counts.
 *
 * @param index the partition
 * @param leads whether this node leads it
 * @param stopped whether it has failed here, or lost its disk
 * @param keys how many it holds
 * @param dataBytes its data, on disk and in write buffers
 * @param diskBytes its table files
 * @param logBytes its entries in the write-ahead log, about
 * @param appliedIndex log index up to which it is applied
 * @param unappliedEntries in the log here and not applied
 * @param queuedRequests that wait to be proposed
 * @param queuedBytes of these
 */
public record PartitionFigures(
    int index,
    boolean leads,
    boolean stopped,
    long keys,
    long dataBytes,
    long diskBytes,
    long logBytes,
    long appliedIndex,
    long unappliedEntries,
    long queuedRequests,
    long queuedBytes) {
  /** Of what is not open, or holds no data. */
  static PartitionFigures logOnly(int index, boolean stopped, long logBytes) {
    return new PartitionFigures(index, false, stopped, 0, 0, 0, logBytes, 0, 0, 0, 0);
  }

  /** Whether it is a full replica that is open. */
  public boolean holdsData() {
    return appliedIndex > 0 || diskBytes > 0;
  }
}
