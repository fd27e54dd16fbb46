// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.fault;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** Programs of this machine. One that is missing or fails is an error, never a reason to skip. */
final class Tools {
  private Tools() {}

  /** Runs a program to its end; what it printed. */
  static String run(String... command) {
    return run(Arrays.asList(command));
  }

  static String run(List<String> command) {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      process.getOutputStream().close();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      int status = process.waitFor();
      if (status != 0) {
        throw new IllegalStateException(
            String.join(" ", command) + " ended with status " + status + ": " + output);
      }
      return output;
    } catch (IOException e) {
      throw new UncheckedIOException(
          command.get(0) + " cannot be run; .ci/run installs what this test needs", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  /** A file whose name ends so, under a folder; an error when there is none. */
  static Path find(Path root, String end) {
    try (Stream<Path> files = Files.find(root, 4, (path, attributes) -> path.endsWith(end))) {
      return files
          .findFirst()
          .orElseThrow(
              () ->
                  new IllegalStateException(
                      "there is no " + end + " under " + root + "; .ci/run installs it"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
