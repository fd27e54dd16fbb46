// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import org.junit.jupiter.api.Test;

/** What a name means that a node is told to listen on. */
class ListenPortsTest {
  private static InetAddress address(String literal) throws Exception {
    return InetAddress.getByName(literal);
  }

  @Test
  void aNameWithSeveralAddressesIsRefusedNamingThem() throws Exception {
    InetAddress[] found = {address("10.0.0.1"), address("10.0.0.2")};
    assertThatThrownBy(() -> ListenPorts.only("db.example", found))
        .isInstanceOf(StartException.class)
        .hasMessageContaining("--host db.example has 2 addresses (10.0.0.1, 10.0.0.2)")
        .hasMessageContaining("--announce-host");
  }

  @Test
  void oneAddressOrSeveralOfLoopbackAreTheFirst() throws Exception {
    assertThat(ListenPorts.only("x", address("10.0.0.1"))).isEqualTo(address("10.0.0.1"));
    assertThat(ListenPorts.only("localhost", address("127.0.0.1"), address("::1")))
        .isEqualTo(address("127.0.0.1"));
  }
}
