// SPDX-License-Identifier: Apache-2.0
package dev.cairn.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class SlotsTest {
  // Computed by redis-server 7.0: CLUSTER KEYSLOT.
  @ParameterizedTest
  @CsvSource({
    "123456789, 12739",
    "foo, 12182",
    "bar, 5061",
    "hello, 866",
    "'', 0",
    "{user1000}.following, 3443",
    "{user1000}.followers, 3443",
    "user1000, 3443",
    "foo{}{bar}, 8363",
    "foo{{bar}}zap, 4015",
    "{bar, 4015",
    "foo{bar}{zap}, 5061",
    "foo{bar, 15278",
    "}foo{bar}, 5061",
  })
  void slotIsWhatRedisClusterSays(String key, int slot) {
    assertThat(Slots.of(key.getBytes(StandardCharsets.UTF_8))).isEqualTo(slot);
  }

  @ParameterizedTest
  @CsvSource({"123456789, 12739", "A, 22757"})
  void crcIsXmodem(String text, int crc) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    assertThat(Slots.crc16(bytes, 0, bytes.length)).isEqualTo(crc);
  }
}
