// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Three terminals, three commands, one cluster: {@code ./cairn node 5000}, 5001 and 5002 with no
 * other option. Needs these ports free.
 */
class QuickStartTest {
  private static final String SESSION =
      """
      PUT mykey myvalue
      GET mykey
      DELETE mykey
      """;

  private static final String ANSWERS =
      """
      [Node 5000] OK
      [Node 5001] OK
      [Node 5000] VALUE myvalue
      [Node 5000] OK
      [Node 5001] OK
      """;

  @RegisterExtension final Clusters clusters = Clusters.ofEachTest();

  @RepeatedTest(2)
  void threeNodesGivenNothingButTheirPortsAnswerTheSessionToTheLetter(RepetitionInfo repetition)
      throws Exception {
    try (ProcessCluster cluster = clusters.startHealthy(ProcessCluster.quickStart())) {
      answersTheSession(cluster);
      complainsOfNothing(cluster);
      if (repetition.getCurrentRepetition() == 1) {
        HttpDocs.run();
        new HttpContract().holdAll(cluster);
      }
    }
  }

  /** Once, by hand or before a release: {@code -Dcairn.quickstart.20=true}. */
  @Test
  @Timeout(600)
  @EnabledIfSystemProperty(named = "cairn.quickstart.20", matches = "true")
  void twentyFreshClustersOutOfTwenty() {
    for (int i = 0; i < 20; i++) {
      try (ProcessCluster cluster = clusters.startHealthy(ProcessCluster.quickStart())) {
        answersTheSession(cluster);
        complainsOfNothing(cluster);
      }
    }
  }

  private static void complainsOfNothing(ProcessCluster cluster) {
    for (int node : cluster.indexes()) {
      assertThat(cluster.node(node).log().lines()).noneMatch(QuickStartTest::isComplaint);
    }
  }

  /** A machine that stands still for a moment, or ports that open in turn, are no fault of it. */
  private static boolean isComplaint(String line) {
    return (line.contains("Z WARN ") || line.contains("Z ERROR "))
        && !line.contains("is down: not heard of")
        && !line.contains(" AcceptedConnection: ");
  }

  private static void answersTheSession(ProcessCluster cluster) {
    CommandRun shell = CommandRun.tool(SESSION, "shell");
    assertThat(shell.out()).as(shell.err()).isEqualTo(ANSWERS);
    assertThat(shell.exitStatus()).isZero();
    assertThat(CommandRun.tool("HELP getex\n", "shell").out())
        .as("from the node's table of commands")
        .startsWith(
            "GETEX key [EX seconds | PX milliseconds | EXAT time | PXAT time | PERSIST]  -  Returns")
        .contains("Since 6.2.0. O(1).");

    Status status = cluster.status();
    assertThat(status.replicationFactor()).isEqualTo(2);
    assertThat(status.nodes()).hasSize(3);
    assertThat(status.partitionList())
        .hasSize(6)
        .allSatisfy(
            partition -> {
              assertThat(partition.replicas()).hasSize(2);
              assertThat(partition.witness()).isNotNull();
              assertThat(partition.canLose()).isEqualTo(1);
            });
  }
}
