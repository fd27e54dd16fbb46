// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;

/**
 * A small file beside the segments that says how far the log has surely been on disk. What the last
 * batch had is proven by no later batch; the mark proves it, up to the moment when it was written.
 *
 * <pre>
 *   cairn-log-mark 2               version of this file
 *   log 0123456789abcdef           which log it belongs to
 *   batch 4711                     the number of a batch that was synced
 *   crc32c 0123abcd                over the lines above
 * </pre>
 *
 * @param log random, the same in all files of a log
 * @param number of the last batch that was on disk
 */
record Mark(long log, long number) {
  static final String NAME = "durable-mark";

  private static final int VERSION = 2;
  private static final Pattern FIRST_LINE =
      Pattern.compile("cairn-log-mark (\\d{1,9})\n.*", Pattern.DOTALL);
  private static final Pattern FILE =
      Pattern.compile(
          "(cairn-log-mark 2\nlog ([0-9a-f]{16})\nbatch (\\d{1,18})\n)crc32c ([0-9a-f]{8})\n");

  /** Reads the mark; empty when there is none. */
  static Optional<Mark> read(LogFiles files) throws IOException {
    Optional<byte[]> bytes = files.read(NAME);
    if (bytes.isEmpty()) {
      return Optional.empty();
    }
    String text = new String(bytes.get(), UTF_8);
    Matcher whole = FILE.matcher(text);
    if (whole.matches() && whole.group(4).equals(checksum(whole.group(1)))) {
      return Optional.of(
          new Mark(Long.parseUnsignedLong(whole.group(2), 16), Long.parseLong(whole.group(3))));
    }
    Matcher first = FIRST_LINE.matcher(text);
    if (first.matches() && Integer.parseInt(first.group(1)) != VERSION) {
      throw new LogException(
          LogException.Kind.FOREIGN,
          NAME + " has version " + first.group(1) + "; this release reads version " + VERSION);
    }
    throw new LogException(
        LogException.Kind.DAMAGED,
        NAME + " is damaged: whether the log beside it is whole cannot be told");
  }

  void write(LogFiles files) throws IOException {
    String lines =
        String.format(
            Locale.ROOT, "cairn-log-mark %d\nlog %016x\nbatch %d\n", VERSION, log, number);
    files.replace(NAME, (lines + "crc32c " + checksum(lines) + "\n").getBytes(UTF_8));
  }

  private static String checksum(String lines) {
    CRC32C crc = new CRC32C();
    crc.update(lines.getBytes(UTF_8));
    return String.format(Locale.ROOT, "%08x", crc.getValue());
  }
}
