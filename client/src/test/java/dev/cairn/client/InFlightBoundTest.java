// SPDX-License-Identifier: Apache-2.0
package dev.cairn.client;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** At the bound, past it, and the one request that is larger than the bound. */
final class InFlightBoundTest {
  private static final long MINUTE_NANOS = 60_000_000_000L;

  @Test
  void holdsTheNumberOfRequests() throws InterruptedException {
    InFlightBound bound = new InFlightBound(2, 1000);
    assertThat(bound.acquire(1, 0)).isTrue();
    assertThat(bound.acquire(1, 0)).isTrue();
    assertThat(bound.acquire(1, 0)).isFalse();
    bound.release(1);
    assertThat(bound.acquire(1, 0)).isTrue();
  }

  @Test
  void holdsTheBytes() throws InterruptedException {
    InFlightBound bound = new InFlightBound(10, 100);
    assertThat(bound.acquire(60, 0)).isTrue();
    assertThat(bound.acquire(41, 0)).isFalse();
    assertThat(bound.acquire(40, 0)).isTrue();
  }

  @Test
  void letsALargeRequestThroughAlone() throws InterruptedException {
    InFlightBound bound = new InFlightBound(10, 100);
    assertThat(bound.acquire(5000, 0)).isTrue();
    assertThat(bound.acquire(1, 0)).isFalse();
    bound.release(5000);
    assertThat(bound.acquire(1, 0)).isTrue();
  }

  @Test
  void whoWaitsGetsTheRoomThatIsGivenBack() throws InterruptedException {
    InFlightBound bound = new InFlightBound(1, 100);
    assertThat(bound.acquire(1, 0)).isTrue();
    CompletableFuture<Boolean> waiting =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return bound.acquire(1, MINUTE_NANOS);
              } catch (InterruptedException interrupted) {
                return false;
              }
            });
    bound.release(1);
    assertThat(waiting.join()).isTrue();
  }
}
