// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/**
 * Where a command reads and writes. Text is UTF-8 whatever the locale.
 *
 * @param out results
 * @param err everything else: errors, progress
 */
record Streams(InputStream in, PrintStream out, PrintStream err) {
  static Streams ofProcess() {
    return new Streams(
        new FileInputStream(FileDescriptor.in),
        new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8),
        new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8));
  }
}
