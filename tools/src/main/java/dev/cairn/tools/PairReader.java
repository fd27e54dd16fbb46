// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalLong;

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
final class PairReader implements Pairs {
  /** How lines are written; AUTO: JSON if the first line begins with a brace. */
  enum Format {
    AUTO,
    TSV,
    JSON
  }

  private static final ObjectMapper JSON = new ObjectMapper();

  private final PackedLines lines;
  private Format format;

  PairReader(InputStream source, Format format) throws IOException {
    this.format = format;
    lines = new PackedLines(source);
  }

  @Override
  public long bytesRead() {
    return lines.bytesRead();
  }

  @Override
  public Optional<Entry> next() throws IOException {
    Optional<ByteLines.Line> line = lines.next();
    if (line.isEmpty()) {
      return Optional.empty();
    }
    return line.get().tooLong() ? malformed(line.get(), PackedLines.tooLong()) : parse(line.get());
  }

  @Override
  public void close() throws IOException {
    lines.close();
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
    if (node.has(RecordLines.FORMAT_FIELD)) {
      return malformed(line, "this is an export: ./cairn import reads it");
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
        : Optional.of(new Pair(line.number(), key, value, OptionalLong.empty()));
  }

  private static Optional<Entry> malformed(ByteLines.Line line, String why) {
    return Optional.of(new Malformed(line.number(), why));
  }

  private static byte[] bytes(JsonNode text) {
    return text.textValue().getBytes(StandardCharsets.UTF_8);
  }
}
