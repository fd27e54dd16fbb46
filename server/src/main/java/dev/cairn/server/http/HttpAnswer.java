// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One answer.
 *
 * @param body never modified
 * @param length of what a GET is answered with, bytes: that of the body, or to HEAD of what is left
 *     out
 * @param headers beside those that every answer has
 */
record HttpAnswer(
    int status, String contentType, byte[] body, long length, Map<String, String> headers) {
  static final String JSON_TYPE = "application/json";

  private static final byte[] NOTHING = {};
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Logger log = LoggerFactory.getLogger(HttpAnswer.class);

  HttpAnswer {
    headers = Map.copyOf(headers);
  }

  static HttpAnswer of(int status, String contentType, byte[] body) {
    return new HttpAnswer(status, contentType, body, body.length, Map.of());
  }

  /** One without a body: 201, 204, 304. */
  static HttpAnswer empty(int status) {
    return of(status, "", NOTHING);
  }

  /** What is refused where clients have sent or not read as much as this node may hold. */
  static HttpAnswer tooMuch() {
    return problem(
            Problem.UNAVAILABLE,
            "this node holds as many bodies and documents as it may, until clients have sent and read theirs; slow down, or ask another node")
        .with("Retry-After", "1");
  }

  /** What a request is answered that met a bug, which is logged. */
  static HttpAnswer internalError(RuntimeException bug) {
    log.error("an HTTP request failed: report this as a bug", bug);
    return problem(Problem.INTERNAL_ERROR, "internal error, see the node's log");
  }

  /** What HEAD is answered where GET would be answered with a body of so many bytes. */
  static HttpAnswer head(int status, String contentType, long length) {
    return new HttpAnswer(status, contentType, NOTHING, length, Map.of());
  }

  static HttpAnswer json(int status, String json) {
    return of(status, JSON_TYPE, json.getBytes(StandardCharsets.UTF_8));
  }

  static HttpAnswer json(int status, JsonNode document) {
    return of(status, JSON_TYPE, bytes(document));
  }

  static ObjectNode object() {
    return JSON.createObjectNode();
  }

  private static byte[] bytes(JsonNode document) {
    try {
      return JSON.writeValueAsBytes(document);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e); // a tree of numbers and texts is always written
    }
  }

  /**
   * A problem document.
   *
   * @param detail one line for a person
   */
  static HttpAnswer problem(Problem problem, String detail) {
    return problem(problem, detail, document -> {});
  }

  /** The same with members of its own. */
  static HttpAnswer problem(Problem problem, String detail, Consumer<ObjectNode> more) {
    ObjectNode document =
        JSON.createObjectNode()
            .put("type", problem.type())
            .put("title", HttpResponseStatus.valueOf(problem.status()).reasonPhrase())
            .put("status", problem.status())
            .put("detail", detail);
    more.accept(document);
    return of(problem.status(), "application/problem+json", bytes(document));
  }

  /** What HEAD is answered where GET would be answered with this. */
  HttpAnswer withoutBody() {
    return new HttpAnswer(status, contentType, NOTHING, length, headers);
  }

  HttpAnswer with(String name, String value) {
    Map<String, String> more = new HashMap<>(headers);
    more.put(name, value);
    return new HttpAnswer(status, contentType, body, length, more);
  }

  /**
   * What is sent before the body. Names are written as they were always written: programs are about
   * that look for {@code Content-Length} as it stands (ApacheBench).
   *
   * @param connection what becomes of the connection, where that is to be said
   * @param date what the header Date says
   */
  HttpResponse head(Optional<CharSequence> connection, String date) {
    HttpResponse response =
        new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(status));
    response
        .headers()
        .set("Date", date)
        .set("X-Content-Type-Options", "nosniff")
        .set("X-Frame-Options", "DENY")
        .set("Referrer-Policy", "no-referrer")
        .set("Cross-Origin-Resource-Policy", "same-origin")
        .set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
        .set("Cache-Control", "no-store");
    headers.forEach((name, value) -> response.headers().set(name, value));
    if (status != 204 && status != 304) {
      response.headers().set("Content-Length", Long.toString(length));
      if (!contentType.isEmpty()) {
        response.headers().set("Content-Type", contentType);
      }
    }
    connection.ifPresent(what -> response.headers().set("Connection", what));
    return response;
  }
}
