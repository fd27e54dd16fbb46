// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.fault;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;

/** A network of namespaces, of which nothing is to stay. */
@Tag("faults")
@Timeout(60)
class NamespacesTest {
  private static final int NODES = 5;

  /**
   * Often: the kernel removes the links of a namespace that has ended while others are asked for.
   */
  @RepeatedTest(20)
  void nothingIsLeftOfAClosedNetwork() {
    Namespaces network = Namespaces.of(NODES);
    String address = network.host(0);
    String subnet = address.split("\\.")[2];
    network.close();
    assertThat(Tools.run("ip", "-o", "link")).doesNotContain("cairn-b" + subnet + ":");
    assertThat(Tools.run("ip", "-o", "link")).doesNotContain("cairn-b" + subnet + "v");
    assertThat(Tools.run("ip", "netns", "list")).doesNotContain("cairn-b" + subnet + "-");
  }
}
