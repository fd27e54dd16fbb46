// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cairn.server.cluster.ClusterState;
import dev.cairn.server.cluster.Member;
import dev.cairn.server.node.NodeIdentity.FormedCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NodeIdentityTest {
  private static final String NODE = "0123456789abcdef0123456789abcdef01234567";
  private static final String CLUSTER = "89abcdef0123456789abcdef0123456789abcdef";

  /** Today's bytes: a release that cannot read them cannot start on today's data. */
  private static final String GOLDEN_FORMED =
      """
      # Who this node is. Written by Cairn; a changed or copied file is another node's.
      format: 2
      nodeId: "0123456789abcdef0123456789abcdef01234567"
      name: "127.0.0.1:5000"
      clusterId: "89abcdef0123456789abcdef0123456789abcdef"
      replicationFactor: 2
      partitions: 6
      members:
      - id: "0123456789abcdef0123456789abcdef01234567"
        name: "127.0.0.1:5000"
        host: "127.0.0.1"
        clientPort: 5000
        clusterPort: 25000
        peerHost: "127.0.0.1"
        peerPort: 15000
        incarnation: 1
        start: 7
      """;

  private static final String GOLDEN_NEW =
      """
      # Who this node is. Written by Cairn; a changed or copied file is another node's.
      format: 2
      nodeId: "0123456789abcdef0123456789abcdef01234567"
      name: "127.0.0.1:5000"
      clusterId: null
      replicationFactor: null
      partitions: null
      members: null
      """;

  private static final NodeIdentity FRESH =
      new NodeIdentity(NODE, "127.0.0.1:5000", Optional.empty());
  private static final NodeIdentity FORMED =
      FRESH.formed(
          new FormedCluster(
              CLUSTER,
              2,
              6,
              List.of(
                  new Member(
                      NODE,
                      "127.0.0.1:5000",
                      "127.0.0.1",
                      5000,
                      25000,
                      "127.0.0.1",
                      15000,
                      1,
                      7))));

  @TempDir Path parent;
  private DataFolder folder;

  @BeforeEach
  void openFolder() throws StartException {
    folder = DataFolder.open(parent.resolve("data"));
  }

  @AfterEach
  void closeFolder() throws IOException {
    folder.close();
  }

  @Test
  void aNewFolderHasNone() throws StartException {
    assertThat(NodeIdentity.load(folder)).isEmpty();
  }

  @Test
  void isWrittenAndReadInTodaysBytes() throws Exception {
    FRESH.save(folder);
    assertThat(file()).hasContent(GOLDEN_NEW);
    assertThat(NodeIdentity.load(folder)).contains(FRESH);

    FORMED.save(folder);
    assertThat(Files.readString(file())).isEqualTo(GOLDEN_FORMED);
    assertThat(NodeIdentity.load(folder)).contains(FORMED);
    assertThat(parent.resolve("data/node.yaml.tmp")).doesNotExist();
  }

  @Test
  void idsAreRandom() {
    Random random = new Random(1);
    NodeIdentity first = NodeIdentity.create("a:1", random);
    NodeIdentity second = NodeIdentity.create("a:1", random);

    assertThat(first.nodeId()).matches("[0-9a-f]{40}").isNotEqualTo(second.nodeId());
    assertThat(first.cluster()).isEmpty();
  }

  @Test
  void clusterStateAndBack() {
    FormedCluster cluster = FORMED.cluster().orElseThrow();
    ClusterState state = cluster.state();

    assertThat(state.epoch()).isZero();
    assertThat(FormedCluster.of(state)).isEqualTo(cluster);
  }

  @Test
  void anUnknownFormatIsRefusedNamingBoth() throws IOException {
    Files.writeString(file(), GOLDEN_FORMED.replace("format: 2", "format: 3\nnew: thing"));
    assertThatThrownBy(() -> NodeIdentity.load(folder))
        .isInstanceOf(StartException.class)
        .hasMessageContaining("format 3")
        .hasMessageContaining("format 2");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "format: 2\n",
        "format: 2\nnodeId: abc\nname: \"a:1\"\n",
        "format: 2\nnodeId: [\n",
        "format: 2\nextra: 1\n",
      })
  void damageIsToldAsSuch(String text) throws IOException {
    Files.writeString(file(), text);
    assertThatThrownBy(() -> NodeIdentity.load(folder))
        .isInstanceOf(StartException.class)
        .hasMessageContaining("is damaged")
        .hasMessageNotContaining("\n");
  }

  private Path file() {
    return parent.resolve("data").resolve(NodeIdentity.FILE);
  }
}
