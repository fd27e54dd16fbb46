// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PushbackInputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.GZIPInputStream;

/**
 * Reads pairs, one a line, as tab-separated text or JSON Lines; unpacks gzip, told by its content.
 *
 * <pre>
 * file := line*                       each ended by LF or CRLF; empty lines are skipped
 * tsv  := key TAB value               bytes as they are; further tabs belong to the value
 * json := {"key": string, "value": string, ...}        other fields are ignored
 * </pre>
 *
 * <p>A line that is neither is reported with its number and reading goes on. Owned by one thread,
 * but for {@link #bytesRead}.
 */
final class PairReader implements Closeable {
  /** How lines are written; AUTO: JSON if the first line begins with a brace. */
  enum Format {
    AUTO,
    TSV,
    JSON
  }

  /** What a line holds. */
  sealed interface Entry permits Pair, Malformed {
    long lineNumber();
  }

  /** A pair. */
  record Pair(long lineNumber, byte[] key, byte[] value) implements Entry {}

  /** No pair, and why. */
  record Malformed(long lineNumber, String why) implements Entry {}

  private static final int LINE_BYTES_MAX = 32 * 1024 * 1024;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final CountingStream counted;
  private final InputStream in;
  private final ByteLines lines;
  private Format format;

  PairReader(InputStream source, Format format) throws IOException {
    this.format = format;
    counted = new CountingStream(source);
    PushbackInputStream start =
        new PushbackInputStream(new BufferedInputStream(counted, 64 * 1024), 2);
    byte[] magic = start.readNBytes(2);
    start.unread(magic);
    boolean packed = magic.length == 2 && magic[0] == 0x1f && magic[1] == (byte) 0x8b;
    in = packed ? new GZIPInputStream(start, 64 * 1024) : start;
    lines = new ByteLines(in, LINE_BYTES_MAX);
  }

  /** Bytes taken from the source so far, packed as they are there. Any thread. */
  long bytesRead() {
    return counted.count.get();
  }

  /** The next line that is not empty; empty at the end. */
  Optional<Entry> next() throws IOException {
    while (true) {
      Optional<ByteLines.Line> line = lines.next();
      if (line.isEmpty()) {
        return Optional.empty();
      }
      if (line.get().tooLong()) {
        return malformed(line.get(), "longer than " + LINE_BYTES_MAX + " bytes");
      }
      if (line.get().bytes().length > 0) {
        return parse(line.get());
      }
    }
  }

  @Override
  public void close() throws IOException {
    in.close();
  }

  private Optional<Entry> parse(ByteLines.Line line) {
    if (format == Format.AUTO) {
      format = line.bytes()[0] == '{' ? Format.JSON : Format.TSV;
    }
    return format == Format.JSON ? json(line) : tabSeparated(line);
  }

  private static Optional<Entry> tabSeparated(ByteLines.Line line) {
    byte[] bytes = line.bytes();
    for (int i = 0; i < bytes.length; i++) {
      if (bytes[i] == '\t') {
        return pair(line, Arrays.copyOf(bytes, i), Arrays.copyOfRange(bytes, i + 1, bytes.length));
      }
    }
    return malformed(line, "no tab between key and value");
  }

  private static Optional<Entry> json(ByteLines.Line line) {
    JsonNode node;
    try {
      node = JSON.readTree(line.bytes());
    } catch (JsonProcessingException notJson) {
      return malformed(line, "not JSON");
    } catch (IOException notUtf8) {
      return malformed(line, "not JSON in UTF-8");
    }
    JsonNode key = node.get("key");
    JsonNode value = node.get("value");
    if (key == null || value == null || !key.isTextual() || !value.isTextual()) {
      return malformed(line, "no {\"key\": \"...\", \"value\": \"...\"} with two strings");
    }
    return pair(line, bytes(key), bytes(value));
  }

  private static Optional<Entry> pair(ByteLines.Line line, byte[] key, byte[] value) {
    return key.length == 0
        ? malformed(line, "the key is empty")
        : Optional.of(new Pair(line.number(), key, value));
  }

  private static Optional<Entry> malformed(ByteLines.Line line, String why) {
    return Optional.of(new Malformed(line.number(), why));
  }

  private static byte[] bytes(JsonNode text) {
    return text.textValue().getBytes(StandardCharsets.UTF_8);
  }

  private static final class CountingStream extends FilterInputStream {
    private final AtomicLong count = new AtomicLong();

    CountingStream(InputStream in) {
      super(in);
    }

    @Override
    public int read() throws IOException {
      int next = super.read();
      if (next >= 0) {
        count.incrementAndGet();
      }
      return next;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      int read = super.read(buffer, offset, length);
      if (read > 0) {
        count.addAndGet(read);
      }
      return read;
    }
  }
}
