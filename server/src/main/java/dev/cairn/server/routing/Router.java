// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.routing;

import dev.cairn.protocol.Topology;
import dev.cairn.server.partition.Operation;
import dev.cairn.server.partition.Query;
import dev.cairn.server.partition.Reply;
import java.util.List;
import java.util.function.Consumer;

/**
 * Gets a request to the node that leads its partition and the answer back, whichever node that is.
 *
 * <p>All methods return at once, may be called from an event loop, and call {@code done} exactly
 * once, on any thread (the caller's too), at the latest when the request's deadline has passed.
 * Whoever is called must not block.
 */
public interface Router {
  /** The cluster as this node sees it now. Cheap: a field read. */
  Topology topology();

  /** This node's id, 40 hex digits. */
  String nodeId();

  /** Whether this node leads the partition, as far as it knows. Cheap. */
  boolean leads(int partition);

  /**
   * Applies all operations of one partition, atomically and in order.
   *
   * @param operations 1 or more, every key in {@code partition}
   * @param done {@link Reply.Done} once durable on a majority and applied; an unknown outcome is
   *     never retried
   */
  void write(int partition, List<Operation> operations, Consumer<Reply> done);

  /** Answers all queries of one partition from one linearizable read. */
  void read(int partition, List<Query> queries, Consumer<Reply> done);

  /**
   * Waits until every live full replica has a write on disk, or for a while. Changes no outcome.
   *
   * @param timeoutMillis the longest wait
   * @param done one state for each live full replica: the leader first, then in ring order
   */
  void awaitReplicas(
      int partition, Reply.Done write, long timeoutMillis, Consumer<List<ReplicaState>> done);

  /** The cluster's state as a JSON document (docs/operations.md has its grammar). */
  void status(Consumer<String> done);

  /**
   * One line of the answer to {@link #awaitReplicas}.
   *
   * @param nodeId the replica's node
   * @param durable whether it has the write on disk
   */
  record ReplicaState(String nodeId, boolean durable) {}
}
