// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.planted;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** What can be planted, and where. */
enum Bug {
  /** Whoever has a copy answers reads from it, and asks nobody whether it is the latest. */
  STALE_FOLLOWER_READ(
      both("dev.cairn.server.routing.BatchSender", "sendReads", Advices.ReadHere.class),
      both("dev.cairn.server.partition.ReadQueue", Point.CONSTRUCTOR, Advices.AlwaysLeads.class),
      both("dev.cairn.server.partition.PartitionGroup", "confirm", Advices.Confirmed.class)),

  /** The log is written and not fsynced; what the system had not written yet is lost. */
  ACKNOWLEDGED_BEFORE_FSYNC(
      jraft("dev.cairn.server.raft.LogOptions", "forWriting", Advices.NotSynced.class),
      jraft("dev.cairn.server.raft.SharedLog", Point.CONSTRUCTOR, Advices.WrittenLater.class),
      jraft("dev.cairn.server.raft.DurableMark", "writeNow", Advices.WrittenBeforeTheMark.class),
      own("dev.cairn.log.FolderFiles$ChannelFile", "write", OwnEngineAdvices.WrittenLater.class),
      own("dev.cairn.log.FolderFiles$ChannelFile", "read", OwnEngineAdvices.WrittenBefore.class),
      own("dev.cairn.log.FolderFiles$ChannelFile", "close", OwnEngineAdvices.WrittenBefore.class),
      own("dev.cairn.log.FolderFiles", "replace", OwnEngineAdvices.WrittenBefore.class),
      own("dev.cairn.log.FolderFiles", "close", OwnEngineAdvices.WrittenBefore.class)),

  /** A write of unknown outcome is sent again, as if it had been refused. */
  REPEATED_RETRY(both("dev.cairn.server.routing.Lane", "replied", Advices.UnknownIsRefused.class)),

  /** An entry counts as committed as soon as the leader alone has it. */
  LOST_ON_FAILOVER(
      jraft("com.alipay.sofa.jraft.entity.Ballot", "init", Advices.OneIsAMajority.class),
      own(
          "dev.cairn.consensus.Leadership",
          "commitWhatMajorityHas",
          OwnEngineAdvices.OneIsAMajority.class)),

  /** Terms and votes are kept in memory only. */
  TERM_AND_VOTE_NOT_ON_DISK(
      jraft("dev.cairn.server.raft.GroupLog", "commit", Advices.NotStored.class),
      own("dev.cairn.replication.ShardLog", "restored", OwnEngineAdvices.NotStored.class)),

  /** A witness that starts has forgotten the end of its log. */
  TRUNCATED_WITNESS_LOG(
      jraft("dev.cairn.server.raft.JRaftEngine", "open", Advices.TruncatedWitness.class),
      own("dev.cairn.server.replication.Shards", "open", OwnEngineAdvices.TruncatedWitness.class));

  private final List<Point> points;

  Bug(Point... points) {
    this.points = List.of(points);
  }

  /** The methods that are changed in a node with that engine; at least one. */
  List<Point> points(Engine engine) {
    return points.stream().filter(point -> point.engines().contains(engine)).toList();
  }

  private static Point both(String type, String method, Class<?> advice) {
    return new Point(EnumSet.allOf(Engine.class), type, method, advice);
  }

  private static Point jraft(String type, String method, Class<?> advice) {
    return new Point(EnumSet.of(Engine.JRAFT), type, method, advice);
  }

  private static Point own(String type, String method, Class<?> advice) {
    return new Point(EnumSet.of(Engine.OWN), type, method, advice);
  }

  /**
   * A method that is changed.
   *
   * @param engines with which it is
   * @param advice what it does instead, or besides
   */
  record Point(Set<Engine> engines, String type, String method, Class<?> advice) {
    static final String CONSTRUCTOR = "<init>";
  }
}
