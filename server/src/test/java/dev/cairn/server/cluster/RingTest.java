// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cairn.protocol.Slots;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RingTest {
  private static final List<String> QUICK_START =
      List.of("127.0.0.1:5000", "127.0.0.1:5001", "127.0.0.1:5002");

  private static final int MYKEY_SLOT = Slots.of("mykey".getBytes(StandardCharsets.UTF_8));

  @Test
  void mykeyOfTheQuickStartLivesOn5000And5001() {
    List<ReplicaSet> sets = Ring.place(QUICK_START, 6, 2);

    assertThat(sets.get(Ring.partitionOfSlot(MYKEY_SLOT, 6)))
        .isEqualTo(
            new ReplicaSet(
                List.of("127.0.0.1:5000", "127.0.0.1:5001"), Optional.of("127.0.0.1:5002")));
  }

  @Test
  void threeNodesShareSixPartitionsExactly() {
    List<ReplicaSet> sets = Ring.place(QUICK_START, 6, 2);

    assertThat(leaders(sets).values()).containsExactly(2, 2, 2);
    assertThat(witnesses(sets).values()).containsExactly(2, 2, 2);
    assertThat(replicas(sets).values()).containsExactly(4, 4, 4);
  }

  @Test
  void placementIsTheSameInEveryRelease() {
    assertThat(Ring.place(QUICK_START, 6, 2).stream().map(RingTest::compact))
        .containsExactly("0 2 w1", "2 0 w1", "1 2 w0", "1 0 w2", "2 1 w0", "0 1 w2");
    assertThat(Ring.place(QUICK_START, 4, 3).stream().map(RingTest::compact))
        .containsExactly("0 1 2", "1 2 0", "2 0 1", "0 2 1");
  }

  @Test
  void fewerNodesThanCopiesRunWithWhatThereIs() {
    assertThat(Ring.place(List.of("a:1"), 2, 3))
        .containsOnly(new ReplicaSet(List.of("a:1"), Optional.empty()));
    assertThat(Ring.place(List.of("a:1", "b:1"), 8, 2))
        .allSatisfy(
            set -> {
              assertThat(set.replicas()).containsExactlyInAnyOrder("a:1", "b:1");
              assertThat(set.witness()).isEmpty();
            });
    assertThat(leaders(Ring.place(List.of("a:1", "b:1"), 8, 2)).values()).containsExactly(4, 4);
  }

  @Property(tries = 300)
  void everySetIsWholeAndNoNodeHoldsMoreThanItsShare(
      @ForAll @IntRange(min = 1, max = 24) int nodes,
      @ForAll @IntRange(min = 1, max = 64) int partitions,
      @ForAll @IntRange(min = 1, max = 7) int copiesWanted,
      @ForAll long seed) {
    List<String> names = randomNames(nodes, new Random(seed));
    int copies = Math.min(copiesWanted, nodes);

    List<ReplicaSet> sets = Ring.place(names, partitions, copiesWanted);

    assertThat(sets).hasSize(partitions);
    for (ReplicaSet set : sets) {
      assertThat(set.replicas()).hasSize(copies).doesNotHaveDuplicates().isSubsetOf(names);
      assertThat(set.witness().isPresent()).isEqualTo(copies % 2 == 0 && nodes > copies);
      set.witness().ifPresent(w -> assertThat(names).contains(w));
    }
    assertBalanced(sets, names, copies);
  }

  @Property(tries = 50)
  void orderOfNodesDoesNotMatter(
      @ForAll @IntRange(min = 1, max = 20) int nodes, @ForAll long seed) {
    Random random = new Random(seed);
    List<String> names = randomNames(nodes, random);
    List<String> shuffled = new ArrayList<>(names);
    Collections.shuffle(shuffled, random);

    assertThat(Ring.place(shuffled, 2 * nodes, 2)).isEqualTo(Ring.place(names, 2 * nodes, 2));
  }

  @Property(tries = 200)
  void slotsAreCutIntoRangesWithoutHoles(
      @ForAll @IntRange(min = 1, max = Slots.COUNT) int partitions) {
    assertThat(Ring.firstSlot(0, partitions)).isZero();
    assertThat(Ring.lastSlot(partitions - 1, partitions)).isEqualTo(Slots.COUNT - 1);
    int shortest = Slots.COUNT / partitions;
    for (int partition = 0; partition < partitions; partition++) {
      int first = Ring.firstSlot(partition, partitions);
      int last = Ring.lastSlot(partition, partitions);
      assertThat(last - first + 1).isBetween(shortest, shortest + 1);
      assertThat(Ring.partitionOfSlot(first, partitions)).isEqualTo(partition);
      assertThat(Ring.partitionOfSlot(last, partitions)).isEqualTo(partition);
    }
  }

  /** The simulation behind the bounds in the class' documentation. Names and seeds are fixed. */
  @ParameterizedTest
  @ValueSource(ints = {3, 4, 5, 6, 7, 8, 9, 10, 15, 20, 50, 100, 300, 1000})
  void balanceAndMovementHoldFromThreeToAThousandNodes(int nodes) {
    int clusters = nodes <= 20 ? 20 : nodes <= 100 ? 5 : 1;
    for (int copies : nodes <= 100 ? new int[] {1, 2, 3, 4, 5, 6, 7} : new int[] {1, 2, 3}) {
      double sum = 0;
      for (int cluster = 0; cluster < clusters; cluster++) {
        List<String> more = randomNames(nodes + 1, new Random(1000L * nodes + cluster));
        List<String> fewer = more.subList(0, nodes);
        List<ReplicaSet> before = Ring.place(fewer, 2 * nodes, copies);
        List<ReplicaSet> after = Ring.place(more, 2 * nodes, copies);

        assertBalanced(before, fewer, Math.min(copies, nodes));
        double joined = moved(before, after);
        double left = moved(after, before);
        assertThat(joined).as("a node joins, %d copies", copies).isLessThanOrEqualTo(5.0 / nodes);
        assertThat(left).as("a node leaves, %d copies", copies).isLessThanOrEqualTo(5.0 / nodes);
        sum += joined;
      }
      assertThat(sum / clusters).as("%d copies", copies).isLessThanOrEqualTo(3.0 / nodes);
    }
  }

  @Test
  void refusesWhatItCannotPlace() {
    assertThatThrownBy(() -> Ring.place(List.of(), 1, 1)).hasMessageContaining("not none");
    assertThatThrownBy(() -> Ring.place(List.of("a:1", "a:1"), 1, 1))
        .hasMessageContaining("distinct");
    assertThatThrownBy(() -> Ring.place(QUICK_START, 0, 2)).hasMessageContaining("1 to 16384");
    assertThatThrownBy(() -> Ring.place(QUICK_START, Slots.COUNT + 1, 2))
        .hasMessageContaining("1 to 16384");
    assertThatThrownBy(() -> Ring.place(QUICK_START, 6, 0)).hasMessageContaining("replication");
  }

  @Test
  void nodeHoldsNoMoreReplicasThanThereAre() {
    assertThat(Ring.replicasMax(3, 6, 2)).isEqualTo(4);
    assertThat(Ring.replicasMax(3, 7, 2)).isEqualTo(5);
    assertThat(Ring.replicasMax(1, 6, 2)).isEqualTo(6);
    assertThat(Ring.replicasMax(8, 16, 2)).isEqualTo(5);
    assertThat(Ring.replicasMax(8, 1, 2)).isEqualTo(1);
  }

  private static void assertBalanced(List<ReplicaSet> sets, List<String> names, int copies) {
    int replicasMax = Ring.replicasMax(names.size(), sets.size(), copies);
    int othersMax = ceilOfAverage(sets.size(), names.size()) + 1;
    assertThat(replicas(sets).values()).allMatch(count -> count <= replicasMax);
    assertThat(leaders(sets).values()).allMatch(count -> count <= othersMax);
    assertThat(witnesses(sets).values()).allMatch(count -> count <= othersMax);
  }

  private static int ceilOfAverage(int total, int nodes) {
    return (total + nodes - 1) / nodes;
  }

  /** Which part of the copies in {@code after} was not there before. */
  private static double moved(List<ReplicaSet> before, List<ReplicaSet> after) {
    long all = 0;
    long moved = 0;
    for (int partition = 0; partition < after.size(); partition++) {
      List<String> had = before.get(partition).replicas();
      List<String> has = after.get(partition).replicas();
      all += has.size();
      moved += has.stream().filter(node -> !had.contains(node)).count();
    }
    return (double) moved / all;
  }

  private static Map<String, Integer> replicas(List<ReplicaSet> sets) {
    Map<String, Integer> counts = new TreeMap<>();
    sets.forEach(set -> set.replicas().forEach(node -> counts.merge(node, 1, Integer::sum)));
    return counts;
  }

  private static Map<String, Integer> leaders(List<ReplicaSet> sets) {
    Map<String, Integer> counts = new TreeMap<>();
    sets.forEach(set -> counts.merge(set.replicas().get(0), 1, Integer::sum));
    return counts;
  }

  private static Map<String, Integer> witnesses(List<ReplicaSet> sets) {
    Map<String, Integer> counts = new TreeMap<>();
    sets.forEach(set -> set.witness().ifPresent(node -> counts.merge(node, 1, Integer::sum)));
    return counts;
  }

  private static List<String> randomNames(int count, Random random) {
    return IntStream.iterate(0, i -> i + 1)
        .mapToObj(
            i ->
                "10.%d.%d.%d:%d"
                    .formatted(
                        random.nextInt(256),
                        random.nextInt(256),
                        random.nextInt(256),
                        1024 + random.nextInt(40000)))
        .distinct()
        .limit(count)
        .toList();
  }

  /** Last digits of the ports: {@code "0 1 w2"}. */
  private static String compact(ReplicaSet set) {
    StringBuilder text = new StringBuilder();
    set.replicas().forEach(node -> text.append(node.charAt(node.length() - 1)).append(' '));
    set.witness().ifPresent(node -> text.append('w').append(node.charAt(node.length() - 1)));
    return text.toString().strip();
  }
}
