// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import picocli.CommandLine.Model.CommandSpec;

/** Settings, command line and {@code docs/reference/configuration.md} tell the same. */
class ConfigurationDocTest {
  @Test
  void theTableHasEverySetting() throws IOException {
    List<String> rows;
    try (Stream<String> lines = Files.lines(document())) {
      rows = lines.filter(line -> line.contains("`CAIRN_") && line.startsWith("|")).toList();
    }

    assertThat(rows)
        .containsExactly(Stream.of(Setting.values()).map(this::row).toArray(String[]::new));
  }

  @Test
  void theCommandLineHasEverySettingAndNoOther() {
    CommandSpec spec = NodeCommand.spec();

    assertThat(spec.options().stream().map(option -> option.longestName()))
        .containsExactlyInAnyOrderElementsOf(
            Stream.concat(
                    Stream.of("--help", "--version"),
                    Stream.of(Setting.values())
                        .filter(setting -> setting != Setting.PORT)
                        .map(Setting::option))
                .toList());
    assertThat(spec.positionalParameters()).hasSize(1);
  }

  private String row(Setting setting) {
    String label =
        setting.label().isEmpty() || setting == Setting.PORT ? "" : " " + setting.label();
    String key = setting == Setting.CONFIG ? "" : "`" + setting.key() + "`";
    return "| `%s%s` | `%s` | %s | %s | %s |"
        .formatted(
            setting.option(),
            label,
            setting.variable(),
            key,
            setting.defaultText(),
            setting.description());
  }

  private static Path document() {
    Path path = Path.of("docs", "reference", "configuration.md");
    return Files.exists(path) ? path : Path.of("..").resolve(path);
  }
}
