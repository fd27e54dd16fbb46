// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.cairn.client.CairnClient;
import dev.cairn.client.RefusedException;
import dev.cairn.testkit.fault.ShimmedDisk;
import dev.cairn.testkit.fault.SmallDisks;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Disks fail, fill and forget at one node; the cluster goes on, and nothing acknowledged is lost.
 */
@Tag("faults")
@Timeout(240)
class DiskFaultsTest {
  private static final int PAIRS_PER_SECOND = 300;
  private static final int DISK_FAILED = 3;
  private static final int FEW_PAIRS_PER_SECOND = 15;
  private static final int VOTE_TOO_LATE_MILLIS = 2_500;
  private static final Duration HAND_OVER_WINDOW = Duration.ofSeconds(8);
  private static final long HAND_OVERS_MAX = 2; // at once and after 5 s, not each 2 s
  private static final Pattern HAND_OVER = Pattern.compile("partition=[0-9]+ hands leadership to");
  private static final String KEY = "mykey";
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @RegisterExtension final Clusters clusters = Clusters.ofEachTest();

  @Test
  void anFsyncThatFailsEndsTheProcessAndTheOthersGoOn() {
    ShimmedDisk disk = ShimmedDisk.build();
    ProcessCluster cluster = clusters.startHealthy(ProcessCluster.of(3).in(disk));
    underLoad(
        cluster,
        load -> {
          int leader = cluster.leaderOf(KEY);
          disk.failSyncs(leader, ShimmedDisk.EIO, "");
          assertThat(cluster.node(leader).awaitEnd(PATIENCE)).isEqualTo(DISK_FAILED);
          assertThat(cluster.node(leader).log()).contains("an fsync on it").contains("status 3");
          load.awaitProgress(PAIRS_PER_SECOND);
          disk.heal(leader);
          cluster.start(leader);
          cluster.awaitHealthy();
        });
  }

  @Test
  void aLeaderWithASlowDiskLosesNothing() {
    ShimmedDisk disk = ShimmedDisk.build();
    ProcessCluster cluster = clusters.startHealthy(ProcessCluster.of(3).in(disk));
    underLoad(
        cluster,
        load -> {
          int leader = cluster.leaderOf(KEY);
          disk.slowSyncs(leader, 300);
          load.awaitProgress(PAIRS_PER_SECOND);
          disk.heal(leader);
          load.awaitProgress(PAIRS_PER_SECOND);
          cluster.awaitHealthy();
        });
  }

  /** With a disk that takes so long for a vote it follows well, where little is written. */
  @Test
  void aReplicaThatCannotTakeLeadershipIsHandedItEverMoreSeldom() {
    ShimmedDisk disk = ShimmedDisk.build();
    ProcessCluster cluster = clusters.startHealthy(ProcessCluster.of(3).in(disk));
    List<Map.Entry<String, String>> pairs = Pairs.packages().subList(0, 600); // 40 s
    CairnClient client = cluster.client().deadline(Duration.ofSeconds(10)).build();
    try (SteadyLoad load = SteadyLoad.start(client, pairs, FEW_PAIRS_PER_SECOND)) {
      load.awaitProgress(FEW_PAIRS_PER_SECOND);
      int preferred = cluster.replicasOf(KEY).get(0);
      await().atMost(PATIENCE).until(() -> cluster.leaderOf(KEY) == preferred);
      disk.slowSyncs(preferred, VOTE_TOO_LATE_MILLIS);
      cluster.pause(preferred);
      await().atMost(PATIENCE).until(() -> cluster.leaderOf(KEY) != preferred);
      long before = mostHandOversOfAPartition(cluster);
      cluster.resume(preferred);
      await().atMost(PATIENCE).until(() -> mostHandOversOfAPartition(cluster) > before);
      await().timeout(PATIENCE).pollDelay(HAND_OVER_WINDOW).until(() -> true);
      assertThat(mostHandOversOfAPartition(cluster) - before)
          .as(cluster.logTails())
          .isLessThanOrEqualTo(HAND_OVERS_MAX);
      disk.heal(preferred);
    }
  }

  private static long mostHandOversOfAPartition(ProcessCluster cluster) {
    return cluster.indexes().stream()
        .flatMap(node -> cluster.node(node).log().lines())
        .map(HAND_OVER::matcher)
        .filter(Matcher::find)
        .collect(Collectors.groupingBy(Matcher::group, Collectors.counting()))
        .values()
        .stream()
        .max(Comparator.naturalOrder())
        .orElse(0L);
  }

  @Test
  void aDiskThatIsFullToTheLastByteStopsItsNodeOnlyAndComesBackByItself() {
    SmallDisks disks = SmallDisks.of(512);
    ProcessCluster cluster = clusters.startHealthy(ProcessCluster.of(3).in(disks));
    underLoad(
        cluster,
        load -> {
          int leader = cluster.leaderOf(KEY);
          long process = cluster.node(leader).pid();
          disks.fillUpTo(leader, 0);
          load.awaitProgress(PAIRS_PER_SECOND);
          await().atMost(PATIENCE).until(() -> !cluster.status().healthy());
          disks.free(leader);
          cluster.awaitHealthy();
          load.awaitProgress(PAIRS_PER_SECOND);
          assertThat(cluster.node(leader).pid()).as("the same process").isEqualTo(process);
          assertThat(cluster.node(leader).running()).isTrue();
        });
  }

  @Test
  void withoutRoomOnAMajorityWritesAreRefusedWhileReadsAndDeletesGoOn() {
    SmallDisks disks = SmallDisks.of(512);
    ProcessCluster cluster = clusters.startHealthy(ProcessCluster.of(3).in(disks));
    try (CairnClient client = cluster.client().build()) {
      client.put("kept", "value");
      client.put("deleted", "value");
      cluster.indexes().forEach(node -> disks.fillUpTo(node, 8 << 20));
      await().atMost(PATIENCE).until(() -> refused(client));
      assertThat(cluster.status().problems())
          .anyMatch(problem -> problem.text().contains("MiB left"));
      assertThat(client.get("kept")).hasValue("value");
      assertThat(client.delete("deleted")).isTrue();
      assertThatThrownBy(() -> client.put(KEY, "more")).hasMessageContaining("room");
      cluster.indexes().forEach(disks::free);
      await().atMost(PATIENCE).until(() -> !refused(client));
    }
    cluster.awaitHealthy();
  }

  private static boolean refused(CairnClient client) {
    try {
      client.put(KEY, "value");
      return false;
    } catch (RefusedException e) {
      return e.getMessage().contains("room");
    }
  }

  private static void underLoad(ProcessCluster cluster, Consumer<SteadyLoad> story) {
    CairnClient client = cluster.client().deadline(Duration.ofSeconds(10)).build();
    List<Map.Entry<String, String>> pairs = Pairs.packages().subList(0, 1_000);
    try (SteadyLoad load = SteadyLoad.start(client, pairs, PAIRS_PER_SECOND)) {
      load.awaitProgress(PAIRS_PER_SECOND);
      story.accept(load);
      load.finish();
      try (CairnClient reader = cluster.client().deadline(Duration.ofSeconds(20)).build()) {
        assertThat(load.differences(reader)).isEmpty();
      }
    }
  }
}
