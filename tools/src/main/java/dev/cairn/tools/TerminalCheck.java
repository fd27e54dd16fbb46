// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import java.io.IOException;
import org.jline.terminal.spi.SystemStream;
import org.jline.terminal.spi.TerminalProvider;

/** Whether a person sits at a standard stream. */
final class TerminalCheck {
  private TerminalCheck() {}

  static boolean input() {
    return check(SystemStream.Input);
  }

  static boolean error() {
    return check(SystemStream.Error);
  }

  private static boolean check(SystemStream stream) {
    for (String provider : new String[] {"jni", "exec"}) {
      try {
        return TerminalProvider.load(provider).isSystemStream(stream);
      } catch (IOException | LinkageError notHere) {
        // The next one needs no native library, but starts a process.
      }
    }
    return false;
  }
}
