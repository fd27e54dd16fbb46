// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.cairn.server.operation.Result;
import io.netty.handler.codec.http.HttpHeaderNames;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * A key as it was read, and how it is told.
 *
 * @param part the bytes fetched, of {@code length}; empty where only the rest was asked for
 * @param ttlMillis how long it stays, by the partition's time; negative: it does not expire
 */
record KeyRecord(byte[] key, byte[] part, long length, long ttlMillis, long version) {
  /** A longer value is not told as JSON, which holds it several times over. */
  static final int JSON_VALUE_BYTES_MAX = 4 << 20;

  private static final String BYTES = "application/octet-stream";

  /** How a key can be told; the first where nothing else is asked for. */
  static final List<String> FORMS = List.of(BYTES, HttpAnswer.JSON_TYPE);

  /** From what {@code Query.Fetch} or {@code Query.Facts} answers. */
  static Optional<KeyRecord> of(byte[] key, Result result) {
    if (!(result instanceof Result.Many many)) {
      return Optional.empty();
    }
    boolean whole = many.results().get(0) instanceof Result.Bytes;
    byte[] part = whole ? ((Result.Bytes) many.results().get(0)).value() : new byte[0];
    Result.Many facts = whole ? (Result.Many) many.results().get(1) : many;
    long expiresAtMillis = number(facts, 1);
    long ttlMillis = expiresAtMillis < 0 ? -1 : Math.max(0, expiresAtMillis - number(facts, 2));
    return Optional.of(new KeyRecord(key, part, number(facts, 0), ttlMillis, number(facts, 4)));
  }

  static long number(Result.Many many, int index) {
    return ((Result.Int) many.results().get(index)).value();
  }

  String tag() {
    return HttpCall.tag(version);
  }

  /** What a condition that does not hold is answered; version 0: the key is not there. */
  static HttpAnswer preconditionFailed(long version) {
    return HttpAnswer.problem(
        Problem.PRECONDITION_FAILED,
        version == 0 ? "the key is not there" : "the key's ETag is \"" + version + "\"",
        document -> document.put("version", version));
  }

  /** An answer with what is to be said of the key. */
  HttpAnswer described(HttpAnswer answer) {
    HttpAnswer described = answer.with("ETag", tag()).with("Vary", "Accept");
    return ttlMillis < 0 ? described : described.with("Cairn-TTL-Millis", Long.toString(ttlMillis));
  }

  HttpAnswer answer(HttpCall call, Optional<ByteRange> asked) {
    if (call.wantsJson()) {
      return json();
    }
    if (call.isHead()) {
      return described(HttpAnswer.head(200, BYTES, length)).with("Accept-Ranges", "bytes");
    }
    Optional<ByteRange> range = asked;
    byte[] body = part;
    if (call.headers().contains(HttpHeaderNames.IF_RANGE)) {
      range = asked.filter(any -> call.headers().get(HttpHeaderNames.IF_RANGE).equals(tag()));
    }
    if (range.isEmpty() || (length == 0 && range.get().isSuffix())) {
      return described(HttpAnswer.of(200, BYTES, body)).with("Accept-Ranges", "bytes");
    }
    long first = range.get().firstOf(length);
    long last = range.get().lastOf(length);
    if (first > last) {
      return described(
              HttpAnswer.problem(
                  Problem.RANGE_NOT_SATISFIABLE, "the value has " + length + " bytes"))
          .with("Content-Range", "bytes */" + length);
    }
    if (body.length != last - first + 1) {
      body = Arrays.copyOfRange(part, (int) first, (int) last + 1);
    }
    return described(HttpAnswer.of(206, BYTES, body))
        .with("Accept-Ranges", "bytes")
        .with("Content-Range", "bytes " + first + "-" + last + "/" + length);
  }

  private HttpAnswer json() {
    if (length > JSON_VALUE_BYTES_MAX) {
      return described(
          HttpAnswer.problem(
              Problem.NOT_ACCEPTABLE,
              "the value has %d bytes, and one of more than %d is told as bytes only"
                  .formatted(length, JSON_VALUE_BYTES_MAX)));
    }
    ObjectNode document = HttpAnswer.object();
    HttpCall.put(document, "key", key);
    HttpCall.put(document, "value", part);
    document.put("version", version).put("length", length);
    if (ttlMillis < 0) {
      document.putNull("ttlMillis");
    } else {
      document.put("ttlMillis", ttlMillis);
    }
    return described(HttpAnswer.json(200, document));
  }
}
