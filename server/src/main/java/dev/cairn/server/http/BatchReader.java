// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.cairn.server.command.MistakeText;
import dev.cairn.server.operation.Condition;
import dev.cairn.server.operation.Expiry;
import dev.cairn.server.operation.KeyOperation.Revision;
import dev.cairn.server.operation.Operation;
import dev.cairn.server.operation.Query;
import dev.cairn.server.operation.Result;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Reads the body of a batch, strictly.
 *
 * <pre>
 *   batch     = {"operations": [operation, ...]}           1 to 1,000 of them
 *   operation = {"op": "put", key, value, "ttl": ttl?, ifVersion?}
 *             | {"op": "get" | "delete", key, ifVersion?}
 *   key       = "key": text | "keyBase64": text
 *   value     = "value": text | "valueBase64": text
 *   ttl       = a number of seconds, or a text as of {@link TimeToLive}
 *   ifVersion = "ifVersion": number                        0: the key must not be there
 * </pre>
 */
final class BatchReader {
  private static final int OPERATIONS_MAX = 1_000;

  /** Values travel in the answer, in text: so few, and not the longest. */
  private static final int GETS_MAX = 32;

  private static final int GET_BYTES_MAX = 1 << 20;
  private static final Set<String> OF_PUT =
      Set.of("op", "key", "keyBase64", "value", "valueBase64", "ttl", "ifVersion");
  private static final Set<String> OF_OTHERS = Set.of("op", "key", "keyBase64", "ifVersion");

  private final int valueBytesMax;
  private final ObjectMapper json;

  BatchReader(int valueBytesMax) {
    this.valueBytesMax = valueBytesMax;
    this.json =
        JsonMapper.builder(
                JsonFactory.builder()
                    .streamReadConstraints(
                        StreamReadConstraints.builder()
                            .maxStringLength(BatchResource.bodyBytesMax(valueBytesMax))
                            .maxNestingDepth(8)
                            .build())
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();
  }

  /**
   * One operation.
   *
   * @param revision what it changes; empty: it reads
   * @param ifVersion the version that its key must have
   */
  record Step(byte[] key, Optional<Revision> revision, Optional<Long> ifVersion) {
    boolean isRead() {
      return revision.isEmpty();
    }

    /** The command of Redis' whose right it takes. */
    String command() {
      return revision.map(what -> what.value().isPresent() ? "set" : "del").orElse("get");
    }

    Query query() {
      return new Query.Fetch(key, 0, GET_BYTES_MAX - 1L);
    }

    Operation operation() {
      return isRead() ? new Operation.Read(query()) : revision.get();
    }

    /** What became of it, as a request of its own would be answered. */
    void tell(ObjectNode to, Result result) {
      if (result instanceof Result.Failed failed) {
        to.put("status", 400).put("detail", MistakeText.of(failed.mistake(), "put"));
        return;
      }
      if (isRead()) {
        tellRead(to, KeyRecord.of(key, result));
        return;
      }
      KeyResource.Outcome outcome = KeyResource.Outcome.of(revision.get(), result);
      to.put("status", outcome.answer().status()).put("version", outcome.after());
    }

    private static void tellRead(ObjectNode to, Optional<KeyRecord> record) {
      if (record.isEmpty()) {
        to.put("status", 404).put("version", 0);
      } else if (record.get().length() > GET_BYTES_MAX) {
        to.put("status", Problem.NOT_ACCEPTABLE.status())
            .put("detail", "the value has more than 1 MiB: get it by itself")
            .put("version", record.get().version());
      } else {
        to.put("status", 200).put("version", record.get().version());
        HttpCall.put(to, "value", record.get().part());
      }
    }
  }

  /** The operations of a batch. */
  List<Step> read(byte[] body) {
    JsonNode document;
    try {
      document = json.readTree(body);
    } catch (IOException e) {
      throw new BadRequest("the body is no JSON document, or one of its members is there twice");
    }
    JsonNode operations = document.path("operations");
    if (document.size() != 1 || !operations.isArray()) {
      throw new BadRequest("a batch is {\"operations\": [...]}");
    }
    if (operations.isEmpty() || operations.size() > OPERATIONS_MAX) {
      throw new BadRequest("a batch has 1 to " + OPERATIONS_MAX + " operations");
    }
    List<Step> steps = new ArrayList<>(operations.size());
    for (int i = 0; i < operations.size(); i++) {
      steps.add(step(operations.get(i), i));
    }
    if (steps.stream().filter(Step::isRead).count() > GETS_MAX) {
      throw new BadRequest("a batch reads at most " + GETS_MAX + " keys");
    }
    return steps;
  }

  private Step step(JsonNode operation, int place) {
    String op = operation.path("op").asText();
    Set<String> members =
        switch (op) {
          case "put" -> OF_PUT;
          case "get", "delete" -> OF_OTHERS;
          default -> throw wrong(place, "op is put, get or delete");
        };
    for (Iterator<String> names = operation.fieldNames(); names.hasNext(); ) {
      String name = names.next();
      if (!members.contains(name)) {
        throw wrong(place, "there is no member '" + name + "' of " + op);
      }
    }
    byte[] key = KeyResource.key(bytes(operation, "key", place));
    Optional<Long> ifVersion = ifVersion(operation, place);
    return switch (op) {
      case "get" -> new Step(key, Optional.empty(), ifVersion);
      case "delete" ->
          new Step(key, Optional.of(Revision.delete(key, Condition.ALWAYS)), ifVersion);
      default -> {
        byte[] value = bytes(operation, "value", place);
        if (value.length > valueBytesMax) {
          throw wrong(place, "a value has at most " + valueBytesMax + " bytes");
        }
        yield new Step(
            key,
            Optional.of(Revision.put(key, value, ttl(operation, place), Condition.ALWAYS)),
            ifVersion);
      }
    };
  }

  private static Expiry ttl(JsonNode operation, int place) {
    JsonNode ttl = operation.get("ttl");
    if (ttl == null) {
      return Expiry.NEVER;
    }
    if (!ttl.isNumber() && !ttl.isTextual()) {
      throw wrong(place, "ttl is a number of seconds or a text");
    }
    return TimeToLive.of(
        Optional.of(ttl.isNumber() ? ttl.decimalValue().toPlainString() : ttl.asText()));
  }

  private static Optional<Long> ifVersion(JsonNode operation, int place) {
    JsonNode version = operation.get("ifVersion");
    if (version == null) {
      return Optional.empty();
    }
    if (!version.isIntegralNumber() || !version.canConvertToLong() || version.asLong() < 0) {
      throw wrong(place, "ifVersion is a version, or 0 for a key that is not there");
    }
    return Optional.of(version.asLong());
  }

  private static byte[] bytes(JsonNode operation, String name, int place) {
    JsonNode text = operation.get(name);
    JsonNode base64 = operation.get(name + "Base64");
    if ((text == null) == (base64 == null)) {
      throw wrong(place, "it has either %s or %sBase64".formatted(name, name));
    }
    JsonNode given = text == null ? base64 : text;
    if (!given.isTextual()) {
      throw wrong(place, name + " is a text");
    }
    if (text != null) {
      if (!StandardCharsets.UTF_8.newEncoder().canEncode(text.asText())) {
        throw wrong(place, name + " is no text; give its bytes as " + name + "Base64");
      }
      return text.asText().getBytes(StandardCharsets.UTF_8);
    }
    try {
      return Base64.getDecoder().decode(base64.asText());
    } catch (IllegalArgumentException e) {
      throw wrong(place, name + "Base64 is not base64");
    }
  }

  private static BadRequest wrong(int place, String why) {
    return new BadRequest("operation " + place + ": " + why);
  }
}
