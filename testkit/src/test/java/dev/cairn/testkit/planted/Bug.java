// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.planted;

import java.util.List;

/** What can be planted, and where. */
enum Bug {
  /** Whoever has a copy answers reads from it, and asks nobody whether it is the latest. */
  STALE_FOLLOWER_READ(
      point("dev.cairn.server.routing.BatchSender", "sendReads", Advices.ReadHere.class),
      point("dev.cairn.server.partition.ReadQueue", Point.CONSTRUCTOR, Advices.AlwaysLeads.class),
      point("dev.cairn.server.partition.PartitionGroup", "confirm", Advices.Confirmed.class)),

  /** The log is written and not fsynced; what the system had not written yet is lost. */
  ACKNOWLEDGED_BEFORE_FSYNC(
      point("dev.cairn.server.raft.LogOptions", "forWriting", Advices.NotSynced.class),
      point("dev.cairn.server.raft.SharedLog", Point.CONSTRUCTOR, Advices.WrittenLater.class),
      point("dev.cairn.server.raft.DurableMark", "writeNow", Advices.WrittenBeforeTheMark.class)),

  /** A write of unknown outcome is sent again, as if it had been refused. */
  REPEATED_RETRY(point("dev.cairn.server.routing.Lane", "replied", Advices.UnknownIsRefused.class)),

  /** An entry counts as committed as soon as the leader alone has it. */
  LOST_ON_FAILOVER(
      point("com.alipay.sofa.jraft.entity.Ballot", "init", Advices.OneIsAMajority.class)),

  /** Terms and votes are kept in memory only. */
  TERM_AND_VOTE_NOT_ON_DISK(
      point("dev.cairn.server.raft.GroupLog", "commit", Advices.NotStored.class)),

  /** A witness that starts has forgotten the end of its log. */
  TRUNCATED_WITNESS_LOG(
      point("dev.cairn.server.raft.JRaftEngine", "open", Advices.TruncatedWitness.class));

  private final List<Point> points;

  Bug(Point... points) {
    this.points = List.of(points);
  }

  /** The methods that are changed. */
  List<Point> points() {
    return points;
  }

  private static Point point(String type, String method, Class<?> advice) {
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
