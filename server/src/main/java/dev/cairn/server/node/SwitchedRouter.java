// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import dev.cairn.protocol.Consistency;
import dev.cairn.protocol.ErrorCode;
import dev.cairn.protocol.Topology;
import dev.cairn.server.cluster.NodeReport;
import dev.cairn.server.operation.Query;
import dev.cairn.server.operation.Reply;
import dev.cairn.server.operation.Request;
import dev.cairn.server.routing.ClusterStatus;
import dev.cairn.server.routing.NodeDocuments;
import dev.cairn.server.routing.ReplyMemory;
import dev.cairn.server.routing.Router;
import dev.cairn.server.routing.ScanPosition;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * The router that the client ports know: the open runtime's, or none. While there is none every
 * request is refused for certain, with the reason; what the closed one had under way it answers
 * itself.
 */
final class SwitchedRouter implements Router {
  private final String selfName;
  private volatile Router target;
  private volatile long refusedSinceNanos; // written before refusal
  private volatile String refusal = "";

  /**
   * Creates the way to no runtime yet.
   *
   * @param selfName this node's name
   */
  SwitchedRouter(String selfName) {
    this.selfName = selfName;
  }

  /** Passes requests there from now on. */
  void serve(Router router) {
    target = router;
    refusal = "";
  }

  /** Refuses requests from now on. */
  void refuse(String why) {
    refusedSinceNanos = System.nanoTime();
    refusal = why;
  }

  private boolean refuses() {
    return !refusal.isEmpty();
  }

  private Reply refused() {
    return new Reply.Failed(
        ErrorCode.CLUSTERDOWN,
        "this node serves nothing just now (" + refusal + "); nothing was done. Ask another node");
  }

  /** A request of a client's goes straight to the open runtime's. */
  @Override
  public Router current() {
    return refuses() ? this : target;
  }

  @Override
  public Topology topology() {
    return target.topology();
  }

  @Override
  public OptionalInt partitionOfSlot(int slot) {
    return target.partitionOfSlot(slot);
  }

  @Override
  public ReplyMemory replies() {
    return target.replies();
  }

  @Override
  public String nodeId() {
    return target.nodeId();
  }

  @Override
  public boolean leads(int partition) {
    return !refuses() && target.leads(partition);
  }

  @Override
  public boolean servesOwn(int partition) {
    return !refuses() && target.servesOwn(partition);
  }

  @Override
  public OptionalLong clusterTimeMillis() {
    return refuses() ? OptionalLong.empty() : target.clusterTimeMillis();
  }

  @Override
  public List<String> missingReplicas(int partition) {
    return target.missingReplicas(partition);
  }

  @Override
  public void write(int partition, Request request, Consistency level, Consumer<Reply> done) {
    if (refuses()) {
      done.accept(refused());
    } else {
      target.write(partition, request, level, done);
    }
  }

  @Override
  public void read(int partition, List<Query> queries, Consistency level, Consumer<Reply> done) {
    if (refuses()) {
      done.accept(refused());
    } else {
      target.read(partition, queries, level, done);
    }
  }

  @Override
  public void awaitReplicas(
      int partition, Reply.Done write, long timeoutMillis, Consumer<List<ReplicaState>> done) {
    if (refuses()) {
      done.accept(List.of());
    } else {
      target.awaitReplicas(partition, write, timeoutMillis, done);
    }
  }

  @Override
  public long cursor(long before, ScanPosition position) {
    return target.cursor(before, position);
  }

  @Override
  public void position(long cursor, Consumer<ScanPosition> done) {
    target.position(cursor, done);
  }

  @Override
  public void ask(NodeDocuments.Topic topic, Consumer<Map<String, byte[]>> done) {
    if (refuses()) {
      done.accept(Map.of());
    } else {
      target.ask(topic, done);
    }
  }

  @Override
  public Map<String, NodeReport.Figures> figures() {
    return refuses() ? Map.of() : target.figures();
  }

  @Override
  public void status(Consumer<String> done) {
    if (!refuses()) {
      target.status(done);
      return;
    }
    long sinceMillis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - refusedSinceNanos);
    done.accept(ClusterStatus.ofClosedNode(selfName, refusal, sinceMillis));
  }
}
