// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The curl lines of docs/guide/http.md and docs/reference/metrics.md, run to the letter against
 * nodes on 5000, 5001 and 5002. Below each stands what it prints; three dots there stand for
 * anything.
 */
final class HttpDocs {
  private static final String COMMAND = "    $ ";
  private static final String OUTPUT = "    ";

  /** The next line of a command. No output begins with a blank. */
  private static final String CONTINUED = "      ";

  /** One line to run, and what is to come of it. */
  private record Example(String command, List<String> output) {}

  private HttpDocs() {}

  /** Runs them all, in their order. */
  static void run() throws IOException, InterruptedException {
    List<Example> examples = examples("docs/guide/http.md");
    assertThat(examples).hasSizeGreaterThan(30);
    List<Example> ofMetrics = examples("docs/reference/metrics.md");
    assertThat(ofMetrics).isNotEmpty();
    examples.addAll(ofMetrics);
    for (Example example : examples) {
      Process process =
          new ProcessBuilder("bash", "-c", example.command).redirectErrorStream(true).start();
      String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(process.waitFor()).as(example.command).isZero();
      assertThat(printed.strip().replace("\r\n", "\n"))
          .as(example.command)
          .matches(pattern(example.output));
    }
  }

  private static List<Example> examples(String page) throws IOException {
    List<Example> examples = new ArrayList<>();
    Path document = Path.of(System.getProperty("cairn.checkout", "..")).resolve(page);
    for (String line : Files.readAllLines(document)) {
      if (line.startsWith(COMMAND)) {
        examples.add(new Example(line.substring(COMMAND.length()), new ArrayList<>()));
      } else if (line.startsWith(CONTINUED)) {
        Example command = examples.remove(examples.size() - 1);
        examples.add(
            new Example(command.command + "\n" + line.substring(OUTPUT.length()), command.output));
      } else if (line.startsWith(OUTPUT) && !examples.isEmpty()) {
        examples.get(examples.size() - 1).output.add(line.substring(OUTPUT.length()));
      }
    }
    return examples;
  }

  private static Pattern pattern(List<String> output) {
    String all = String.join("\n", output);
    return Pattern.compile(
        Stream.of(all.split(Pattern.quote("..."), -1))
            .map(Pattern::quote)
            .collect(Collectors.joining(".*")),
        Pattern.DOTALL);
  }
}
