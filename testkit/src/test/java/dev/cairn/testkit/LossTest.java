// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.client.CairnClient;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Nodes die, what was acknowledged stays. */
@Tag("nightly")
@Tag("loaded")
class LossTest {
  /**
   * By hand or before a release, all the real pairs at five times the rate, each node killed twice:
   * {@code -Dcairn.loss.file=FILE.tsv.gz -Dcairn.loss.rate=1000 -Dcairn.loss.rounds=2}.
   */
  private static final int PAIRS_PER_SECOND = Integer.getInteger("cairn.loss.rate", 200);

  private static final int ROUNDS = Integer.getInteger("cairn.loss.rounds", 1);

  private static final Optional<Path> FILE =
      Optional.ofNullable(System.getProperty("cairn.loss.file")).map(Path::of);

  @RegisterExtension final Clusters clusters = Clusters.ofEachTest();

  @Test
  @Timeout(600)
  void nothingAcknowledgedIsLostWhileOneNodeAfterTheOtherIsKilledAndThenAllAtOnce() {
    ProcessCluster cluster = clusters.startHealthy(ProcessCluster.of(3));
    CairnClient client = cluster.client().deadline(Duration.ofSeconds(10)).build();
    List<Map.Entry<String, String>> pairs = FILE.map(Pairs::of).orElseGet(Pairs::packages);
    try (SteadyLoad load = SteadyLoad.start(client, pairs, PAIRS_PER_SECOND)) {
      load.awaitProgress(PAIRS_PER_SECOND);
      for (int round = 0; round < ROUNDS; round++) {
        for (int node : cluster.indexes()) {
          cluster.kill(node);
          load.awaitProgress(PAIRS_PER_SECOND);
          cluster.start(node);
          cluster.awaitHealthy();
          // Each kill of each node lies inside the load.
          load.awaitProgress(PAIRS_PER_SECOND / 4);
        }
      }
      load.finish();
      assertThat(load.acknowledged()).isGreaterThanOrEqualTo(pairs.size() * 9L / 10);
      everyAcknowledgedPairIsThereThroughEachNode(cluster, load);

      cluster.killAll();
      cluster.indexes().forEach(cluster::start);
      cluster.awaitHealthy();
      everyAcknowledgedPairIsThereThroughEachNode(cluster, load);
      System.out.printf(
          "load under kills: %d acknowledged, %d unknown, %d failed %s, longest pause %d ms%n",
          load.acknowledged(),
          load.unknown(),
          load.failed(),
          load.reasons(),
          load.longestPause().toMillis());
    }
  }

  @Test
  @Timeout(300)
  void withAnyOneNodeDownForGoodEveryKeyIsWrittenAndReadThroughEitherOther() {
    ProcessCluster cluster = clusters.startHealthy(ProcessCluster.of(3));
    List<String> keys = Pairs.packages().stream().limit(300).map(Map.Entry::getKey).toList();
    try (CairnClient client = cluster.client().build()) {
      keys.forEach(key -> client.put(key, "before"));
    }
    for (int down : cluster.indexes()) {
      cluster.kill(down);
      cluster.awaitLeaders();
      List<Integer> others = cluster.indexes().stream().filter(node -> node != down).toList();
      int writer = others.get(0);
      int reader = others.get(1);
      everyKeyIsWrittenThroughOneAndReadThroughTheOther(cluster, keys, writer, reader);
      everyKeyIsWrittenThroughOneAndReadThroughTheOther(cluster, keys, reader, writer);
      cluster.start(down);
      cluster.awaitHealthy();
    }
  }

  private static void everyKeyIsWrittenThroughOneAndReadThroughTheOther(
      ProcessCluster cluster, List<String> keys, int writer, int reader) {
    String value = "through " + writer + " with its peer " + reader;
    try (CairnClient write = cluster.clientThrough(writer).build();
        CairnClient read = cluster.clientThrough(reader).build()) {
      for (String key : keys) {
        write.put(key, value);
        assertThat(read.get(key)).as("key %s", key).hasValue(value);
      }
    }
  }

  private static void everyAcknowledgedPairIsThereThroughEachNode(
      ProcessCluster cluster, SteadyLoad load) {
    for (int node : cluster.indexes()) {
      try (CairnClient reader =
          cluster.clientThrough(node).deadline(Duration.ofSeconds(20)).build()) {
        assertThat(load.differences(reader)).as("through node %d", node).isEmpty();
      }
    }
  }
}
