// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.cairn.protocol.Consistency;
import dev.cairn.protocol.ErrorCode;
import dev.cairn.server.access.Catalog;
import dev.cairn.server.access.User;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * One request, read and let in, to be answered once.
 *
 * @param rest what of the path follows the route's, not decoded
 * @param body all of it; never modified
 * @param peer where it came from, for the slow log
 * @param asker who asks
 * @param done takes the answer, exactly once, on any thread
 */
record HttpCall(
    HttpMethod method,
    RequestTarget target,
    String rest,
    HttpHeaders headers,
    byte[] body,
    String peer,
    Asker asker,
    Consumer<HttpAnswer> done) {
  /**
   * Who asks.
   *
   * @param user what it may do; null where everybody may ask
   * @param catalog the commands that rights are about
   * @param secured whether over TLS
   */
  record Asker(User user, Catalog catalog, boolean secured) {}

  /** Who asks; of a resource that is not open to everybody. */
  User user() {
    return asker.user();
  }

  /**
   * Looks whether a command may be run with a key.
   *
   * @throws BadRequest where it may not
   */
  void require(String command, byte[] key, int directions) {
    User.KeyUse use =
        new User.KeyUse() {
          @Override
          public int count() {
            return 1;
          }

          @Override
          public byte[] key(int index) {
            return key;
          }

          @Override
          public int directions(int index) {
            return directions;
          }
        };
    Catalog catalog = asker.catalog();
    User.Denial denial = user().denial(catalog, catalog.number(command), List.of(), use);
    if (denial != null) {
      throw new BadRequest(
          forbidden(
              denial.ofCommand()
                  ? "this user has no permissions to run the '" + command + "' command"
                  : "this user has no permissions to access this key"));
    }
  }

  /** What is answered to who may not. */
  static HttpAnswer forbidden(String detail) {
    return HttpAnswer.problem(
        Problem.FORBIDDEN, detail, document -> document.put("code", ErrorCode.NOPERM.name()));
  }

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
