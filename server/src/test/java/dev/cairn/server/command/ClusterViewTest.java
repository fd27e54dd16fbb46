// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.protocol.Slots;
import dev.cairn.protocol.Topology;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ClusterViewTest {
  private static final Topology.Node A = node("a", true);
  private static final Topology.Node B = node("b", true);
  private static final Topology.Node C = node("c", true);

  @Test
  void nodeThatLeadsIsAReplicaOfNothing() {
    ClusterView view = view(List.of(A, B, C), placed("a", "ab"), placed("b", "bc"));

    assertThat(owners(view, 2)).containsExactly(A, B);
    assertThat(view.masterOf(A)).isEmpty();
    assertThat(view.masterOf(B)).isEmpty();
    assertThat(view.masterOf(C)).hasValue(B);
    assertThat(view.replicas(partition(0, placed("a", "ab")))).isEmpty();
    assertThat(view.replicas(partition(1, placed("b", "bc")))).containsExactly(C);
  }

  @Test
  void rangeWithoutALeaderIsOwnedByACopyThatIsUp() {
    assertThat(owners(view(List.of(A, B, C), placed("", "ab"), placed("", "bc")), 2))
        .as("A tells it, and is up for certain")
        .containsExactly(A, B);
    assertThat(owners(view(List.of(A, down(B), C), placed("", "bc")), 1)).containsExactly(C);
    assertThat(owners(view(List.of(A, down(B), down(C)), placed("", "bc")), 1)).containsExactly(A);
  }

  @Test
  void leaderIsToldUntilAnotherIsKnown() {
    assertThat(owners(view(List.of(A, down(B), C), placed("b", "bc")), 1)).containsExactly(down(B));
  }

  @Test
  void leaderWithoutAClusterPortIsNoHole() {
    Topology.Node hidden = new Topology.Node("b", "127.0.0.1", 5001, 0, true);
    ClusterView view = view(List.of(A, hidden, C), placed("b", "bc"), placed("a", "ab"));

    assertThat(owners(view, 2)).containsExactly(C, A);
    assertThat(view.nodes()).containsExactly(A, C);
  }

  @Test
  void nodeWithoutACopyIsAMasterWithoutSlots() {
    ClusterView view = view(List.of(A, B, C), placed("a", "ab"));

    assertThat(view.masterOf(C)).isEmpty();
    assertThat(view.owned(C)).isEmpty();
  }

  private record Placed(String leader, String replicas) {}

  private static Placed placed(String leader, String replicas) {
    return new Placed(leader, replicas);
  }

  private static ClusterView view(List<Topology.Node> nodes, Placed... all) {
    List<Topology.Partition> partitions = new ArrayList<>();
    for (int i = 0; i < all.length; i++) {
      partitions.add(partition(i, all[i]));
    }
    return new ClusterView(new Topology("d", 1, nodes, partitions), "a");
  }

  private static Topology.Partition partition(int index, Placed placed) {
    return new Topology.Partition(
        index,
        index * 100,
        Math.min(index * 100 + 99, Slots.COUNT - 1),
        placed.replicas().chars().mapToObj(Character::toString).toList(),
        Optional.empty(),
        placed.leader().isEmpty() ? Optional.empty() : Optional.of(placed.leader()));
  }

  private static List<Topology.Node> owners(ClusterView view, int partitions) {
    List<Topology.Node> owners = new ArrayList<>();
    for (int i = 0; i < partitions; i++) {
      owners.add(view.owner(partition(i, placed("", ""))).orElseThrow());
    }
    return owners;
  }

  private static Topology.Node node(String id, boolean up) {
    return new Topology.Node(id, "127.0.0.1", 5000, 25_000, up);
  }

  private static Topology.Node down(Topology.Node node) {
    return node(node.id(), false);
  }
}
