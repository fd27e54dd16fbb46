// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

/** When operations start, and from when their latency counts: by a clock that the test moves. */
final class PacingTest {
  private static final long MILLI = 1_000_000;
  private static final long SECOND = 1_000 * MILLI;

  @Test
  void aFixedRateCountsFromTheScheduleHoweverLateItIsTaken() {
    Pacing pacing = new Pacing.FixedRate(100, 1_000, 100 + SECOND);

    assertThat(pacing.isDue(99)).isFalse();
    assertThat(pacing.isDue(100)).isTrue();
    assertThat(pacing.take(100)).isEqualTo(100);
    assertThat(pacing.isDue(100 + MILLI - 1)).isFalse();
    assertThat(pacing.nextNanos()).isEqualTo(100 + MILLI);
    // Half a second late.
    assertThat(pacing.take(100 + 500 * MILLI)).isEqualTo(100 + MILLI);
    assertThat(pacing.take(100 + 500 * MILLI)).isEqualTo(100 + 2 * MILLI);
  }

  @Test
  void whatWasDueAndNeverStartedIsCounted() {
    Pacing pacing = new Pacing.FixedRate(0, 1_000, SECOND);
    for (int i = 0; i < 400; i++) {
      pacing.take(0);
    }

    assertThat(pacing.isDue(SECOND)).isFalse();
    assertThat(pacing.isOver(SECOND)).isTrue();
    assertThat(pacing.neverStarted(0)).isEqualTo(600);
    assertThat(pacing.neverStarted(700 * MILLI)).isEqualTo(300);
    assertThat(pacing.oldestWaitNanos()).isEqualTo(600 * MILLI);
    pacing.stop(500 * MILLI);
    assertThat(pacing.neverStarted(0)).isEqualTo(100);
  }

  @Test
  void theScheduleDoesNotDriftInADay() {
    Pacing.FixedRate pacing = new Pacing.FixedRate(0, 3, Long.MAX_VALUE);
    for (int i = 0; i < 3 * 86_400; i++) {
      pacing.take(0);
    }
    assertThat(pacing.nextNanos()).isCloseTo(86_400 * SECOND, within(1_000L));
  }

  @Test
  void aClosedLoopStartsWheneverAClientIsFreeUntilItsEnd() {
    Pacing pacing = new Pacing.ClosedLoop(SECOND);

    assertThat(pacing.isDue(SECOND - 1)).isTrue();
    assertThat(pacing.take(SECOND - 1)).isEqualTo(SECOND - 1);
    assertThat(pacing.isDue(SECOND)).isFalse();
    pacing.stop(10);
    assertThat(pacing.isOver(10)).isTrue();
  }
}
