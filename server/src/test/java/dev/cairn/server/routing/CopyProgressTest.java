// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.routing;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class CopyProgressTest {
  private final CopyProgress progress = new CopyProgress();

  @Test
  void whatIsDueIsWhatWasThereFiveSecondsAgo() {
    for (int halves = 0; halves <= 100; halves++) { // 10 entries each half second
      progress.look(new long[] {halves * 10L, 7}, millis(halves * 500L));
    }
    assertThat(progress.due(0)).isEqualTo(900);
    assertThat(progress.due(1)).isEqualTo(7);
    assertThat(progress.due(2)).as("a partition that was not there").isZero();
    assertThat(progress.dueMillis(millis(50_000))).isEqualTo(5_000);
  }

  @Test
  void beforeFiveSecondsHavePassedTheFirstLookIsTheMeasure() {
    assertThat(progress.due(0)).isZero();
    progress.look(new long[] {50}, millis(0));
    progress.look(new long[] {90}, millis(4_000));
    assertThat(progress.due(0)).isEqualTo(50);
    assertThat(progress.dueMillis(millis(4_000))).isEqualTo(4_000);
  }

  @Test
  void looksThatComeFastAndOnesThatComeLateChangeNothing() {
    for (int millis = 0; millis <= 20_000; millis++) {
      progress.look(new long[] {millis}, millis(millis));
    }
    assertThat(progress.due(0)).isBetween(14_400L, 15_000L);
    progress.look(new long[] {30_000}, millis(60_000));
    assertThat(progress.due(0)).isBetween(19_400L, 20_000L);
  }

  private static long millis(long millis) {
    return TimeUnit.MILLISECONDS.toNanos(millis);
  }
}
