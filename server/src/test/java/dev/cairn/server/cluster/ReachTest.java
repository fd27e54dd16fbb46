// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ReachTest {
  private final AtomicLong nanos = new AtomicLong();
  private final Reach reach = new Reach(nanos::get, 1_500);

  @Test
  void aNodeIsReachedForAWhileAfterEachAnswer() throws IOException {
    assertThat(reach.reaches("a")).isFalse();
    assertThat(reach.answered("a", Reach.answerOf("a"))).as("news").isTrue();
    pass(1_499);
    assertThat(reach.reaches("a")).isTrue();
    assertThat(reach.answered("a", Reach.answerOf("a"))).as("no news").isFalse();
    pass(1_499);
    assertThat(reach.reachedForMillis("a")).isEqualTo(2_998);
    assertThat(reach.reached()).containsExactly("a");
    pass(1);
    assertThat(reach.reaches("a")).isFalse();
    assertThat(reach.reachedForMillis("a")).isZero();
    assertThat(reach.reached()).isEmpty();
    assertThat(reach.answered("a", Reach.answerOf("a"))).as("news again").isTrue();
    assertThat(reach.reachedForMillis("a")).as("a break begins anew").isZero();
  }

  @Test
  void whoAnswersInAnothersPlaceIsNotReached() throws IOException {
    assertThat(reach.answered("a", Reach.answerOf("b"))).isFalse();
    assertThat(reach.answered("a", new byte[0])).as("a node without a cluster").isFalse();
    assertThat(reach.reached()).isEmpty();
  }

  @Test
  void anAnswerIsWholeOrNone() {
    byte[] answer = Reach.answerOf("abc");
    for (int length = 1; length < answer.length; length++) {
      byte[] cut = Arrays.copyOf(answer, length);
      assertThatThrownBy(() -> reach.answered("abc", cut)).isInstanceOf(IOException.class);
    }
    answer[0]++;
    assertThatThrownBy(() -> reach.answered("abc", answer)).hasMessageContaining("format 2");
  }

  private void pass(long millis) {
    nanos.addAndGet(TimeUnit.MILLISECONDS.toNanos(millis));
  }
}
