// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/**
 * One answer. An error is a problem document (RFC 9457).
 *
 * @param headers beside those that every answer has
 */
record HttpAnswer(int status, String contentType, byte[] body, Map<String, String> headers) {
  private static final ObjectMapper JSON = new ObjectMapper();

  HttpAnswer {
    headers = Map.copyOf(headers);
  }

  static HttpAnswer of(int status, String contentType, byte[] body) {
    return new HttpAnswer(status, contentType, body, Map.of());
  }

  static HttpAnswer json(int status, String json) {
    return of(status, "application/json", json.getBytes(StandardCharsets.UTF_8));
  }

  /** A problem that its status says all about. */
  static HttpAnswer problem(int status, String detail) {
    try {
      byte[] body =
          JSON.writeValueAsBytes(
              JSON.createObjectNode()
                  .put("type", "about:blank")
                  .put("title", HttpResponseStatus.valueOf(status).reasonPhrase())
                  .put("status", status)
                  .put("detail", detail));
      return of(status, "application/problem+json", body);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  HttpAnswer with(String name, String value) {
    Map<String, String> more = new HashMap<>(headers);
    more.put(name, value);
    return new HttpAnswer(status, contentType, body, more);
  }

  /** As it is sent. To HEAD goes the length and no body. */
  FullHttpResponse response(boolean withBody, boolean close) {
    FullHttpResponse response =
        new DefaultFullHttpResponse(
            HttpVersion.HTTP_1_1,
            HttpResponseStatus.valueOf(status),
            withBody ? Unpooled.wrappedBuffer(body) : Unpooled.EMPTY_BUFFER);
    response
        .headers()
        .set("X-Content-Type-Options", "nosniff")
        .set("X-Frame-Options", "DENY")
        .set("Referrer-Policy", "no-referrer")
        .set("Cross-Origin-Resource-Policy", "same-origin")
        .set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
        .set(HttpHeaderNames.CACHE_CONTROL, "no-store");
    headers.forEach((name, value) -> response.headers().set(name, value));
    if (status != 204 && status != 304) {
      response
          .headers()
          .set(HttpHeaderNames.CONTENT_TYPE, contentType)
          .setInt(HttpHeaderNames.CONTENT_LENGTH, body.length);
    }
    if (close) {
      response.headers().set(HttpHeaderNames.CONNECTION, "close");
    }
    return response;
  }
}
