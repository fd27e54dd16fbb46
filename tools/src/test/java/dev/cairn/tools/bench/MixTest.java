// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Shares of operations, how keys are drawn, how inserted keys are numbered. Seeds are fixed. */
final class MixTest {
  private static final int DRAWS = 200_000;
  private static final int KEYS = 10_000;

  @Test
  void everyWorkloadHasItsShares() {
    for (Mix.Named named : Mix.Named.values()) {
      Map<Kind, Integer> drawn = draw(named.shares);
      named.shares.forEach(
          (kind, share) ->
              assertThat(drawn.getOrDefault(kind, 0) / (double) DRAWS)
                  .as("%s of %s", kind, named)
                  .isCloseTo(share / 100.0, within(0.005)));
      assertThat(drawn.keySet()).isEqualTo(named.shares.keySet());
    }
  }

  @Test
  void aMixOfOnesOwn() {
    Map<Kind, Integer> shares = Mix.parse("get=3,set=1,rmw=0");

    assertThat(shares).isEqualTo(Map.of(Kind.GET, 3, Kind.SET, 1));
    assertThat(draw(shares).get(Kind.SET) / (double) DRAWS).isCloseTo(0.25, within(0.005));
  }

  @Test
  void mistakesInAMixAreSaid() {
    for (String wrong :
        List.of("", "get", "get=", "get=x", "get=-1", "get=1000001", "scan=5", "get=1,,set=1")) {
      assertThatThrownBy(() -> Mix.parse(wrong)).hasMessageContaining("such as get=95,set=5");
    }
    assertThatThrownBy(() -> Mix.parse("get=1,get=2")).hasMessage("get is named twice");
    assertThatThrownBy(() -> Mix.parse("get=0")).hasMessage("one share at least must be above 0");
  }

  @Test
  void uniformKeysAreAskedForAlike() {
    int[] counts = counts(Distribution.UNIFORM, new Insertions(KEYS));

    for (int count : counts) {
      assertThat(count).isBetween(1, 60); // 20 on average, 4.5 the standard deviation
    }
  }

  /** The share of rank r is r^-0.99 by the sum of all: checked for the first ranks and the half. */
  @Test
  void zipfianKeysAreAsSkewedAsTheorySays() {
    int[] counts = counts(Distribution.ZIPFIAN, new Insertions(KEYS));
    double sum = 0;
    for (int rank = 1; rank <= KEYS; rank++) {
      sum += Math.pow(rank, -KeyChooser.EXPONENT);
    }
    int[] byCount = java.util.Arrays.stream(counts).map(count -> -count).sorted().toArray();
    double head = 0;
    double expectedHead = 0;
    for (int rank = 1; rank <= 100; rank++) {
      double expected = Math.pow(rank, -KeyChooser.EXPONENT) / sum;
      head += -byCount[rank - 1] / (double) DRAWS;
      expectedHead += expected;
      if (rank <= 5) {
        assertThat(-byCount[rank - 1] / (double) DRAWS)
            .as("rank %d", rank)
            .isCloseTo(expected, within(0.05 * expected));
      }
    }
    assertThat(head).isCloseTo(expectedHead, within(0.01));
    assertThat(expectedHead).isGreaterThan(0.5);
  }

  @Test
  void zipfianRanksAreScatteredOneToOne() {
    int few = 60; // with many divisors
    KeyChooser keys =
        KeyChooser.of(Distribution.ZIPFIAN, few, new Insertions(few), new SplittableRandom(3));
    boolean[] seen = new boolean[few];
    for (int i = 0; i < DRAWS; i++) {
      seen[(int) keys.next()] = true;
    }
    assertThat(seen).doesNotContain(false);
    int[] counts = counts(Distribution.ZIPFIAN, new Insertions(KEYS));
    int first = indexOfGreatest(counts, -1);
    assertThat(Math.abs(first - indexOfGreatest(counts, first))).isGreaterThan(100);
  }

  @Test
  void latestPrefersNewKeysAndFollowsInserts() {
    Insertions insertions = new Insertions(KEYS);
    int[] counts = counts(Distribution.LATEST, insertions);

    assertThat(indexOfGreatest(counts, -1)).isEqualTo(KEYS - 1);
    assertThat(counts[KEYS - 1]).isGreaterThan(counts[KEYS - 2]);
    assertThat(java.util.Arrays.stream(counts, KEYS - 100, KEYS).sum()).isGreaterThan(DRAWS / 2);

    long inserted = insertions.next();
    KeyChooser keys = KeyChooser.of(Distribution.LATEST, KEYS, insertions, new SplittableRandom(4));
    for (int i = 0; i < 1_000; i++) {
      assertThat(keys.next()).isLessThan(inserted); // still on its way
    }
    insertions.ended(inserted);
    boolean drawn = false;
    for (int i = 0; i < 1_000; i++) {
      drawn |= keys.next() == inserted;
    }
    assertThat(drawn).isTrue();
  }

  @Test
  void insertsEndInAnyOrder() {
    Insertions insertions = new Insertions(10);
    for (int i = 10; i < 14; i++) {
      assertThat(insertions.next()).isEqualTo(i);
    }
    insertions.ended(11);
    insertions.ended(13);
    assertThat(insertions.newest()).isEqualTo(9);
    insertions.ended(10);
    assertThat(insertions.newest()).isEqualTo(11);
    insertions.ended(12);
    assertThat(insertions.newest()).isEqualTo(13);
  }

  @Test
  void millionsOfInsertsNeedLittleMemoryWhileSomeAreAlwaysOnTheirWay() {
    Insertions insertions = new Insertions(1);
    long last = insertions.next();
    for (int i = 0; i < 3_000_000; i++) {
      long next = insertions.next();
      insertions.ended(last);
      assertThat(insertions.newest()).isEqualTo(last);
      last = next;
    }
    assertThat(insertions.spanned()).isLessThan(1_100_000);
  }

  private static Map<Kind, Integer> draw(Map<Kind, Integer> shares) {
    Mix mix = new Mix(shares, () -> 0, new Insertions(1), new SplittableRandom(1));
    Map<Kind, Integer> counts = new EnumMap<>(Kind.class);
    InFlight operation = new InFlight(0);
    for (int i = 0; i < DRAWS; i++) {
      mix.next(operation);
      counts.merge(operation.kind, 1, Integer::sum);
      mix.ended(operation);
    }
    return counts;
  }

  private static int[] counts(Distribution distribution, Insertions insertions) {
    KeyChooser keys = KeyChooser.of(distribution, KEYS, insertions, new SplittableRandom(2));
    int[] counts = new int[KEYS];
    for (int i = 0; i < DRAWS; i++) {
      counts[(int) keys.next()]++;
    }
    return counts;
  }

  private static int indexOfGreatest(int[] counts, int except) {
    int greatest = except == 0 ? 1 : 0;
    for (int i = 0; i < counts.length; i++) {
      if (i != except && counts[i] > counts[greatest]) {
        greatest = i;
      }
    }
    return greatest;
  }
}
