// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A command is found, and named in errors, by each of its names however they are written. */
class CommandTableTest {
  @Test
  void namesAreFoundInAnyCase() {
    for (Command command : CommandTable.rows()) {
      Stream.concat(Stream.of(command.name()), command.aliases().stream())
          .forEach(
              name -> {
                for (String word :
                    new String[] {name, name.toUpperCase(Locale.ROOT), mixed(name)}) {
                  byte[] bytes = word.getBytes(ISO_8859_1);
                  assertThat(CommandTable.find(bytes)).as(word).isSameAs(command);
                  assertThat(command.nameAs(bytes)).as(word).isEqualTo(name);
                }
              });
    }
  }

  @Test
  void otherWordsAreNoNames() {
    for (String word : new String[] {"", "se", "sett", "s\u00e9t", "s\0t", "\u0080"}) {
      assertThat(CommandTable.find(word.getBytes(ISO_8859_1))).as(word).isNull();
    }
    assertThat(CommandTable.find(new byte[100_000])).isNull();
  }

  private static String mixed(String name) {
    return name.substring(0, 1).toUpperCase(Locale.ROOT) + name.substring(1);
  }
}
