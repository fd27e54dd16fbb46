// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.routing;

import dev.cairn.protocol.Consistency;
import dev.cairn.protocol.ErrorCode;
import dev.cairn.protocol.Topology;
import dev.cairn.server.cluster.NodeReport;
import dev.cairn.server.operation.Query;
import dev.cairn.server.operation.Reply;
import dev.cairn.server.operation.Request;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * Gets a request to the node that leads its partition and the answer back, whichever node that is.
 *
 * <p>All methods return at once, may be called from an event loop, and call {@code done} exactly
 * once, on any thread (the caller's too), at the latest when the request's deadline has passed.
 * Whoever is called must not block.
 */
public interface Router {
  /** The router that answers just now, where this one passes requests on; else itself. Cheap. */
  default Router current() {
    return this;
  }

  /** The cluster as this node sees it now. Cheap: a field read. */
  Topology topology();

  /**
   * What clients of this node have not read yet: whoever keeps answers for them counts them here.
   */
  ReplyMemory replies();

  /**
   * The partition that holds a slot (0 to 16383), or empty when no placement is known yet. Cheaper
   * than {@link #topology}: each key of each request is looked for.
   */
  OptionalInt partitionOfSlot(int slot);

  /** This node's id, 40 hex digits. */
  String nodeId();

  /** Whether this node leads the partition, as far as it knows. Cheap. */
  boolean leads(int partition);

  /** Whether this node's own replica of the partition can answer reads of level ONE. Cheap. */
  boolean servesOwn(int partition);

  /**
   * The cluster's time, milliseconds since 1970: the median of the members' clocks, which one wrong
   * clock does not move. Empty while too few members are up to tell.
   */
  OptionalLong clusterTimeMillis();

  /** The nodes whose full replica of the partition is down or has stopped, by name. Cheap. */
  List<String> missingReplicas(int partition);

  /**
   * Applies a request to one partition.
   *
   * @param request 1 or more operations, every key in {@code partition}
   * @param level QUORUM or ALL
   * @param done {@link Reply.Done} once applied and durable, as {@code level} says; an unknown
   *     outcome is never sent again unless the request has an id
   */
  void write(int partition, Request request, Consistency level, Consumer<Reply> done);

  /** Answers all queries of one partition from one read. */
  void read(int partition, List<Query> queries, Consistency level, Consumer<Reply> done);

  /**
   * Waits until every live full replica has a write on disk, or for a while. Changes no outcome.
   *
   * @param timeoutMillis the longest wait
   * @param done one state for each live full replica: the leader first, then in ring order
   */
  void awaitReplicas(
      int partition, Reply.Done write, long timeoutMillis, Consumer<List<ReplicaState>> done);

  /**
   * A cursor with which any node goes on at a position; never 0.
   *
   * @param before the cursor of the step that ended there
   * @param position any but the start of the first partition
   */
  long cursor(long before, ScanPosition position);

  /**
   * Where a cursor goes on: at the start of its partition where nobody knows it any more, of the
   * first one where it cannot be. Never after a key that was not looked at.
   */
  void position(long cursor, Consumer<ScanPosition> done);

  /**
   * Asks every node that is up, this one too, what it tells of itself. Takes less than a second.
   *
   * @param done JSON by node id, of those that answered
   */
  void ask(NodeDocuments.Topic topic, Consumer<Map<String, byte[]>> done);

  /** What each node that is up last told of what it uses and has answered, by its id. Cheap. */
  Map<String, NodeReport.Figures> figures();

  /** The cluster's state as a JSON document (docs/reference/formats.md has its grammar). */
  void status(Consumer<String> done);

  /** What a request of level ALL is answered while full replicas are missing. */
  static Reply.Failed noReplicas(int partition, List<String> missing) {
    return new Reply.Failed(
        ErrorCode.NOREPLICAS,
        "level ALL needs every replica of partition "
            + partition
            + ", and "
            + String.join(" and ", missing)
            + (missing.size() == 1 ? " is" : " are")
            + " missing; nothing was done. Start what is down, or ask with level QUORUM");
  }

  /**
   * One line of the answer to {@link #awaitReplicas}.
   *
   * @param nodeId the replica's node
   * @param durable whether it has the write on disk
   */
  record ReplicaState(String nodeId, boolean durable) {}
}
