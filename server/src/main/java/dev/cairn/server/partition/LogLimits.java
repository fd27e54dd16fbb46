// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

/**
 * How much log a partition keeps on a node.
 *
 * @param snapshotBytes a snapshot is tried when the log is larger, 1 or more
 * @param snapshotEntries a full replica tries one when it has applied so many entries since the
 *     last, 1 or more: what it would apply again after a crash, before it can lead
 * @param replicaBytesMax past this, a full replica drops what a snapshot covers although another
 *     replica may need it; that one is sent the snapshot instead
 * @param witnessBytesMax past this, a witness drops what it should keep; the partition is then
 *     unavailable, never wrong, if the leader is lost before the replica that lags is back
 */
public record LogLimits(
    long snapshotBytes, long snapshotEntries, long replicaBytesMax, long witnessBytesMax) {
  /** 32 MiB, 4,096 entries, 512 MiB, 4 GiB. */
  public static final LogLimits DEFAULT = new LogLimits(32L << 20, 4_096, 512L << 20, 4L << 30);

  public LogLimits {
    if (snapshotBytes < 1 || snapshotEntries < 1 || replicaBytesMax < 1 || witnessBytesMax < 1) {
      throw new IllegalArgumentException("log limits are 1 or more");
    }
  }
}
