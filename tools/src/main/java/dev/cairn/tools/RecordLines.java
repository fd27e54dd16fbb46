// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import dev.cairn.client.RecordPage.Entry;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.OptionalLong;

/**
 * The lines of an export (docs/reference/formats.md), each a JSON object in UTF-8 that ends with a
 * line feed.
 *
 * <pre>
 *   export := header record* end        no end: it was interrupted
 *   header := {"cairnExport": 1, "cluster": text, bytes(prefix)}
 *   record := {bytes(key), bytes(value), "expiresAtMillis": int}     the last only where it expires
 *   end    := {"end": true, "records": int}                          how many stand between the two
 *   bytes(name) := "name": text | "nameBase64": text                 base64 where they are no UTF-8,
 *                                                                    or would be longer as text
 * </pre>
 *
 * Fields that are not known are passed over; a header of another version is refused.
 */
final class RecordLines {
  static final int FORMAT = 1;

  /** The name of the field by which an export is known, and its version. */
  static final String FORMAT_FIELD = "cairnExport";

  private static final JsonFactory JSON =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder().maxStringLength(PackedLines.LINE_BYTES_MAX).build())
          .build()
          .configure(JsonGenerator.Feature.AUTO_CLOSE_TARGET, false)
          .configure(JsonGenerator.Feature.FLUSH_PASSED_TO_STREAM, false);

  /** What a line holds. */
  sealed interface Line permits Header, Stored, End {}

  /** How an export begins. */
  record Header(int format, String cluster, byte[] prefix) implements Line {}

  /** A record. */
  record Stored(Entry entry) implements Line {}

  /** How a whole export ends. */
  record End(long records) implements Line {}

  private RecordLines() {}

  static void write(OutputStream out, Header header) throws IOException {
    try (JsonGenerator json = JSON.createGenerator(out)) {
      json.writeStartObject();
      json.writeNumberField(FORMAT_FIELD, header.format);
      json.writeStringField("cluster", header.cluster);
      bytes(json, "prefix", header.prefix);
      json.writeEndObject();
    }
    out.write('\n');
  }

  static void write(OutputStream out, Entry entry) throws IOException {
    try (JsonGenerator json = JSON.createGenerator(out)) {
      json.writeStartObject();
      bytes(json, "key", entry.key());
      bytes(json, "value", entry.value());
      if (entry.expiresAtMillis().isPresent()) {
        json.writeNumberField("expiresAtMillis", entry.expiresAtMillis().getAsLong());
      }
      json.writeEndObject();
    }
    out.write('\n');
  }

  static void write(OutputStream out, End end) throws IOException {
    try (JsonGenerator json = JSON.createGenerator(out)) {
      json.writeStartObject();
      json.writeBooleanField("end", true);
      json.writeNumberField("records", end.records);
      json.writeEndObject();
    }
    out.write('\n');
  }

  private static void bytes(JsonGenerator json, String name, byte[] bytes) throws IOException {
    if (asText(bytes)) {
      json.writeFieldName(name);
      json.writeUTF8String(bytes, 0, bytes.length);
    } else {
      json.writeBinaryField(name + "Base64", bytes);
    }
  }

  private static boolean asText(byte[] bytes) {
    long length = 0;
    for (byte octet : bytes) {
      boolean escaped = octet == '"' || octet == '\\' || octet == '\n' || octet == '\t';
      length += octet >= 0 && octet < ' ' && !escaped ? 6 : escaped ? 2 : 1;
    }
    return length <= (bytes.length + 2L) / 3 * 4 && isUtf8(bytes);
  }

  private static boolean isUtf8(byte[] bytes) {
    for (byte octet : bytes) {
      if (octet < 0) {
        try {
          StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
          return true;
        } catch (CharacterCodingException notText) {
          return false;
        }
      }
    }
    return true;
  }

  /**
   * Reads a line.
   *
   * @throws IOException if it is none of an export; the message says why
   */
  static Line read(byte[] line) throws IOException {
    Fields fields = new Fields();
    try (JsonParser json = JSON.createParser(line)) {
      if (json.nextToken() != JsonToken.START_OBJECT) {
        throw new IOException("no JSON object");
      }
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        fields.read(json.currentName(), json);
      }
      if (json.nextToken() != null) {
        throw new IOException("more than one JSON object");
      }
    } catch (JsonProcessingException malformed) {
      throw new IOException("not JSON", malformed);
    }
    return fields.line();
  }

  /** The fields of one line, as far as they are known. */
  private static final class Fields {
    private int format = -1;
    private String cluster = "";
    private byte[] prefix = {};
    private byte[] key;
    private byte[] value;
    private OptionalLong expiresAtMillis = OptionalLong.empty();
    private boolean end;
    private long records = -1;

    void read(String name, JsonParser json) throws IOException {
      JsonToken token = json.nextToken();
      switch (name) {
        case FORMAT_FIELD -> format = json.getIntValue();
        case "cluster" -> cluster = json.getText();
        case "prefix", "prefixBase64" -> prefix = bytes(name, json, token);
        case "key", "keyBase64" -> key = bytes(name, json, token);
        case "value", "valueBase64" -> value = bytes(name, json, token);
        case "expiresAtMillis" -> expiresAtMillis = OptionalLong.of(json.getLongValue());
        case "end" -> end = token == JsonToken.VALUE_TRUE;
        case "records" -> records = json.getLongValue();
        default -> json.skipChildren();
      }
    }

    private static byte[] bytes(String name, JsonParser json, JsonToken token) throws IOException {
      if (token != JsonToken.VALUE_STRING) {
        throw new IOException(name + " is no string");
      }
      return name.endsWith("Base64")
          ? json.getBinaryValue()
          : json.getText().getBytes(StandardCharsets.UTF_8);
    }

    Line line() throws IOException {
      if (format >= 0) {
        return new Header(format, cluster, prefix);
      }
      if (end) {
        return new End(records);
      }
      if (key == null || value == null) {
        throw new IOException("no record: key or value is missing");
      }
      if (key.length == 0) {
        throw new IOException("the key is empty");
      }
      return new Stored(new Entry(key, value, expiresAtMillis));
    }
  }

  /** What an export holds, for a person. */
  static String describe(Header header) {
    return "cluster "
        + header.cluster
        + (header.prefix.length == 0
            ? ", all keys"
            : ", keys that begin with " + Printed.value(header.prefix));
  }

  /** Whether what the one begins may go on under the other. */
  static boolean same(Header one, Header other) {
    return one.format == other.format
        && one.cluster.equals(other.cluster)
        && Arrays.equals(one.prefix, other.prefix);
  }
}
