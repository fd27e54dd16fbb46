// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the slow log shows of a command: names and keys, sizes, and passwords never. */
final class ShownWordsTest {
  @ParameterizedTest
  @CsvSource({
    "SET k secret EX 100, SET k (6 bytes) (2 bytes) (3 bytes), SET k secret EX 100",
    "MSET a 1 b 22, MSET a (1 byte) b (2 bytes), MSET a 1 b 22",
    "MSETEX 2 a 1 b 22 NX, MSETEX (1 byte) a (1 byte) b (2 bytes) (2 bytes), MSETEX 2 a 1 b 22 NX",
    "APPEND k secret, APPEND k (6 bytes), APPEND k secret",
    "BITOP AND to a b, BITOP (3 bytes) to a b, BITOP AND to a b",
    "OBJECT ENCODING k, OBJECT ENCODING k, OBJECT ENCODING k",
    "KEYS user:*, KEYS (6 bytes), KEYS user:*",
    "PING secret, PING (6 bytes), PING secret",
    "AUTH secret, AUTH (redacted), AUTH (redacted)",
    "AUTH user secret, AUTH (redacted) (redacted), AUTH (redacted) (redacted)",
    "HELLO 3 AUTH u secret SETNAME n,"
        + " HELLO (1 byte) (4 bytes) (redacted) (redacted) (7 bytes) (1 byte),"
        + " HELLO 3 AUTH (redacted) (redacted) SETNAME n",
    "CONFIG SET requirepass secret, CONFIG SET (11 bytes) (redacted), CONFIG SET requirepass (redacted)",
    "CONFIG SET slowlog-max-len 7, CONFIG SET (15 bytes) (1 byte), CONFIG SET slowlog-max-len 7",
  })
  void valuesAreSizesUnlessASettingSaysOtherwise(String line, String shown, String withValues) {
    assertThat(shown(line, false)).isEqualTo(shown);
    assertThat(shown(line, true)).isEqualTo(withValues);
  }

  /** Whatever the command, a word that is neither its name nor one of its keys is not shown. */
  @Test
  void noCommandShowsMoreThanItsNameAndItsKeys() {
    for (Command row : CommandTable.rows()) {
      List<Command> each = new ArrayList<>(row.subcommands());
      if (each.isEmpty() || CommandTable.isCalled(row)) {
        each.add(row);
      }
      for (Command command : each) {
        List<String> words = new ArrayList<>(List.of(row.name()));
        if (row.subcommands().contains(command)) {
          words.add(command.name());
        }
        int names = words.size();
        for (int i = names; i < Math.abs(command.arity()) + 6; i++) {
          words.add(command.keys().counted() == i ? "1" : "secret" + i);
        }
        List<byte[]> bytes = words.stream().map(ShownWordsTest::bytes).toList();
        List<byte[]> keys = command.keys().of(bytes);
        List<byte[]> shown = new ShownWords(command, bytes).shown(false);
        assertThat(shown).hasSameSizeAs(bytes);
        for (int i = names; i < bytes.size(); i++) {
          byte[] word = bytes.get(i);
          boolean key = keys.stream().anyMatch(other -> Arrays.equals(other, word));
          assertThat(new String(shown.get(i), StandardCharsets.UTF_8))
              .as("%s of %s", i, words)
              .matches(key ? words.get(i) : "\\([0-9]+ bytes?\\)|\\(redacted\\)");
        }
      }
    }
  }

  private static String shown(String line, boolean values) {
    List<byte[]> words = Arrays.stream(line.split(" ")).map(ShownWordsTest::bytes).toList();
    Command command = CommandTable.find(words.get(0));
    if (!command.subcommands().isEmpty()) {
      command = CommandTable.find(command, words.get(1));
    }
    List<String> shown =
        new ShownWords(command, words)
            .shown(values).stream().map(word -> new String(word, StandardCharsets.UTF_8)).toList();
    return String.join(" ", shown);
  }

  private static byte[] bytes(String word) {
    return word.getBytes(StandardCharsets.UTF_8);
  }
}
