// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which clients' SHUTDOWN is carried out. */
final class ShutdownByTest {
  @ParameterizedTest
  @CsvSource({
    "127.0.0.1:40000, true",
    "127.0.0.11:40000, true",
    "0:0:0:0:0:0:0:1:40000, true",
    "::1:40000, true",
    "10.0.0.7:40000, false",
    "128.0.0.1:40000, false",
    "fe80:0:0:0:0:0:0:1:40000, false",
    "'', false",
  })
  void localIsWhoConnectsFromALoopbackAddress(String address, boolean local) {
    assertThat(ShutdownBy.LOCAL.allows(address)).isEqualTo(local);
    assertThat(ShutdownBy.NO.allows(address)).isFalse();
    assertThat(ShutdownBy.YES.allows(address)).isTrue();
  }
}
