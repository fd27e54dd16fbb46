// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class HandOverBackoffTest {
  private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
  private static final long BEGIN = Long.MAX_VALUE - 100 * SECOND; // the clock overflows on the way

  private final HandOverBackoff backoff = new HandOverBackoff();

  @Test
  void eachTryDoublesTheWaitUpToFiveMinutes() {
    assertThat(triesWhileLeading(0, 1_400))
        .containsExactly(0, 5, 15, 35, 75, 155, 315, 615, 915, 1_215);
  }

  @Test
  void theFirstTryWaitsForNothingOnceAnotherHasLedForHalfAMinute() {
    assertThat(triesWhileLeading(0, 20)).containsExactly(0, 5, 15);
    assertThat(triesWhileLeading(49, 60)).containsExactly(49, 54);
  }

  @Test
  void oneThatLedForLessHasNotKeptIt() {
    assertThat(triesWhileLeading(0, 20)).containsExactly(0, 5, 15);
    assertThat(triesWhileLeading(48, 60)).containsExactly(48);
    assertThat(triesWhileLeading(60, 90)).containsExactly(88);
  }

  private List<Integer> triesWhileLeading(int fromSecond, int untilSecond) {
    List<Integer> tries = new ArrayList<>();
    for (int second = fromSecond; second < untilSecond; second++) {
      long now = BEGIN + second * SECOND;
      backoff.leads(now);
      if (backoff.tryNow(now)) {
        tries.add(second);
      }
    }
    return tries;
  }
}
