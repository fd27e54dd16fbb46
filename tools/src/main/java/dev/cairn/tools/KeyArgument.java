// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;

/** Command-line arguments as bytes. */
final class KeyArgument {
  private KeyArgument() {}

  /**
   * The argument in UTF-8. Under a locale that is not UTF-8, Java has already replaced what it
   * could not read: storing that under a wrong key would be worse than refusing.
   */
  static byte[] bytes(String argument, CommandLine commandLine) {
    Charset locale =
        Charset.forName(System.getProperty("sun.jnu.encoding", StandardCharsets.UTF_8.name()));
    boolean lost = argument.indexOf('\uFFFD') >= 0 && !locale.equals(StandardCharsets.UTF_8);
    if (lost) {
      throw new CommandLine.ParameterException(
          commandLine,
          "an argument is not ASCII and the locale is not UTF-8: run with LC_ALL=C.UTF-8");
    }
    return argument.getBytes(StandardCharsets.UTF_8);
  }
}
