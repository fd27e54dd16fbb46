// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.info;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.testkit.RedisServer;
import java.io.IOException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** {@code info-acts.txt} says what redis-server does: {@code .ci/clients} runs it. */
@Tag("clients")
class InfoOnRedisTest {
  @Test
  void eachActMovesWhatTheFileSays() throws IOException {
    try (RedisServer redis = RedisServer.start()) {
      String played = new InfoActs(redis::connect).play();
      if (Boolean.getBoolean("cairn.rewrite")) {
        InfoActs.rewrite(played);
      }
      assertThat(played).isEqualTo(InfoActs.expected());
    }
  }
}
