// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cairn.protocol.Consistency;
import dev.cairn.server.operation.Condition;
import dev.cairn.server.operation.Expiry;
import dev.cairn.server.operation.Operation;
import dev.cairn.server.operation.Query;
import dev.cairn.server.operation.Reply;
import dev.cairn.server.operation.Request;
import dev.cairn.server.operation.Result;
import dev.cairn.server.partition.LogLimits;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Keys that expire, on three nodes: gone for everybody, removed without anybody's asking. */
@Tag("long")
class ExpiryTest {
  private static final int KEYS = 3_000; // more than one entry removes
  private static final int VALUE_BYTES = 1_000;

  /** A snapshot, and what goes with it, as soon as anything was applied. */
  private static final LogLimits SNAPSHOT_AT_ONCE =
      new LogLimits(
          1,
          LogLimits.DEFAULT.snapshotEntries(),
          LogLimits.DEFAULT.replicaBytesMax(),
          LogLimits.DEFAULT.witnessBytesMax());

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @TempDir Path folder;

  @Test
  void keysAreRemovedByThemselvesAlsoFromDiskAndNotBackWhenAnotherLeads() throws Exception {
    try (RuntimeCluster cluster = RuntimeCluster.start(folder, SNAPSHOT_AT_ONCE)) {
      cluster.awaitLeaders();
      int partition = cluster.partitionOn(0, 1);
      List<Operation> operations = new ArrayList<>();
      for (int i = 0; i < KEYS; i++) {
        operations.add(
            new Operation.Put(
                RuntimeCluster.bytes(RuntimeCluster.key(partition, i)),
                incompressible(i),
                new Expiry(Expiry.Kind.AFTER, 3_000),
                Condition.ALWAYS,
                false));
      }
      operations.add(put(RuntimeCluster.key(partition, KEYS), 3_600_000));
      assertThat(write(cluster, 2, partition, operations)).hasSize(KEYS + 1);
      await()
          .atMost(PATIENCE)
          .until(() -> onDisk(cluster, partition, 0) > (long) KEYS * VALUE_BYTES);
      await()
          .atMost(PATIENCE)
          .untilAsserted(
              () ->
                  assertThat(read(cluster, 2, partition, new Query.Count()))
                      .isEqualTo(new Result.Int(1)));

      for (int node = 0; node < 2; node++) {
        int replica = node;
        await()
            .atMost(PATIENCE)
            .until(() -> onDisk(cluster, partition, replica) < KEYS * VALUE_BYTES / 10);
      }

      cluster.stop(0);
      Query first = new Query.Exists(RuntimeCluster.bytes(RuntimeCluster.key(partition, 0)));
      Query last = new Query.Exists(RuntimeCluster.bytes(RuntimeCluster.key(partition, KEYS)));
      await()
          .atMost(PATIENCE)
          .ignoreExceptions()
          .untilAsserted(
              () -> assertThat(read(cluster, 2, partition, last)).isEqualTo(new Result.Int(1)));
      assertThat(read(cluster, 2, partition, first)).isEqualTo(new Result.Int(0));
    }
  }

  /**
   * By hand with a million: {@code -Dcairn.expiry.keys=1000000 -Dcairn.expiry.seconds=90}, which is
   * how long loading them may take.
   */
  @Test
  void keysThatAllExpireAtOnceHoldUpNoWrite() throws Exception {
    int keys = Integer.getInteger("cairn.expiry.keys", 12_000);
    long seconds = Integer.getInteger("cairn.expiry.seconds", 3);
    try (RuntimeCluster cluster = RuntimeCluster.start(folder, LogLimits.DEFAULT)) {
      cluster.awaitLeaders();
      long atMillis = cluster.node(2).router().clusterTimeMillis().orElseThrow() + seconds * 1_000;
      Expiry all = new Expiry(Expiry.Kind.AT, atMillis);
      for (int partition = 0; partition < RuntimeCluster.PARTITIONS; partition++) {
        List<Operation> operations = new ArrayList<>();
        for (int i = partition; i < keys; i += RuntimeCluster.PARTITIONS) {
          operations.add(put(RuntimeCluster.key(partition, i), all));
          if (operations.size() == 1_000) {
            write(cluster, 2, partition, operations);
            operations = new ArrayList<>();
          }
        }
        write(cluster, 2, partition, operations);
      }
      // Writes to every partition in turn, until nothing but what they wrote is left.
      long writes = 0;
      long longestNanos = 0;
      long left = count(cluster);
      long wentIn = 0;
      while (left > RuntimeCluster.PARTITIONS) {
        for (int partition = 0; partition < RuntimeCluster.PARTITIONS; partition++) {
          Operation stays = put(RuntimeCluster.key(partition, keys), Expiry.NEVER);
          long begun = System.nanoTime();
          // Answered within the router's own deadline, or this is a refusal.
          assertThat(write(cluster, 2, partition, List.of(stays))).containsExactly(new Result.Ok());
          longestNanos = Math.max(longestNanos, System.nanoTime() - begun);
          writes++;
        }
        long before = left;
        left = count(cluster);
        wentIn += left < before ? 1 : 0;
      }
      System.out.printf(
          "%d keys that expire at once: %d writes until all were gone, the longest took %d ms; keys"
              + " went in %d rounds of %d writes%n",
          keys, writes, longestNanos / 1_000_000, wentIn, RuntimeCluster.PARTITIONS);
    }
  }

  /** Its table files, and what waits in memory to become some. */
  private static long onDisk(RuntimeCluster cluster, int partition, int node) {
    return cluster.node(node).partitions().figures().stream()
        .filter(figures -> figures.index() == partition)
        .mapToLong(figures -> Math.max(figures.diskBytes(), figures.dataBytes()))
        .sum();
  }

  private static byte[] incompressible(int seed) {
    byte[] value = new byte[VALUE_BYTES];
    new Random(seed).nextBytes(value);
    return value;
  }

  private static long count(RuntimeCluster cluster) throws Exception {
    long count = 0;
    for (int partition = 0; partition < RuntimeCluster.PARTITIONS; partition++) {
      count += ((Result.Int) read(cluster, 2, partition, new Query.Count())).value();
    }
    return count;
  }

  private static Operation put(String key, long millis) {
    return put(key, new Expiry(Expiry.Kind.AFTER, millis));
  }

  private static Operation put(String key, Expiry expiry) {
    return new Operation.Put(
        RuntimeCluster.bytes(key), RuntimeCluster.bytes("value"), expiry, Condition.ALWAYS, false);
  }

  private static List<Result> write(
      RuntimeCluster cluster, int node, int partition, List<Operation> operations)
      throws Exception {
    CompletableFuture<Reply> reply = new CompletableFuture<>();
    cluster
        .node(node)
        .router()
        .write(
            partition,
            new Request(Optional.empty(), operations),
            Consistency.QUORUM,
            reply::complete);
    return ((Reply.Done) reply.get(30, TimeUnit.SECONDS)).results();
  }

  private static Result read(RuntimeCluster cluster, int node, int partition, Query query)
      throws Exception {
    CompletableFuture<Reply> reply = new CompletableFuture<>();
    cluster
        .node(node)
        .router()
        .read(partition, List.of(query), Consistency.QUORUM, reply::complete);
    return ((Reply.Done) reply.get(30, TimeUnit.SECONDS)).results().get(0);
  }
}
