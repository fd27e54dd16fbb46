// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.client.Address;
import dev.cairn.client.Security;
import dev.cairn.protocol.RespValue;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** The demo's check must notice what it is there to notice. */
final class DemoCheckTest {
  @Test
  void noticesWhatIsMissingOrDifferentAndForgivesTheUnknown() throws IOException {
    try (FakeCluster cluster = new FakeCluster()) {
      DemoRecord record = new DemoRecord();
      record.acknowledged(bytes("there"), bytes("1"));
      record.unknown(bytes("unknown and missing"), bytes("2"));
      record.unknown(bytes("unknown and there"), bytes("3"));
      cluster.values.put("there", RespValue.bulk("1"));
      cluster.values.put("unknown and there", RespValue.bulk("3"));
      assertThat(check(cluster, record)).isEqualTo(0);

      record.acknowledged(bytes("missing"), bytes("4"));
      assertThat(check(cluster, record)).isEqualTo(1);
      record.acknowledged(bytes("different"), bytes("5"));
      cluster.values.put("different", RespValue.bulk("6"));
      assertThat(check(cluster, record)).isEqualTo(2);
      cluster.values.put("unknown and there", RespValue.bulk("7"));
      assertThat(check(cluster, record)).isEqualTo(3);
    }
  }

  private static long check(FakeCluster cluster, DemoRecord record) {
    DemoCheck.Outcome outcome =
        DemoCheck.through(Address.parse(cluster.nodes()), Security.NONE, record);
    assertThat(outcome.complaints()).hasSize((int) outcome.wrong());
    return outcome.wrong();
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
