// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.clients;

import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Runs a program of the machine to its end. */
final class Tool {
  private Tool() {}

  /**
   * What it printed, standard error included, without white space at both ends.
   *
   * @param input lines for its standard input: fewer than a pipe holds
   * @throws IllegalStateException when its exit status is not 0
   */
  static String run(List<String> input, List<String> command) {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      try (BufferedWriter writer = process.outputWriter(StandardCharsets.UTF_8)) {
        for (String line : input) {
          writer.write(line);
          writer.newLine();
        }
      }
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (process.waitFor() != 0) {
        throw new IllegalStateException(command + " ended with an error: " + output);
      }
      return output.strip();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }
}
