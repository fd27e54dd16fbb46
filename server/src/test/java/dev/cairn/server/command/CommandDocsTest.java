// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code docs/commands.md} is made from the table: {@code -Dcairn.rewrite=true} writes it. */
final class CommandDocsTest {
  @Test
  void docsSayWhatTheTableSays() throws Exception {
    Path file = Path.of(System.getProperty("cairn.checkout"), "docs", "commands.md");
    String text = document();
    if (Boolean.getBoolean("cairn.rewrite")) {
      Files.createDirectories(file.getParent());
      Files.writeString(file, text);
    }
    assertThat(file).hasContent(text);
  }

  @ParameterizedTest
  @CsvSource({
    "*, abc, true",
    "a*c, abbbc, true",
    "a*c, abbbd, false",
    "a?c, abc, true",
    "a?c, ac, false",
    "[a-c]x, bx, true",
    "[^a-c]x, bx, false",
    "[^a-c]x, dx, true",
    "a\\*, a*, true",
    "a\\*, ab, false",
    "*a*b*c*, xxaxxbxxcxx, true",
    "'', a, false",
    "[, a, false",
  })
  void globsMatchAsInRedis(String pattern, String text, boolean matches) {
    assertThat(Glob.matches(pattern, text)).isEqualTo(matches);
  }

  private static String document() {
    StringBuilder text =
        new StringBuilder(
            """
            # Commands

            Made from `CommandTable` (run `CommandDocsTest` with `-Dcairn.rewrite=true`): do not edit.

            What Redis has too answers as Redis 7 does, with Redis' error texts; *since* is the version of Redis that
            first had it (of Cairn, for `CAIRN`). What is not listed is not there yet: `SET` takes no options, there is no
            expiry, there are no users.

            The client port answers any key and never sends `MOVED`. On the cluster port, keys that another node leads
            answer `MOVED`, and the keys of one command must share a slot (`CROSSSLOT`).

            On the client port a command of several keys goes to all their partitions at once. Inside one partition it is
            atomic. If some partitions applied a write and others did not, or one cannot tell, the answer is
            `UNKNOWN possibly partly applied ...`: read before writing again.

            A key has 1 to 65,536 bytes, a value at most 16 MiB unless the node is configured otherwise.

            A connection's requests take effect in the order it sent them. Pipelined reads travel together, and so do
            pipelined writes; a read after a write, or a write after a read, waits for all before it.

            | command | since | complexity | what it does |
            |---|---|---|---|
            """);
    for (Command row : CommandTable.rows()) {
      if (row.subcommands().isEmpty() || row.handler() != null) {
        line(text, row);
      }
      row.subcommands().forEach(subcommand -> line(text, subcommand));
    }
    return text.toString();
  }

  private static void line(StringBuilder text, Command row) {
    List<String> aliases =
        row.aliases().stream()
            .map(alias -> "`" + alias.toUpperCase(java.util.Locale.ROOT) + "`")
            .toList();
    text.append("| `")
        .append(row.syntax().replace("|", "\\|"))
        .append("`")
        .append(aliases.isEmpty() ? "" : ", also " + String.join(", ", aliases))
        .append(" | ")
        .append(row.since())
        .append(" | ")
        .append(row.complexity())
        .append(" | ")
        .append(row.summary())
        .append(" |\n");
  }
}
