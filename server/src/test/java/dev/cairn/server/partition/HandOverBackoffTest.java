// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.server.raft.Peer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class HandOverBackoffTest {
  private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
  private static final long BEGIN = Long.MAX_VALUE - 100 * SECOND; // the clock overflows on the way
  private static final Peer PREFERRED = new Peer("n5000", 1);

  private final HandOverBackoff backoff = new HandOverBackoff();

  @Test
  void eachTryDoublesTheWaitUpToFiveMinutes() {
    assertThat(tries(PREFERRED, 0, 1_400))
        .containsExactly(0, 5, 15, 35, 75, 155, 315, 615, 915, 1_215);
  }

  @Test
  void whoKeptLeadershipForTenSecondsIsGivenItBackAtOnce() {
    assertThat(tries(PREFERRED, 0, 20)).containsExactly(0, 5, 15);
    preferredLeads(20, 30);
    assertThat(tries(PREFERRED, 31, 40)).containsExactly(31, 36);
  }

  @Test
  void whoLedForLessOrNotAllTheTimeIsNot() {
    assertThat(tries(PREFERRED, 0, 20)).containsExactly(0, 5, 15);
    preferredLeads(20, 29);
    backoff.preferredLeads(false, at(30));
    preferredLeads(31, 34);
    assertThat(tries(PREFERRED, 35, 60)).containsExactly(35);
  }

  @Test
  void anotherReplicaOfTheSameNodeWaitsForNothing() {
    assertThat(tries(PREFERRED, 0, 20)).containsExactly(0, 5, 15);
    assertThat(tries(new Peer("n5000", 2), 20, 30)).containsExactly(20, 25);
  }

  private void preferredLeads(int fromSecond, int untilSecond) {
    for (int second = fromSecond; second <= untilSecond; second++) {
      backoff.preferredLeads(true, at(second));
    }
  }

  private List<Integer> tries(Peer preferred, int fromSecond, int untilSecond) {
    List<Integer> tries = new ArrayList<>();
    for (int second = fromSecond; second < untilSecond; second++) {
      backoff.preferredLeads(false, at(second));
      if (backoff.due(preferred, at(second))) {
        backoff.tried(preferred, at(second));
        tries.add(second);
      }
    }
    return tries;
  }

  private static long at(int second) {
    return BEGIN + second * SECOND;
  }
}
