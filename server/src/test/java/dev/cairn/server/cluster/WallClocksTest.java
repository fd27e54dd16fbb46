// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class WallClocksTest {
  private static final long EPOCH = 1_800_000_000_000L;
  private static final long HOURS = TimeUnit.HOURS.toMillis(5);
  private static final List<String> NODES = List.of("a", "b", "c");

  private final WallClocks clocks = new WallClocks();
  private final ClusterClock clusterClock = new ClusterClock();
  private long millis = -12_345; // a monotonic clock may begin anywhere

  private void allRightFor(long forMillis) {
    for (long end = millis + forMillis; millis < end; millis += 500) {
      NODES.forEach(node -> read(node, 0));
    }
  }

  private void read(String node, long wrongMillis) {
    clocks.read(node, right() + wrongMillis, TimeUnit.MILLISECONDS.toNanos(millis));
  }

  private long right() {
    return EPOCH + millis;
  }

  private Optional<WallTime> time(String... up) {
    return clocks.time(List.of(up), NODES.size(), TimeUnit.MILLISECONDS.toNanos(millis));
  }

  private long told(String... up) {
    return clusterClock.millis(time(up), TimeUnit.MILLISECONDS.toNanos(millis)).orElseThrow();
  }

  @Test
  void isUnknownWithoutAMajority() {
    allRightFor(5_000);
    assertThat(time("a")).isEmpty();
    assertThat(time("a", "b")).isPresent();
  }

  @Test
  void isNotSureBeforeTheClocksWereSeenForAWhile() {
    allRightFor(1_000);
    WallTime time = time("a", "b", "c").orElseThrow();
    assertThat(time.earliest()).isEmpty();
    assertThat(time.latest()).isEmpty();
    assertThat(time.apparent()).isEqualTo(right());
  }

  @Test
  void clockThatGoesWrongAsAnotherIsSetRightMovesNothing() {
    allRightFor(5_000);
    read("a", HOURS);
    millis += 100; // a is right again, which its next report will say; b goes wrong
    read("b", HOURS);
    WallTime time = time("a", "b", "c").orElseThrow();
    assertThat(time.apparent()).isEqualTo(right() + HOURS); // where a median would go
    assertThat(time.earliest()).hasValue(right());
  }

  @Test
  void allClocksThatAreSetAnewAreFollowedAfterAWhile() {
    allRightFor(5_000);
    for (int i = 0; i < 8; i++, millis += 500) {
      NODES.forEach(node -> read(node, HOURS));
    }
    assertThat(time("a", "b", "c").orElseThrow().earliest()).hasValue(right() + HOURS);
    assertThat(told("a", "b", "c")).isEqualTo(right() + HOURS);
  }

  @Test
  void ofTwoNodesTheTimeBeforeTellsWhichIsRight() {
    allRightFor(5_000);
    assertThat(told("a", "b", "c")).isEqualTo(right());
    for (int i = 0; i < 8; i++, millis += 500) {
      read("a", 0);
      read("b", i < 4 ? -HOURS : HOURS);
    }
    assertThat(told("a", "b")).isEqualTo(right());
  }

  @Test
  void oneWrongClockAtATimeMovesNothingHoweverQuicklyTheyTakeTurns() {
    for (long seed = 0; seed < 300; seed++) {
      Random random = new Random(seed);
      Turns turns = new Turns(random);
      for (int i = 0; i < 4_000; i++, millis += 10) {
        turns.pass();
        if (i * 10L > 2 * WallClocks.KEPT_MILLIS) {
          List<String> up = turns.up();
          Optional<WallTime> time = time(up.toArray(new String[0]));
          if (time.isPresent()) {
            String where = "seed %d, step %d, up %s".formatted(seed, i, up);
            long earliest = time.get().earliest().orElse(right());
            long latest = time.get().latest().orElse(right());
            assertThat(earliest).as(where).isLessThanOrEqualTo(right());
            assertThat(latest).as(where).isGreaterThanOrEqualTo(right() - Turns.WAY_MILLIS_MAX);
          }
        }
      }
    }
  }

  /** Each node reports about twice a second; one clock at a time is hours ahead or behind. */
  private final class Turns {
    static final long WAY_MILLIS_MAX = 300;

    private final Random random;
    private final long[] nextReport = new long[NODES.size()];
    private final long[] lastHeard = new long[NODES.size()];
    private final List<Runnable> onTheWay = new ArrayList<>();
    private final List<Long> arrivals = new ArrayList<>();
    private int wrong;
    private long wrongBy;
    private long turnAt;

    Turns(Random random) {
      this.random = random;
    }

    void pass() {
      if (millis >= turnAt) {
        wrong = random.nextInt(NODES.size());
        wrongBy = random.nextBoolean() ? HOURS : -HOURS;
        turnAt = millis + random.nextInt(3_000);
      }
      for (int i = 0; i < NODES.size(); i++) {
        if (millis >= nextReport[i]) {
          nextReport[i] = millis + 500 + (random.nextInt(20) == 0 ? random.nextInt(4_000) : 0);
          report(i);
        }
      }
      for (int i = 0; i < arrivals.size(); i++) {
        if (millis >= arrivals.get(i)) {
          arrivals.remove(i);
          onTheWay.remove(i--).run();
        }
      }
    }

    private void report(int node) {
      long says = right() + (node == wrong ? wrongBy : 0);
      long way = node == 0 ? 0 : random.nextLong(WAY_MILLIS_MAX); // node 0 is the one that asks
      arrivals.add(millis + way);
      onTheWay.add(
          () -> {
            lastHeard[node] = millis;
            clocks.read(NODES.get(node), says, TimeUnit.MILLISECONDS.toNanos(millis));
          });
    }

    List<String> up() {
      List<String> up = new ArrayList<>();
      for (int i = 0; i < NODES.size(); i++) {
        if (millis - lastHeard[i] < Membership.DOWN_AFTER_MILLIS) {
          up.add(NODES.get(i));
        }
      }
      return up;
    }
  }
}
