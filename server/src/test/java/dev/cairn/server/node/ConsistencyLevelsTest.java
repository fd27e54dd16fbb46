// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cairn.protocol.Consistency;
import dev.cairn.protocol.ErrorCode;
import dev.cairn.server.cluster.ClusterState;
import dev.cairn.server.cluster.Placement;
import dev.cairn.server.operation.Reply;
import dev.cairn.server.partition.BatchReply;
import dev.cairn.server.partition.LogLimits;
import dev.cairn.server.partition.Partitions;
import dev.cairn.state.RequestId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What ONE, QUORUM and ALL give while nodes come and go. */
@Tag("long")
class ConsistencyLevelsTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  @TempDir Path temp;

  private RuntimeCluster cluster;
  private String key; // its replicas are nodes 0 and 1, its witness node 2

  @BeforeEach
  void start() throws IOException {
    cluster = RuntimeCluster.start(temp, LogLimits.DEFAULT);
    int partition = cluster.partitionOn(0, 1);
    key = RuntimeCluster.key(partition, 1);
    cluster.awaitLeader(partition, 0);
    cluster.put(0, key, "first");
  }

  @AfterEach
  void stop() {
    cluster.close();
  }

  private static ErrorCode code(Reply reply) {
    return reply instanceof Reply.Failed failed ? failed.code() : null;
  }

  private void awaitMissing(int node, String... names) {
    int partition = cluster.partitionOn(0, 1);
    await()
        .atMost(PATIENCE)
        .until(() -> cluster.node(node).router().missingReplicas(partition).equals(List.of(names)));
  }

  @Test
  void allIsOnEveryReplicaAndRefusedAtOnceByNameWhileOneIsDown() throws Exception {
    awaitMissing(2);
    assertThat(cluster.write(2, key, "all", Consistency.ALL, Optional.empty()))
        .isInstanceOf(Reply.Done.class);
    assertThat(cluster.read(2, key, Consistency.ALL)).isInstanceOf(Reply.Done.class);
    Reply.Done own = (Reply.Done) cluster.read(1, key, Consistency.ONE);
    assertThat(own.nodeId()).isEqualTo(cluster.node(1).router().nodeId());
    assertThat(RuntimeCluster.value(own)).contains("all");

    cluster.stop(1);
    awaitMissing(2, "127.0.0.1:5001");
    Reply write = cluster.write(2, key, "refused", Consistency.ALL, Optional.empty());
    assertThat(code(write)).isEqualTo(ErrorCode.NOREPLICAS);
    assertThat(((Reply.Failed) write).message()).contains("127.0.0.1:5001");
    assertThat(code(cluster.read(2, key, Consistency.ALL))).isEqualTo(ErrorCode.NOREPLICAS);
    assertThat(cluster.get(2, key)).contains("all");
  }

  /** Right after the fault nobody knows yet that the replica is down: so the write is sent. */
  @Test
  void allThatIsCommittedAndNotEverywhereByItsDeadlineIsNotAll() throws Exception {
    awaitMissing(0);
    cluster.stop(1);
    Reply reply = cluster.write(0, key, "second", Consistency.ALL, Optional.empty());
    assertThat(code(reply)).isEqualTo(ErrorCode.NOTALL);
    assertThat(((Reply.Failed) reply).message()).contains("127.0.0.1:5001");
    assertThat(cluster.get(2, key)).contains("second");
  }

  @Test
  void oneIsServedByTheLastReplicaAndSaysHowOldItIs() throws Exception {
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                cluster.read(1, key, Consistency.ONE) instanceof Reply.Done done
                    && RuntimeCluster.value(done).isPresent());
    cluster.stop(0);
    cluster.stop(2);
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                cluster.read(1, key, Consistency.ONE) instanceof Reply.Done done
                    && RuntimeCluster.value(done).equals(Optional.of("first"))
                    && done.ageMillis() > 0);
    assertThat(code(cluster.read(1, key, Consistency.QUORUM))).isEqualTo(ErrorCode.CLUSTERDOWN);

    // Alone after a restart, too: nobody leads the partition, nor the cluster.
    cluster.stop(1);
    cluster.start(1);
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                cluster.read(1, key, Consistency.ONE) instanceof Reply.Done done
                    && RuntimeCluster.value(done).equals(Optional.of("first"))
                    && done.ageMillis() > 0);
  }

  @Test
  void aReplicaThatWasRemovedAnswersNothingNotEvenOne() throws Exception {
    int partition = cluster.partitionOn(0, 1);
    Partitions removed = cluster.node(1).partitions();
    await().atMost(PATIENCE).until(() -> removed.servesOwn(partition));
    // The node learns that the replica is elsewhere before it hears so from the partition's leader.
    Path file = cluster.folder(1).resolve(NodeRuntime.CLUSTER);
    removed.follow(withoutSecondReplica(ClusterState.decode(Files.readAllBytes(file)), partition));
    await().atMost(PATIENCE).until(() -> !removed.servesOwn(partition));
    CompletableFuture<BatchReply> own = new CompletableFuture<>();
    removed.readOwn(partition, List.of(), own::complete);
    assertThat(own.get(30, TimeUnit.SECONDS)).isInstanceOf(BatchReply.Refused.class);
    Reply.Done read = (Reply.Done) cluster.read(1, key, Consistency.ONE);
    assertThat(read.nodeId()).isNotEqualTo(cluster.node(1).router().nodeId());
  }

  private static ClusterState withoutSecondReplica(ClusterState state, int partition) {
    List<Placement> placements = new ArrayList<>(state.partitions());
    Placement old = placements.get(partition);
    placements.set(
        partition,
        new Placement(
            old.index(),
            old.firstSlot(),
            old.lastSlot(),
            List.of(old.replicas().get(0)),
            old.witness()));
    return new ClusterState(
        state.format(),
        state.clusterId(),
        state.epoch() + 1,
        state.replicationFactor(),
        state.partitionCount(),
        state.members(),
        placements);
  }

  @Test
  void oneAsksAnotherWhereThisNodeHoldsNoCopy() throws Exception {
    awaitMissing(2);
    Reply.Done read = (Reply.Done) cluster.read(2, key, Consistency.ONE);
    assertThat(read.nodeId()).isNotEqualTo(cluster.node(2).router().nodeId());
    assertThat(RuntimeCluster.value(read)).isPresent();
  }

  @Test
  void writeWithAnIdIsAppliedOnceWhicheverNodeIsAskedAndWhoeverLeads() throws Exception {
    long issued = cluster.node(0).router().clusterTimeMillis().orElseThrow() - 500;
    Optional<RequestId> id = Optional.of(new RequestId(1, 2, 3, issued));
    Reply.Done first = (Reply.Done) cluster.write(0, key, "once", Consistency.QUORUM, id);
    cluster.put(1, key, "later");
    assertThat(cluster.write(2, key, "once", Consistency.QUORUM, id))
        .isInstanceOf(Reply.Done.class);
    assertThat(cluster.get(0, key)).as("the repetition changed nothing").contains("later");

    cluster.node(0).partitions().snapshotAll();
    cluster.stop(0);
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                cluster.write(2, key, "once", Consistency.QUORUM, id) instanceof Reply.Done again
                    && again.results().equals(first.results()));
    assertThat(cluster.get(1, key)).contains("later");

    cluster.start(0);
    cluster.stop(1);
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                cluster.write(2, key, "once", Consistency.QUORUM, id) instanceof Reply.Done again
                    && again.results().equals(first.results()));
    assertThat(cluster.get(2, key)).contains("later");
  }
}
