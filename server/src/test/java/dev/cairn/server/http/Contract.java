// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import dev.cairn.server.http.HttpTestNode.Answer;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Iterator;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What {@code openapi.yaml} says of an answer: its status, its type, its headers, and the schema of
 * its body. Remembers which of the answers it names were given.
 */
public final class Contract {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final JsonNode DOCUMENT = document();
  private static final SchemaRegistry SCHEMAS =
      SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);
  private static final Map<String, Schema> KNOWN = new ConcurrentHashMap<>();

  /**
   * What any request may be answered with, as the document says in its head; but for 500, a bug,
   * which no test takes for an answer.
   */
  private static final Set<Integer> ANYWHERE =
      Set.of(400, 401, 403, 405, 411, 413, 414, 415, 417, 421, 431, 501, 505);

  private final Set<String> given = ConcurrentHashMap.newKeySet();

  private static JsonNode document() {
    try (InputStream in = HttpFront.class.getResourceAsStream("openapi.yaml")) {
      return new ObjectMapper(new YAMLFactory()).readTree(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The answers that the document names, such as {@code GET /v1/kv/{key} 200}. */
  static Set<String> named() {
    Set<String> named = new TreeSet<>();
    DOCUMENT
        .get("paths")
        .properties()
        .forEach(
            path ->
                path.getValue()
                    .properties()
                    .forEach(
                        operation ->
                            operation
                                .getValue()
                                .path("responses")
                                .fieldNames()
                                .forEachRemaining(
                                    status ->
                                        named.add(
                                            "%s %s %s"
                                                .formatted(
                                                    operation.getKey().toUpperCase(Locale.ROOT),
                                                    path.getKey(),
                                                    status)))));
    return named;
  }

  /** Those of them that were given. */
  public Set<String> given() {
    return new TreeSet<>(given);
  }

  /**
   * Holds an answer of a real node against the document.
   *
   * @param methodAndTarget such as {@code GET /v1/nodes}
   * @param headers the first of each name; names in any case
   */
  public void hold(String methodAndTarget, int status, Map<String, String> headers, byte[] body)
      throws IOException {
    TreeMap<String, String> lower = new TreeMap<>();
    headers.forEach((name, value) -> lower.put(name.toLowerCase(Locale.ROOT), value));
    hold(methodAndTarget, new Answer(status, lower, body));
  }

  /** Holds an answer against the document. */
  void hold(String methodAndTarget, Answer answer) throws IOException {
    String method = methodAndTarget.substring(0, methodAndTarget.indexOf(' '));
    String template = template(methodAndTarget.substring(method.length() + 1).split("\\?")[0]);
    JsonNode operation =
        DOCUMENT.path("paths").path(template).path(method.toLowerCase(Locale.ROOT));
    String name = method + " " + template + " " + answer.status();
    JsonNode response = resolved(operation.path("responses").path("" + answer.status()));
    if (response.isMissingNode()) {
      boolean undocumented =
          operation.isMissingNode() && (method.equals("HEAD") || method.equals("OPTIONS"));
      boolean absent = DOCUMENT.path("paths").path(template).isMissingNode();
      assertThat(ANYWHERE.contains(answer.status()) || absent || undocumented)
          .as("%s is in no line of openapi.yaml", name)
          .isTrue();
      if (answer.status() >= 400 && !method.equals("HEAD")) {
        problem(name, answer);
      }
      return;
    }
    given.add(name);
    headers(name, response, answer);
    JsonNode content = response.path("content");
    if (content.isMissingNode() || method.equals("HEAD")) {
      assertThat(answer.body()).as(name).isEmpty();
      return;
    }
    String type = answer.header("Content-Type").split(";")[0];
    assertThat(content.has(type)).as("%s has type %s", name, type).isTrue();
    if (content.get(type).has("schema")) {
      body(name, content.get(type).get("schema").get("$ref").asText(), answer);
    }
  }

  private static String template(String path) {
    if (path.startsWith("/v1/kv/")) {
      return "/v1/kv/{key}";
    }
    if (path.startsWith("/console/")) {
      return "/console/{name}";
    }
    return path.startsWith("/problems/") ? "/problems/{name}" : path;
  }

  private static JsonNode resolved(JsonNode node) {
    return node.has("$ref") ? DOCUMENT.at(node.get("$ref").asText().substring(1)) : node;
  }

  private static void headers(String name, JsonNode response, Answer answer) {
    for (Iterator<String> names = response.path("headers").fieldNames(); names.hasNext(); ) {
      String header = names.next();
      JsonNode said = resolved(response.path("headers").get(header));
      String value = answer.header(header);
      if (said.path("required").asBoolean()) {
        assertThat(value).as("%s: header %s", name, header).isNotNull();
      }
      if (value != null && said.path("schema").has("pattern")) {
        assertThat(value).as(name).matches(said.path("schema").get("pattern").asText());
      }
    }
  }

  private static void problem(String name, Answer answer) throws IOException {
    assertThat(answer.header("Content-Type")).as(name).isEqualTo("application/problem+json");
    body(name, "#/components/schemas/Problem", answer);
    assertThat(JSON.readTree(answer.body()).get("status").asInt()).isEqualTo(answer.status());
  }

  private static void body(String name, String reference, Answer answer) throws IOException {
    Schema schema = KNOWN.computeIfAbsent(reference, Contract::schema);
    assertThat(schema.validate(JSON.readTree(answer.body())))
        .as("%s: %s", name, answer.text())
        .isEmpty();
  }

  private static Schema schema(String reference) {
    ObjectNode schema = JSON.createObjectNode().put("$ref", reference);
    schema.set("components", DOCUMENT.get("components"));
    return SCHEMAS.getSchema(schema.toString());
  }
}
