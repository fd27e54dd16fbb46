// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** From where pairs are stored, and how fast: what load and import have in common. */
final class LoadOptions {
  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Parameters(paramLabel = "FILE", description = "The file or FIFO; - reads standard input.")
  private String file;

  @Option(
      names = "--in-flight",
      paramLabel = "N",
      defaultValue = "256",
      description = "Pairs sent and not yet answered, 1 to 100000 (default: 256).")
  private int inFlight;

  @Option(
      names = "--rate",
      paramLabel = "N",
      defaultValue = "0",
      description = "At most N pairs a second; 0 (the default) is no limit.")
  private double perSecond;

  @Option(
      names = "--skip",
      paramLabel = "N",
      defaultValue = "0",
      description = "Pass over the first N lines: how to go on after an interruption.")
  private long skip;

  @Option(
      names = "--retry-unknown",
      negatable = true,
      defaultValue = "true",
      fallbackValue = "true",
      description =
          "Whether a pair whose outcome is unknown is stored again, until it is certain (the default)."
              + " Say --no-retry-unknown when others write the same keys meanwhile.")
  private boolean retryUnknown;

  @Option(
      names = "--give-up",
      paramLabel = "SECONDS",
      defaultValue = "60",
      description = "Stop when nothing could be stored for so long (default: 60).")
  private double giveUpSeconds;

  void check() {
    check(inFlight >= 1 && inFlight <= 100_000, "--in-flight must be 1 to 100000");
    check(perSecond >= 0, "--rate must not be negative");
    check(skip >= 0, "--skip must not be negative");
    check(giveUpSeconds > 0, "--give-up must be positive");
    check(file.equals("-") || Streams.isReadable(Path.of(file)), "no file to read at " + file);
  }

  private void check(boolean holds, String otherwise) {
    if (!holds) {
      throw new CommandLine.ParameterException(command.commandLine(), otherwise);
    }
  }

  /** Where the pairs come from, as a person is told. */
  String source() {
    return file.equals("-") ? "standard input" : file;
  }

  InputStream open(Streams streams) throws IOException {
    return file.equals("-") ? streams.in() : Streams.open(Path.of(file));
  }

  /** How many bytes there are to read; negative: nobody knows. */
  long size() throws IOException {
    return !file.equals("-") && Files.isRegularFile(Path.of(file)) ? Files.size(Path.of(file)) : -1;
  }

  Loader.Options loader() {
    return new Loader.Options(
        inFlight, perSecond, retryUnknown, (long) (giveUpSeconds * 1_000_000_000L));
  }

  long skip() {
    return skip;
  }
}
