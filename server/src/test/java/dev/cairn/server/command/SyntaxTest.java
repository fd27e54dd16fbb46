// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a syntax says of a command's arguments. */
final class SyntaxTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "GET key; key:key",
        "DEL key [key ...]; key:key+",
        "MSET key value [key value ...]; key_value:block+(key:key value:string)",
        "SCAN cursor [MATCH pattern] [COUNT count]; cursor:integer pattern:pattern=MATCH? count:integer=COUNT?",
        "BITCOUNT key [start end [BYTE | BIT]]; key:key start_end_option:block?(start:integer end:integer option:oneof?(byte:pure-token=BYTE bit:pure-token=BIT))",
        "SET key value [NX | IFEQ value] [GET] [EX seconds | KEEPTTL]; key:key value:string condition:oneof?(nx:pure-token=NX value:string=IFEQ) get:pure-token=GET? expiration:oneof?(seconds:integer=EX keepttl:pure-token=KEEPTTL)",
        "X <ON | OFF>; option:oneof(on:pure-token=ON off:pure-token=OFF)",
        "X [OVERFLOW <A | B> | GET type offset ...]; option:oneof?+(overflow:oneof=OVERFLOW(a:pure-token=A b:pure-token=B) get:block=GET(type:string offset:integer))",
        "INFO [section ...]; section:string?+",
        "PING; ''",
      })
  void argumentsAreTakenApart(String syntax, String shown) {
    assertThat(show(Syntax.arguments(syntax, 1))).isEqualTo(shown);
  }

  @Test
  void everyCommandsSyntaxIsUnderstoodAndItsKeysAreKeys() {
    for (Command row : CommandTable.rows()) {
      if (row.subcommands().isEmpty()) {
        keysAreKeys(row, 1);
      }
      row.subcommands().forEach(subcommand -> keysAreKeys(subcommand, 2));
    }
  }

  private static void keysAreKeys(Command command, int names) {
    String shown = show(Syntax.arguments(command.syntax(), names));
    if (command.keys().first() > 0) {
      assertThat(shown).as(command.syntax()).contains(":key");
    }
    assertThat(shown).as(command.syntax()).doesNotContain("[").doesNotContain("|");
  }

  private static String show(List<Syntax.Argument> arguments) {
    return arguments.stream().map(SyntaxTest::show).collect(Collectors.joining(" "));
  }

  private static String show(Syntax.Argument argument) {
    return argument.name()
        + ":"
        + argument.type()
        + (argument.token().isEmpty() ? "" : "=" + argument.token())
        + (argument.optional() ? "?" : "")
        + (argument.multiple() ? "+" : "")
        + (argument.parts().isEmpty() ? "" : "(" + show(argument.parts()) + ")");
  }
}
