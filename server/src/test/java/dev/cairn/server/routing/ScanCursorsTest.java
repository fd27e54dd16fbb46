// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.routing;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Cursors: what they stand for, and that what is kept of them is bounded. */
final class ScanCursorsTest {
  private final ScanCursors cursors = new ScanCursors(new Random(7)::nextLong);

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 6, 7, 12, 4095, 4096, 16_384})
  void aPlaceInAnyPartitionComesBack(int partitions) {
    for (int partition : List.of(0, partitions / 2, partitions - 1)) {
      for (int node : List.of(0, 1, 1023, 1024)) {
        long cursor = cursors.cursor(0, partitions, node, place(partition, "key"));
        assertThat(cursor).isPositive().isLessThan(1L << 53);
        int meant = ScanCursors.node(cursor, partitions).orElseThrow();
        assertThat(ScanCursors.isNode(node, meant)).isTrue();
        assertThat(ScanCursors.isNode(node + 1, meant)).isFalse();
        ScanPosition position = cursors.find(cursor, partitions).orElseThrow();
        assertThat(position.partition()).isEqualTo(partition);
        assertThat(position.from()).isEqualTo("key".getBytes(UTF_8));
        long next = cursors.cursor(cursor, partitions, node, ScanPosition.startOf(partition));
        assertThat(next).as("a small number that every node knows").isEqualTo(partition);
        assertThat(ScanCursors.node(next, partitions)).isEmpty();
      }
    }
  }

  @Test
  void anUnknownCursorIsThePartitionsStart() {
    long cursor = cursors.cursor(0, 6, 2, place(4, "key"));
    ScanCursors afterRestart = new ScanCursors(new Random(8)::nextLong);
    afterRestart.cursor(0, 6, 2, place(4, "other"));
    assertThat(afterRestart.find(cursor, 6)).isEmpty();
    assertThat(start(cursor)).isEqualTo(4);
    assertThat(cursors.find(cursor ^ 1, 6)).as("the token of another partition's place").isEmpty();
    assertThat(start(cursor ^ 1)).isEqualTo(5);
    for (long garbage : List.of(6L, 7L, -1L, Long.MAX_VALUE, Long.MIN_VALUE + 6)) {
      assertThat(cursors.find(garbage, 6)).isEmpty();
      assertThat(start(garbage)).isZero();
    }
  }

  private static int start(long cursor) {
    return ScanCursors.start(cursor, 6).partition();
  }

  @Test
  void aScanHoldsTwoPlacesSoThatAStepCanBeRepeated() {
    long before = 0;
    long cursor = 0;
    for (int step = 0; step < 1_000; step++) {
      before = cursor;
      cursor = cursors.cursor(cursor, 6, 0, place(1, "key" + step));
    }
    assertThat(cursors.size()).isEqualTo(2);
    assertThat(cursors.find(before, 6).orElseThrow().from()).isEqualTo("key998".getBytes(UTF_8));
    assertThat(cursors.find(cursor, 6).orElseThrow().from()).isEqualTo("key999".getBytes(UTF_8));
  }

  @Test
  void placesAreBoundedAndTheOneUnusedForLongestGoes() {
    long kept = cursors.cursor(0, 6, 0, place(2, "kept"));
    List<Long> others = new ArrayList<>();
    for (int scan = 0; scan < ScanCursors.PLACES_MAX; scan++) {
      cursors.find(kept, 6);
      others.add(cursors.cursor(0, 6, 0, place(2, "other" + scan)));
    }
    assertThat(cursors.size()).isEqualTo(ScanCursors.PLACES_MAX);
    assertThat(cursors.find(kept, 6).orElseThrow().from()).isEqualTo("kept".getBytes(UTF_8));
    assertThat(cursors.find(others.get(0), 6)).isEmpty();
    assertThat(cursors.find(others.get(1), 6)).isPresent();
    String long64k = "k".repeat(65_536);
    for (int scan = 0; scan < 2 * ScanCursors.BYTES_MAX / 65_536; scan++) {
      cursors.cursor(0, 6, 0, place(2, long64k));
    }
    assertThat(cursors.size()).isEqualTo((int) (ScanCursors.BYTES_MAX / 65_536));
  }

  private static ScanPosition place(int partition, String key) {
    return new ScanPosition(partition, key.getBytes(UTF_8));
  }
}
