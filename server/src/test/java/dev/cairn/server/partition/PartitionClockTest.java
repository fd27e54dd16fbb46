// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.server.cluster.WallTime;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class PartitionClockTest {
  private long nanos = 17;
  private OptionalLong median = OptionalLong.empty();
  private boolean sure = true;
  private final PartitionClock clock = new PartitionClock(() -> nanos, this::time);

  private Optional<WallTime> time() {
    OptionalLong bound = sure ? median : OptionalLong.empty();
    return median.isPresent()
        ? Optional.of(new WallTime(bound, bound, median.getAsLong()))
        : Optional.empty();
  }

  private void pass(long millis) {
    nanos += TimeUnit.MILLISECONDS.toNanos(millis);
  }

  @Test
  void aloneItFollowsTheMonotonicClockFromWhereTheLogWas() {
    clock.start(5_000);
    pass(1_234);
    assertThat(clock.nowMillis()).isEqualTo(6_234);
  }

  @Test
  void aLogWithoutTimeHasNoneUntilAMajorityOfTheClocksIsHeard() {
    clock.start(0);
    assertThat(clock.known()).isFalse();
    median = OptionalLong.of(1_790_000_000_000L);
    sure = false;
    assertThat(clock.known()).isTrue();
    assertThat(clock.nowMillis()).isEqualTo(1_790_000_000_000L);
    median = OptionalLong.empty();
    pass(10);
    assertThat(clock.known()).isTrue();
    assertThat(clock.nowMillis()).isEqualTo(1_790_000_000_010L);
  }

  @Test
  void termBeginsAtTheMedianWhenThatIsAhead() {
    median = OptionalLong.of(9_000);
    clock.start(5_000);
    assertThat(clock.nowMillis()).isEqualTo(9_000);
  }

  @Test
  void termBeginsAtTheLogWhenTheMedianIsBehind() {
    median = OptionalLong.of(3_000);
    clock.start(5_000);
    assertThat(clock.nowMillis()).isEqualTo(5_000);
  }

  @Test
  void aheadOfTheMedianItRunsAtHalfSpeedUntilThatHasCaughtUp() {
    median = OptionalLong.of(4_900);
    clock.start(5_000);
    pass(200);
    assertThat(clock.nowMillis()).isEqualTo(5_100);
    pass(800);
    median = OptionalLong.of(5_900);
    assertThat(clock.nowMillis()).isEqualTo(5_900);
    pass(100);
    assertThat(clock.nowMillis()).isEqualTo(6_000);
  }

  @Test
  void jumpOfTheMedianIsSeenAtTheNextLookOnly() {
    clock.start(5_000);
    median = OptionalLong.of(50_000);
    pass(999);
    assertThat(clock.nowMillis()).isEqualTo(5_999);
    pass(1);
    assertThat(clock.nowMillis()).isEqualTo(50_000);
  }

  @Test
  void termThatBeginsUnsureGoesNoFurtherThanARestartTakes() {
    sure = false;
    median = OptionalLong.of(10_000_000);
    clock.start(5_000);
    assertThat(clock.nowMillis()).isEqualTo(5_000 + PartitionClock.UNSURE_MILLIS_MAX);
    pass(1_000);
    assertThat(clock.nowMillis()).isEqualTo(6_000 + PartitionClock.UNSURE_MILLIS_MAX);
    sure = true;
    pass(1_000);
    assertThat(clock.nowMillis()).isEqualTo(10_000_000);
  }

  @Test
  void firstTermOfAllBeginsAtWhatTheClocksSeemToSay() {
    sure = false;
    median = OptionalLong.of(10_000_000);
    clock.start(0);
    assertThat(clock.nowMillis()).isEqualTo(10_000_000);
  }

  @Test
  void clocksThatDisagreeNeitherPushNorSlow() {
    PartitionClock torn =
        new PartitionClock(
            () -> nanos,
            () ->
                Optional.of(
                    new WallTime(OptionalLong.of(1_000), OptionalLong.of(1_000_000), 1_000)));
    torn.start(5_000);
    pass(3_000);
    assertThat(torn.nowMillis()).isEqualTo(8_000);
  }

  @Test
  void neverGoesBackWhateverTheMedianDoes() {
    for (long seed = 0; seed < 50; seed++) {
      Random random = new Random(seed);
      clock.start(1_000_000);
      long before = 0;
      for (int i = 0; i < 200; i++) {
        pass(random.nextInt(700));
        median =
            random.nextInt(4) == 0
                ? OptionalLong.empty()
                : OptionalLong.of(random.nextLong(2_000_000));
        long now = clock.nowMillis();
        assertThat(now).as("seed %d, step %d", seed, i).isGreaterThanOrEqualTo(before);
        before = now;
      }
    }
  }
}
