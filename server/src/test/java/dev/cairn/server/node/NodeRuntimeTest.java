// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cairn.server.operation.Reply;
import dev.cairn.server.partition.LogLimits;
import dev.cairn.server.raft.LogLostException;
import dev.cairn.server.storage.DurableFiles;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NodeRuntimeTest {
  private static final int KEYS = 20;

  @TempDir Path folder;

  @Test
  void threeNodesFormOneClusterAndServeEveryKeyThroughEveryNode() throws Exception {
    try (RuntimeCluster cluster = RuntimeCluster.start(folder, LogLimits.DEFAULT)) {
      for (int i = 0; i < KEYS; i++) {
        assertThat(cluster.write(i % 3, "key" + i, "value" + i)).isInstanceOf(Reply.Done.class);
      }
      for (int node = 0; node < 3; node++) {
        assertEveryKeyReads(cluster, node);
      }
    }
  }

  @Test
  @Tag("long")
  void acknowledgedWritesSurviveTheLossOfEachNodeAndARestartOfAll() throws Exception {
    try (RuntimeCluster cluster = RuntimeCluster.start(folder, LogLimits.DEFAULT)) {
      for (int i = 0; i < KEYS; i++) {
        cluster.put(0, "key" + i, "value" + i);
      }
      for (int lost = 0; lost < 3; lost++) {
        cluster.stop(lost);
        assertEveryKeyReads(cluster, (lost + 1) % 3);
        cluster.start(lost);
        cluster.awaitLeaders();
      }
      for (int node = 0; node < 3; node++) {
        cluster.stop(node);
      }
      for (int node = 0; node < 3; node++) {
        cluster.start(node);
      }
      assertEveryKeyReads(cluster, 0);
    }
  }

  @Test
  void aNodeWhoseLogIsGoneDoesNotGoOnWithAnEmptyOne() throws Exception {
    try (RuntimeCluster cluster = RuntimeCluster.start(folder, LogLimits.DEFAULT)) {
      cluster.stop(1);
      DurableFiles.deleteTree(cluster.folder(1).resolve(NodeRuntime.LOG));
      assertThatThrownBy(() -> cluster.start(1))
          .isInstanceOf(LogLostException.class)
          .hasMessageContaining("is gone");
    }
  }

  private static void assertEveryKeyReads(RuntimeCluster cluster, int node) {
    for (int i = 0; i < KEYS; i++) {
      assertThat(cluster.get(node, "key" + i)).contains("value" + i);
    }
  }
}
