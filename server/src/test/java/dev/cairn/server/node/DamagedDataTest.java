// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cairn.server.metrics.Metric;
import dev.cairn.server.partition.LogLimits;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A bit of what lies on one node's disk flips. */
@Tag("long")
class DamagedDataTest {
  private static final int A = 0;
  private static final int B = 1;
  private static final int KEYS = 100;

  /** Of a segment whose first batch takes one block. */
  private static final long IN_ITS_SECOND_BATCH = 4096 + 70;

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @TempDir Path folder;

  @Test
  void scrubFindsAFlippedBitAndTheReplicaIsRebuiltFromTheOther() throws Exception {
    damageOn(B);
  }

  @Test
  void leaderWithAFlippedBitGivesWayAndIsRebuilt() throws Exception {
    damageOn(A);
  }

  @Test
  void nodeThatStartsOnDamagedDataFindsItAtOnce() throws Exception {
    Scrub.Pace onePass = new Scrub.Pace(1L << 30, TimeUnit.HOURS.toMillis(1));
    try (RuntimeCluster cluster = RuntimeCluster.start(folder, LogLimits.DEFAULT, onePass)) {
      int partition = cluster.partitionOn(A, B);
      fill(cluster, partition);
      Path data = cluster.folder(B).resolve("partitions/p-%05d".formatted(partition));
      Path file = table(cluster, B, data);
      cluster.stop(B);
      flip(file, size(file) / 4);
      cluster.start(B);
      await().atMost(PATIENCE).until(() -> cluster.votes(partition, B, 2));
    }
  }

  /** Its first batches are in a file that is not written any more, once the node was restarted. */
  @Test
  void scrubFindsDamageToAnOldPartOfTheLog() throws Exception {
    Scrub.Pace pace = new Scrub.Pace(1L << 30, 300);
    try (RuntimeCluster cluster = RuntimeCluster.start(folder, LogLimits.DEFAULT, pace)) {
      fill(cluster, cluster.partitionOn(A, B));
      cluster.stop(B);
      cluster.start(B);
      assertThat(cluster.faults()).isEmpty();
      Path segment = cluster.folder(B).resolve(NodeRuntime.LOG).resolve("segment-000001");
      flip(segment, IN_ITS_SECOND_BATCH);
      await().atMost(PATIENCE).until(() -> !cluster.faults().isEmpty());
      assertThat(cluster.faults().get(0).kind()).isEqualTo(NodeFault.Kind.LOG_DAMAGED);
      assertThat(cluster.metrics(B).value(Metric.LOG_DAMAGED)).isOne();
    }
  }

  private static void fill(RuntimeCluster cluster, int partition) throws Exception {
    for (int i = 0; i < KEYS; i++) {
      cluster.put(A, RuntimeCluster.key(partition, i), value(i));
    }
  }

  /** 256 digits that do not compress to nothing, the same ones for each run. */
  private static String value(int number) {
    byte[] bytes = new byte[128];
    new Random(number).nextBytes(bytes);
    return HexFormat.of().formatHex(bytes);
  }

  /**
   * The largest table of a replica, half of what was written at least. A replica that has not
   * applied everything yet takes a snapshot of the rest later.
   */
  private static Path table(RuntimeCluster cluster, int node, Path data) {
    return await()
        .atMost(PATIENCE)
        .until(
            () -> {
              cluster.node(node).partitions().snapshotAll();
              return largestTable(data);
            },
            found -> size(found) > KEYS * 128 / 2);
  }

  private void damageOn(int node) throws Exception {
    Scrub.Pace pace = new Scrub.Pace(1L << 30, 300);
    try (RuntimeCluster cluster = RuntimeCluster.start(folder, LogLimits.DEFAULT, pace)) {
      int partition = cluster.partitionOn(A, B);
      fill(cluster, partition);
      Path data = cluster.folder(node).resolve("partitions/p-%05d".formatted(partition));
      Path file = table(cluster, node, data);
      flip(file, size(file) / 4);
      assertThat(cluster.faults()).as("one database's damage is no node's").isEmpty();
      // It counts again: without the other replica it serves everything.
      await().atMost(PATIENCE).until(() -> cluster.votes(partition, node, 2));
      cluster.put(1 - node, RuntimeCluster.key(partition, KEYS), "commits the new voters");
      cluster.stop(1 - node);
      cluster.awaitLeader(partition, node);
      for (int i = 0; i < KEYS; i++) {
        assertThat(cluster.get(node, RuntimeCluster.key(partition, i))).contains(value(i));
      }
    }
  }

  private static Path largestTable(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files
          .filter(file -> file.toString().endsWith(".sst"))
          .max(Comparator.comparingLong(DamagedDataTest::size))
          .orElse(folder.resolve("none"));
    }
  }

  private static long size(Path file) {
    try {
      return Files.exists(file) ? Files.size(file) : 0;
    } catch (IOException gone) {
      return 0;
    }
  }

  private static void flip(Path file, long offset) throws IOException {
    try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
      bytes.seek(offset);
      int old = bytes.read();
      bytes.seek(offset);
      bytes.write(old ^ 1);
    }
  }
}
