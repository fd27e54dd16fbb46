// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayDeque;
import java.util.Map;
import java.util.SplittableRandom;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;

/** What is counted, by a clock that the test moves and a server that it plays. */
final class DriverTest {
  private static final long MILLI = 1_000_000;
  private static final long SECOND = 1_000 * MILLI;

  /** Answers one operation after the other, each in a millisecond's tick, but for one second. */
  private static Measurement runAgainstAServerThatStalls(Pacing pacing, int clients) {
    Measurement measurement = new Measurement(0, 10 * SECOND);
    ArrayDeque<InFlight> atServer = new ArrayDeque<>();
    Driver driver =
        new Driver(
            pacing,
            new Mix(Map.of(Kind.GET, 1), () -> 0, new Insertions(1), new SplittableRandom(1)),
            measurement,
            (operation, now) -> atServer.add(operation),
            clients,
            1);
    long now = 0;
    while (!driver.isFinished(now)) {
      driver.start(now);
      now += MILLI;
      boolean stalls = now > 4 * SECOND && now <= 5 * SECOND;
      // Up to 4 a millisecond: enough to catch up.
      for (int i = 0; i < 4 && !stalls && !atServer.isEmpty(); i++) {
        driver.ended(atServer.poll(), now);
      }
    }
    return measurement;
  }

  @Test
  void atAFixedRateAStallOfASecondShowsInThePercentiles() {
    Histogram latencies =
        runAgainstAServerThatStalls(new Pacing.FixedRate(0, 1_000, 10 * SECOND), 8)
            .latencies()
            .get(Kind.GET);

    // 10,000 were due. During the stall 1,000 were, with waits from 1 s down, and some 330 more
    // while it was caught up with: about one in eight waited.
    assertThat(latencies.getTotalCount()).isEqualTo(10_000);
    assertThat(latencies.getMaxValue()).isCloseTo(SECOND + MILLI, within(2 * MILLI));
    assertThat(latencies.getValueAtPercentile(99)).isGreaterThan(850 * MILLI);
    assertThat(latencies.getValueAtPercentile(95)).isGreaterThan(400 * MILLI);
    assertThat(latencies.getValueAtPercentile(80)).isLessThan(3 * MILLI);
  }

  @Test
  void aClosedLoopHidesTheSameStallWhichIsWhyThereIsARate() {
    Histogram latencies =
        runAgainstAServerThatStalls(new Pacing.ClosedLoop(10 * SECOND), 8)
            .latencies()
            .get(Kind.GET);

    assertThat(latencies.getMaxValue()).isGreaterThan(SECOND);
    assertThat(latencies.getValueAtPercentile(99)).isLessThan(5 * MILLI);
  }

  @Test
  void noMoreThanTheClientsHaveInFlight() {
    int[] sent = {0};
    Driver driver =
        new Driver(
            new Pacing.ClosedLoop(SECOND),
            new Loading(100),
            new Measurement(0, SECOND),
            (operation, now) -> sent[0]++,
            3,
            2);

    driver.start(0);

    assertThat(sent[0]).isEqualTo(6);
    assertThat(driver.nextNanos(0)).isEqualTo(Long.MAX_VALUE);
  }

  @Test
  void warmUpIsNotCountedAndTheLastOnesAre() {
    Measurement measurement = new Measurement(10, 20);
    InFlight operation = new InFlight(0);
    operation.begin(Kind.SET, 0);
    for (long start : new long[] {9, 10, 19, 20}) {
      operation.startNanos = start;
      measurement.succeeded(operation, start + 5_000);
      measurement.failed(operation, "ERR", "ERR no");
    }

    assertThat(measurement.latencies().get(Kind.SET).getTotalCount()).isEqualTo(2);
    assertThat(measurement.errors().get("ERR").count).isEqualTo(2);
    assertThat(measurement.seconds()).isEqualTo(5_009 / 1e9, within(1e-12));
  }

  @Test
  void whatHasNoAnswerWhenTheRunIsOverIsAnError() {
    Measurement measurement = new Measurement(0, SECOND);
    Driver driver =
        new Driver(
            new Pacing.ClosedLoop(SECOND),
            new Loading(100),
            measurement,
            (operation, now) -> {},
            3,
            1);
    driver.start(0);

    driver.abandon("TIMEOUT", "no answer");

    assertThat(measurement.errors().get("TIMEOUT").count).isEqualTo(3);
    assertThat(measurement.latencies()).isEmpty();
  }

  @Test
  void codesOfErrorsAreBounded() {
    Measurement measurement = new Measurement(0, SECOND);
    InFlight operation = new InFlight(0);
    for (int i = 0; i < Measurement.CODES_MAX + 5; i++) {
      measurement.failed(operation, "E" + i, "E" + i);
    }

    assertThat(measurement.errors()).hasSize(Measurement.CODES_MAX + 1);
    assertThat(measurement.errors().get(Measurement.OTHER_CODES).count).isEqualTo(5);
  }
}
