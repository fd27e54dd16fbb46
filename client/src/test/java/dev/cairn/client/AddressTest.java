// SPDX-License-Identifier: Apache-2.0
package dev.cairn.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Addresses as people write them. */
final class AddressTest {
  @Test
  void readsNamesAndBothKindsOfIpAddresses() {
    assertThat(Address.parseList("127.0.0.1:5000, db.example:1 ,[::1]:65535"))
        .containsExactly(
            new Address("127.0.0.1", 5000),
            new Address("db.example", 1),
            new Address("::1", 65535));
    assertThat(new Address("::1", 5000)).hasToString("[::1]:5000");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", ",", "host", "host:", ":5000", "host:0", "host:65536", "host:x", "::1:5000"})
  void saysHowToWriteOneThatItCannotRead(String text) {
    assertThatThrownBy(() -> Address.parseList(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageMatching("(?s).*(HOST:PORT|must be 1 to 65535|\\[ADDRESS\\]:PORT).*");
  }
}
