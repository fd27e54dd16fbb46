// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.cairn.server.access.AccessControl;
import dev.cairn.server.access.ClientAddress;
import dev.cairn.server.access.Login;
import dev.cairn.server.access.Logins;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Logging in to the console, and out: {@code POST /v1/session} with a user and a password, as JSON
 * or from the login page's form; {@code GET} says who one is and what one may do; {@code DELETE}
 * ends it.
 */
final class SessionResource implements Route.Resource {
  /** The longest body. */
  static final int BODY_BYTES_MAX = 16 << 10;

  private static final String FORM = "application/x-www-form-urlencoded";
  private static final ObjectMapper JSON = new ObjectMapper();

  /** What the console offers, and the command whose right that takes. */
  private static final Map<String, String> OFFERED =
      Map.of(
          "cluster", "cairn|status",
          "stats", "info",
          "slowLog", "slowlog|get",
          "list", "scan",
          "read", "get",
          "write", "set",
          "delete", "del");

  private final AccessControl access;
  private final Sessions sessions;
  private final Askers askers;

  SessionResource(AccessControl access, Sessions sessions, Askers askers) {
    this.access = access;
    this.sessions = sessions;
    this.askers = askers;
  }

  @Override
  public void answer(HttpCall call) {
    call.target().allowOnly(Set.of());
    if (call.method().equals(HttpMethod.POST)) {
      begin(call);
    } else if (call.method().equals(HttpMethod.DELETE)) {
      Askers.token(call.headers()).ifPresent(sessions::end);
      call.answer(HttpAnswer.empty(204).with("Set-Cookie", cookie(call, "") + "; Max-Age=0"));
    } else {
      call.answer(HttpAnswer.json(200, told(call)));
    }
  }

  private ObjectNode told(HttpCall call) {
    ObjectNode document = HttpAnswer.object();
    HttpCall.put(document, "user", call.user().name().getBytes(StandardCharsets.ISO_8859_1));
    document.put("mayEnd", Askers.token(call.headers()).isPresent());
    ObjectNode may = document.putObject("may");
    OFFERED.keySet().stream()
        .sorted()
        .forEach(what -> may.put(what, call.user().may(access.catalog(), OFFERED.get(what))));
    return document;
  }

  private void begin(HttpCall call) {
    boolean form = isForm(call);
    Credentials given = form ? ofForm(call.body()) : ofJson(call.body());
    boolean taken =
        askers.check(
            new Logins.Attempt(ClientAddress.of(call.peer()), given.user(), given.password()),
            call.peer(),
            login -> call.answer(login.map(in -> begun(call, in)).orElseGet(() -> wrong(form))));
    if (!taken) {
      call.answer(HttpAnswer.tooMuch());
    }
  }

  private static boolean isForm(HttpCall call) {
    return Optional.ofNullable(call.headers().get(HttpHeaderNames.CONTENT_TYPE))
        .filter(type -> type.startsWith(FORM))
        .isPresent();
  }

  private record Credentials(String user, byte[] password) {}

  private static Credentials ofForm(byte[] body) {
    QueryStringDecoder form =
        new QueryStringDecoder(
            new String(body, StandardCharsets.US_ASCII), StandardCharsets.ISO_8859_1, false);
    return new Credentials(
        first(form, "user"), first(form, "password").getBytes(StandardCharsets.ISO_8859_1));
  }

  private static String first(QueryStringDecoder form, String name) {
    return form.parameters().getOrDefault(name, List.of("")).get(0);
  }

  private static Credentials ofJson(byte[] body) {
    try {
      JsonNode document = JSON.readTree(body);
      if (document.path("user").isTextual() && document.path("password").isTextual()) {
        return new Credentials(
            new String(
                document.get("user").asText().getBytes(StandardCharsets.UTF_8),
                StandardCharsets.ISO_8859_1),
            document.get("password").asText().getBytes(StandardCharsets.UTF_8));
      }
    } catch (IOException e) {
      // Said below, like a document of another form; what it holds may be a password.
    }
    throw new BadRequest("the body should be {\"user\": \"...\", \"password\": \"...\"}");
  }

  private HttpAnswer begun(HttpCall call, Login login) {
    String cookie = cookie(call, sessions.begin(login));
    return isForm(call)
        ? HttpAnswer.empty(303).with("Location", "/").with("Set-Cookie", cookie)
        : HttpAnswer.empty(204).with("Set-Cookie", cookie);
  }

  private static HttpAnswer wrong(boolean form) {
    return form
        ? LoginPage.answer("The user, the password or both are wrong, or the user is off.")
        : HttpAnswer.problem(
            Problem.UNAUTHORIZED, "the user, the password or both are wrong, or the user is off");
  }

  /**
   * Kept until the browser is closed, for this node's pages alone, out of reach of scripts; sent
   * over TLS only, where it began so.
   */
  private static String cookie(HttpCall call, String token) {
    return "%s=%s; Path=/; HttpOnly; SameSite=Strict%s"
        .formatted(
            Askers.cookieName(call.headers()), token, call.asker().secured() ? "; Secure" : "");
  }
}
