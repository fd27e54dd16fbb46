// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.planted;

import java.util.List;

/** What can be planted, and where. */
enum Bug {
  /** Whoever has a copy answers reads from it, and asks nobody whether it is the latest. */
  STALE_FOLLOWER_READ(
      at("dev.cairn.server.routing.BatchSender", "sendReads", Advices.ReadHere.class),
      at("dev.cairn.server.partition.ReadQueue", Point.CONSTRUCTOR, Advices.AlwaysLeads.class),
      at("dev.cairn.server.partition.PartitionGroup", "confirm", Advices.Confirmed.class)),

  /** The log is written and not fsynced; what the system had not written yet is lost. */
  ACKNOWLEDGED_BEFORE_FSYNC(
      at("dev.cairn.log.FolderFiles$ChannelFile", "write", Advices.WrittenLater.class),
      at("dev.cairn.log.FolderFiles$ChannelFile", "read", Advices.WrittenBefore.class),
      at("dev.cairn.log.FolderFiles$ChannelFile", "close", Advices.WrittenBefore.class),
      at("dev.cairn.log.FolderFiles", "replace", Advices.WrittenBefore.class),
      at("dev.cairn.log.FolderFiles", "close", Advices.WrittenBefore.class)),

  /** A write of unknown outcome is sent again, as if it had been refused. */
  REPEATED_RETRY(at("dev.cairn.server.routing.Lane", "replied", Advices.UnknownIsRefused.class)),

  /** An entry counts as committed as soon as the leader alone has it. */
  LOST_ON_FAILOVER(
      at("dev.cairn.consensus.Leadership", "commitWhatMajorityHas", Advices.OneIsAMajority.class)),

  /** Terms and votes are kept in memory only. */
  TERM_AND_VOTE_NOT_ON_DISK(
      at("dev.cairn.replication.ShardLog", "restored", Advices.NotStored.class)),

  /** A witness that starts has forgotten the end of its log. */
  TRUNCATED_WITNESS_LOG(
      at("dev.cairn.server.replication.Shards", "open", Advices.TruncatedWitness.class));

  private final List<Point> points;

  Bug(Point... points) {
    this.points = List.of(points);
  }

  /** The methods that are changed; at least one. */
  List<Point> points() {
    return points;
  }

  private static Point at(String type, String method, Class<?> advice) {
    return new Point(type, method, advice);
  }

  /**
   * A method that is changed.
   *
   * @param advice what it does instead, or besides
   */
  record Point(String type, String method, Class<?> advice) {
    static final String CONSTRUCTOR = "<init>";
  }
}
