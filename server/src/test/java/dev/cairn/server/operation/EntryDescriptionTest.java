// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.operation;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class EntryDescriptionTest {
  private static final Operation PUT =
      new Operation.Put("my key\n".getBytes(UTF_8), "secret".getBytes(UTF_8));
  private static final Operation DELETE = new Operation.Delete("k".repeat(65).getBytes(UTF_8));

  @Test
  void tellsOperationsAndKeysButNoValue() {
    assertThat(describe(List.of(PUT, DELETE)))
        .isEqualTo("PUT my\\x20key\\x0a (6 bytes), DELETE " + "k".repeat(64) + "...");
  }

  @Test
  void tellsTheFirstOfMany() {
    assertThat(describe(Collections.nCopies(8, PUT))).doesNotContain("more");
    assertThat(describe(Collections.nCopies(10, PUT))).endsWith(" and 2 more");
    assertThat(describe(List.of())).isEqualTo("no operation");
  }

  @Test
  void tellsWhatATransactionDoes() {
    assertThat(describe(List.of(new KeyOperation.Transaction(List.of(), List.of(PUT)))))
        .isEqualTo("TRANSACTION (PUT my\\x20key\\x0a (6 bytes))");
  }

  @Test
  void tellsWhatItCannotRead() {
    assertThat(EntryDescription.of(new byte[] {9})).startsWith("unreadable: ");
    assertThat(EntryDescription.of(new byte[0])).startsWith("unreadable: ");
  }

  private static String describe(List<Operation> operations) {
    return EntryDescription.of(
        EntryCodec.encode(
            new EntryCodec.Entry(1, List.of(new Request(Optional.empty(), operations)))));
  }
}
