// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus.simulation;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** The hash of a seed's run, in a JVM of its own: one seed is one run in every process. */
public final class OtherProcess {
  private OtherProcess() {}

  /**
   * Has it printed there.
   *
   * @param printing whose {@code main} prints the hash of the seed that it is given
   * @throws IOException when it does not end well
   */
  public static long hash(Class<?> printing, long seed) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                printing.getName(),
                Long.toString(seed))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    String printed =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).trim();
    if (process.waitFor() != 0) {
      throw new IOException(printing.getName() + " ended with " + process.exitValue());
    }
    return Long.parseLong(printed);
  }
}
