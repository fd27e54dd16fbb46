// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import dev.cairn.protocol.Consistency;
import java.util.Optional;
import picocli.CommandLine;

/** A consistency level as a person gives it. */
final class ConsistencyOption {
  private ConsistencyOption() {}

  /** The level of a read; empty where none was given. */
  static Optional<Consistency> read(String text, CommandLine commandLine) {
    return text == null ? Optional.empty() : Optional.of(level(text, true, commandLine));
  }

  /** The level of a write, never ONE; empty where none was given. */
  static Optional<Consistency> write(String text, CommandLine commandLine) {
    return text == null ? Optional.empty() : Optional.of(level(text, false, commandLine));
  }

  private static Consistency level(String text, boolean read, CommandLine commandLine) {
    return parse(text, read)
        .orElseThrow(
            () ->
                new CommandLine.ParameterException(
                    commandLine, "--consistency must be " + levels(read) + ", not " + text));
  }

  /** What a level may be. */
  static String levels(boolean read) {
    return read ? "one, quorum or all" : "quorum or all";
  }

  static Optional<Consistency> parse(String text, boolean read) {
    return Consistency.named(text).filter(level -> read || level != Consistency.ONE);
  }
}
