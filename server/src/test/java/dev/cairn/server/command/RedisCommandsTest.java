// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * What rights make of a command is what redis-server 7.0.15 says of it: its categories, and what it
 * does to its keys. {@code redis-7.0.15-commands.tsv} was recorded from COMMAND there.
 */
final class RedisCommandsTest {
  private static final Map<String, String[]> REDIS = recorded();

  private static Map<String, String[]> recorded() {
    try (InputStream file =
        RedisCommandsTest.class.getResourceAsStream("/redis-7.0.15-commands.tsv")) {
      Map<String, String[]> rows = new HashMap<>();
      for (String line : new String(file.readAllBytes(), StandardCharsets.UTF_8).lines().toList()) {
        if (!line.startsWith("#")) {
          String[] fields = line.split("\t", -1);
          rows.put(fields[0], fields);
        }
      }
      return rows;
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Stream<Command> shared() {
    return CommandTable.byNumber().stream()
        .filter(command -> REDIS.containsKey(command.fullName()));
  }

  @TestFactory
  Stream<DynamicTest> categoriesAreThoseOfRedis() {
    return shared()
        .map(
            command ->
                DynamicTest.dynamicTest(
                    command.fullName(),
                    () -> {
                      Set<String> ours = new TreeSet<>();
                      command.categories().forEach(category -> ours.add(category.substring(1)));
                      assertThat(ours).isEqualTo(words(REDIS.get(command.fullName())[2]));
                    }));
  }

  /** Of the first key, and of the last. */
  @TestFactory
  Stream<DynamicTest> keysAreUsedAsInRedis() {
    return shared()
        .filter(command -> command.keys().first() > 0)
        .map(
            command ->
                DynamicTest.dynamicTest(
                    command.fullName(),
                    () -> {
                      List<String> specifications =
                          Arrays.asList(REDIS.get(command.fullName())[3].split("; "));
                      assertThat(flags(command, 0)).isEqualTo(words(specifications.get(0)));
                      assertThat(flags(command, 1))
                          .isEqualTo(words(specifications.get(specifications.size() - 1)));
                    }));
  }

  @Test
  void theSameCommandsNeedNoLogin() {
    assertThat(shared().filter(Command::isOpen).map(Command::fullName))
        .containsExactlyInAnyOrderElementsOf(
            REDIS.values().stream()
                .filter(row -> words(row[1]).contains("no_auth"))
                .map(row -> row[0])
                .toList());
    assertThat(CommandTable.byNumber().stream().filter(Command::isOpen)).hasSize(4);
  }

  @Test
  void mostCommandsAreCompared() {
    assertThat(shared()).hasSizeGreaterThan(120);
  }

  private static Set<String> flags(Command command, int key) {
    return new TreeSet<>(KeyFlags.of(command.fullName(), command, key));
  }

  private static Set<String> words(String text) {
    return new TreeSet<>(Arrays.asList(text.trim().split(" ")));
  }
}
