// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.cairn.protocol.Consistency;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import java.util.Base64;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * One request, read and let in, to be answered once.
 *
 * @param rest what of the path follows the route's, not decoded
 * @param body all of it; never modified
 * @param peer where it came from, for the slow log
 * @param done takes the answer, exactly once, on any thread
 */
record HttpCall(
    HttpMethod method,
    RequestTarget target,
    String rest,
    HttpHeaders headers,
    byte[] body,
    String peer,
    Consumer<HttpAnswer> done) {

  void answer(HttpAnswer answer) {
    done.accept(answer);
  }

  boolean isHead() {
    return HttpMethod.HEAD.equals(method);
  }

  /** The form in which a key is wanted; empty where in none that is offered. */
  Optional<String> form() {
    return Negotiation.type(headers, KeyRecord.FORMS);
  }

  /** Whether that is JSON. */
  boolean wantsJson() {
    return form().filter(HttpAnswer.JSON_TYPE::equals).isPresent();
  }

  /** The level of {@code ?consistency=}. */
  Consistency level(Consistency otherwise) {
    return target
        .text("consistency")
        .map(
            name ->
                Consistency.named(name)
                    .orElseThrow(
                        () -> new BadRequest("consistency is one, quorum or all, not " + name)))
        .orElse(otherwise);
  }

  /** An entity tag of a version. */
  static String tag(long version) {
    return "\"" + version + "\"";
  }

  /** Bytes as a member of a document: NAME where they are UTF-8, else NAMEBase64. */
  static void put(ObjectNode document, String name, byte[] bytes) {
    Optional<String> text = RequestTarget.utf8(bytes);
    if (text.isPresent()) {
      document.put(name, text.get());
    } else {
      document.put(name + "Base64", Base64.getEncoder().encodeToString(bytes));
    }
  }
}
