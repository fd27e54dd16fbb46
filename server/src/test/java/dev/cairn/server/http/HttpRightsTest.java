// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.server.access.AccessControl;
import dev.cairn.server.access.Audit;
import dev.cairn.server.access.LocalRights;
import dev.cairn.server.access.Passwords;
import dev.cairn.server.access.RightsWriter;
import dev.cairn.server.command.CommandTable;
import dev.cairn.server.http.HttpTestNode.Answer;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpVersion;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Rights over HTTP: what each route takes, by the table of routes, and who one is. */
final class HttpRightsTest {
  private final List<Audit.Event> events = new CopyOnWriteArrayList<>();
  private final AccessControl access =
      LocalRights.of(CommandTable.catalog(), new AccessControl.Rules(0, 5_000, false), events::add);
  private HttpTestNode node;

  @BeforeEach
  void start() throws Exception {
    node = new HttpTestNode(6, access);
    ClusterResourceTest.fill(node.router);
    node.router.documents = Map.of();
    set("default", ">" + "x");
  }

  @AfterEach
  void stop() {
    node.close();
    access.close();
  }

  private void set(String user, String... rules) throws Exception {
    List<String> hashed =
        Arrays.stream(rules)
            .map(
                rule ->
                    rule.startsWith(">")
                        ? "#" + Passwords.hash(rule.substring(1).getBytes(StandardCharsets.UTF_8))
                        : rule)
            .toList();
    CompletableFuture<RightsWriter.Outcome> outcome = new CompletableFuture<>();
    access.change(new RightsWriter.Change.Set(user, hashed), outcome::complete);
    assertThat(outcome.get()).isInstanceOf(RightsWriter.Outcome.Applied.class);
  }

  private static String basic(String user, String password) {
    return "Authorization: Basic "
        + Base64.getEncoder()
            .encodeToString((user + ":" + password).getBytes(StandardCharsets.UTF_8));
  }

  private Answer ask(String methodAndTarget, String body, String... headers) throws IOException {
    return node.ask(methodAndTarget, body.getBytes(StandardCharsets.UTF_8), headers);
  }

  /** Every route but two, and every method of each. */
  @Test
  void whoSaysNothingIsLetInNowhere() throws IOException {
    int asked = 0;
    for (Route route : node.routes()) {
      String target =
          route.path().endsWith("/") && route.path().length() > 1
              ? route.path() + "x"
              : route.path();
      for (HttpMethod method : route.methods()) {
        Answer answer = ask(method + " " + target, "");
        if (route.isOpenTo(method)) {
          assertThat(answer.status()).as("%s %s", method, target).isNotIn(401, 403);
        } else {
          assertThat(answer.status()).as("%s %s", method, target).isEqualTo(401);
          assertThat(answer.header("WWW-Authenticate")).startsWith("Basic ");
          asked++;
        }
      }
    }
    assertThat(asked).isGreaterThan(30);
    assertThat(ask("GET /nosuch", "").status()).isEqualTo(401);
    assertThat(ask("OPTIONS /v1/nodes", "").status()).isEqualTo(401);
    assertThat(node.router.requests.get()).isZero();
  }

  @Test
  void whoHasNoRightIsForbiddenEverythingThatTakesOne() throws Exception {
    set("u", "on", ">p", "~*");
    for (Route route : node.routes()) {
      String target =
          route.path().endsWith("/") && route.path().length() > 1
              ? route.path() + "x"
              : route.path();
      for (HttpMethod method : route.methods()) {
        boolean takesOne =
            !route.right().isEmpty()
                || route.path().startsWith("/v1/kv")
                || route.path().equals("/v1/batch");
        if (route.isOpenTo(method)) {
          continue;
        }
        String body =
            route.path().equals("/v1/batch")
                ? "{\"operations\":[{\"op\":\"get\",\"key\":\"a\"}]}"
                : "";
        Answer answer = ask(method + " " + target, body, basic("u", "p"));
        if (takesOne) {
          assertThat(answer.status()).as("%s %s", method, target).isEqualTo(403);
        } else {
          assertThat(answer.status()).as("%s %s", method, target).isNotIn(401, 403);
        }
      }
    }
    assertThat(node.router.requests.get()).isZero();
  }

  @Test
  void aRouteTakesTheRightOfItsCommandAndNoOther() throws Exception {
    for (Route route : node.routes()) {
      if (!route.isOpen() && !route.right().isEmpty()) {
        set("u", "on", ">p", "-@all", "+" + route.right());
        assertThat(ask("GET " + route.path(), "", basic("u", "p")).status())
            .as(route.path())
            .isEqualTo(200);
        set("u", "+@all", "-" + route.right());
        assertThat(ask("GET " + route.path(), "", basic("u", "p")).status())
            .as(route.path())
            .isEqualTo(403);
      }
    }
  }

  @Test
  void keysAreThoseOfTheUser() throws Exception {
    set("u", "on", ">p", "%R~r*", "%W~w*", "+get", "+set", "+del", "+scan");
    String u = basic("u", "p");
    assertThat(ask("PUT /v1/kv/w1", "1", u).status()).isEqualTo(201);
    assertThat(ask("GET /v1/kv/w1", "", u).status()).isEqualTo(403);
    assertThat(ask("PUT /v1/kv/r1", "1", u).status()).isEqualTo(403);
    assertThat(ask("GET /v1/kv/r1", "", u).status()).isEqualTo(404);
    assertThat(ask("DELETE /v1/kv/r1", "", u).status()).isEqualTo(403);
    assertThat(ask("DELETE /v1/kv/w1", "", u).status()).isEqualTo(204);
    String x = basic("default", "x");
    for (String key : List.of("r1", "r2", "other", "w2")) {
      assertThat(ask("PUT /v1/kv/" + key, "1", x).status()).isEqualTo(201);
    }
    assertThat(ask("GET /v1/kv", "", u).text())
        .contains("\"r1\"", "\"r2\"")
        .doesNotContain("other", "w2");
    int before = node.router.requests.get();
    String batch =
        "{\"operations\":[{\"op\":\"get\",\"key\":\"r1\"},{\"op\":\"put\",\"key\":\"r1\",\"value\":\"2\"}]}";
    assertThat(ask("POST /v1/batch", batch, u).status()).isEqualTo(403);
    assertThat(node.router.requests.get()).as("all or nothing").isEqualTo(before);
  }

  @Test
  void whatIsRefusedIsKept() throws Exception {
    set("u", "on", ">p", "~ok", "+get");
    ask("GET /v1/kv/other?consistency=one", "", basic("u", "p"));
    ask("GET /metrics", "", basic("u", "p"));
    ask("GET /v1/nodes", "");
    ask("GET /v1/nodes", "", basic("u", "wrong"));
    ask("GET /v1/kv/ok", "", basic("u", "p"));
    assertThat(events)
        .extracting(
            event -> event.kind() + " " + event.outcome() + " " + event.user() + " " + event.what())
        .containsSubsequence(
            "LOGIN DONE u by password",
            "REFUSAL REFUSED u GET /v1/kv/other",
            "REFUSAL REFUSED u GET /metrics",
            "REFUSAL REFUSED  GET /v1/nodes",
            "LOGIN REFUSED u by a password that is wrong");
    assertThat(events).noneMatch(event -> event.what().contains("/ok"));
  }

  @Test
  void rightsThatAreTooOldLetNobodyIn() throws Exception {
    String x = basic("default", "x");
    assertThat(ask("GET /v1/kv/a", "", x).status()).isEqualTo(404);
    access.heard(System.nanoTime() - 6_000_000_000L);
    Answer refused = ask("GET /v1/kv/a", "", x);
    assertThat(refused.status()).isEqualTo(503);
    assertThat(refused.text()).contains("--rights-age-max-seconds");
    assertThat(ask("GET /healthz", "").status()).isEqualTo(200);
    access.heard(System.nanoTime());
    assertThat(ask("GET /v1/kv/a", "", x).status()).isEqualTo(404);
  }

  @Test
  void bearerIsTheSamePair() throws Exception {
    String bearer = basic("default", "x").replace("Basic", "Bearer");
    assertThat(ask("GET /v1/kv/a", "", bearer).status()).isEqualTo(404);
    for (String wrong :
        List.of(
            basic("default", "y"),
            basic("nobody", "x"),
            "Authorization: Basic !!",
            "Authorization: x",
            "Authorization: Digest abc",
            "Cookie: cairn_session=abc")) {
      assertThat(ask("GET /v1/kv/a", "", wrong).status()).as(wrong).isEqualTo(401);
    }
    assertThat(access.log().latest(9))
        .extracting(entry -> entry.refused().object())
        .contains("HTTP");
  }

  /** Whoever speaks TLS may write the scheme that it speaks; the host counts as in the header. */
  @ParameterizedTest
  @CsvSource({
    "true, https://localhost/v1/kv/a, 0",
    "true, HTTPS://127.0.0.1:5000/v1/kv/a, 0",
    "true, http://localhost/v1/kv/a, 0",
    "false, http://localhost/v1/kv/a, 0",
    "false, https://localhost/v1/kv/a, 400",
    "true, https://evil.example/v1/kv/a, 421",
    "true, https:///v1/kv/a, 400",
    "true, https://a@localhost/v1/kv/a, 400",
    "true, ftp://localhost/v1/kv/a, 400",
  })
  void absoluteTargets(boolean secured, String target, int refused) {
    HttpRequest head = new DefaultHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.GET, target);
    head.headers().set("Host", "localhost");
    String authorization = basic("default", "x");
    head.headers().set("Authorization", authorization.substring(authorization.indexOf(' ') + 1));
    Gate.Admission admission = node.gate().admit(head, Askers.Memory.of(Optional.empty()), secured);
    assertThat(admission.refusal().map(HttpAnswer::status).orElse(0)).isEqualTo(refused);
    if (refused == 0) {
      assertThat(admission.target().path()).isEqualTo("/v1/kv/a");
    }
  }

  /** A browser sends it in the clear never more, once it was given over TLS. */
  @Test
  void theCookieOfASessionOverTlsIsForTlsOnly() throws Exception {
    for (boolean secured : new boolean[] {true, false}) {
      Sessions sessions = new Sessions(System::nanoTime);
      CompletableFuture<HttpAnswer> answer = new CompletableFuture<>();
      new SessionResource(access, sessions, new Askers(access, sessions))
          .answer(
              new HttpCall(
                  HttpMethod.POST,
                  RequestTarget.of("/v1/session"),
                  "",
                  new DefaultHttpHeaders(),
                  "{\"user\":\"default\",\"password\":\"x\"}".getBytes(StandardCharsets.UTF_8),
                  "127.0.0.1:40000",
                  new HttpCall.Asker(null, access.catalog(), secured),
                  answer::complete));
      assertThat(answer.get().headers().get("Set-Cookie").endsWith("; Secure")).isEqualTo(secured);
    }
  }

  @Test
  void theConsoleLogsInAndOut() throws Exception {
    Answer page =
        node.exchange(HttpTestNode.request("GET /", new byte[0], "Accept: text/html")).get(0);
    assertThat(page.status()).isEqualTo(401);
    assertThat(page.text()).contains("<form method=\"post\" action=\"/v1/session\">");
    assertThat(page.header("WWW-Authenticate")).doesNotContain("Basic");
    Answer wrong = ask("POST /v1/session", "{\"user\":\"default\",\"password\":\"y\"}");
    assertThat(wrong.status()).isEqualTo(401);
    assertThat(wrong.header("Set-Cookie")).isNull();
    Answer in = ask("POST /v1/session", "{\"user\":\"default\",\"password\":\"x\"}");
    assertThat(in.status()).isEqualTo(204);
    assertThat(in.header("Set-Cookie"))
        .contains("; HttpOnly", "; SameSite=Strict")
        .doesNotContain("default");
    String cookie = "Cookie: " + in.header("Set-Cookie").split(";")[0];
    assertThat(ask("GET /", "", cookie).status()).isEqualTo(200);
    assertThat(ask("GET /v1/session", "", cookie).text())
        .contains("\"user\":\"default\"", "\"mayEnd\":true", "\"write\":true");
    assertThat(
            ask(
                    "POST /v1/session",
                    "user=default&password=x",
                    "Content-Type: application/x-www-form-urlencoded")
                .status())
        .isEqualTo(303);
    assertThat(ask("DELETE /v1/session", "", cookie).status()).isEqualTo(204);
    assertThat(ask("GET /v1/nodes", "", cookie).status()).isEqualTo(401);
    assertThat(ask("POST /v1/session", "not json", "X: y").status()).isEqualTo(400);
    assertThat(ask("POST /v1/session", "{}", "Origin: http://elsewhere.example").status())
        .isEqualTo(403);
  }

  /** Browsers send a cookie to all ports of a host. */
  @Test
  void sessionsOfTwoNodesOfOneHostStandSideBySide() throws Exception {
    Answer here = logIn("default", "x", "127.0.0.1:7000");
    Answer there = logIn("default", "x", "127.0.0.1:7001");
    String first = here.header("Set-Cookie").split(";")[0];
    String second = there.header("Set-Cookie").split(";")[0];
    assertThat(first).startsWith("cairn_session_7000=");
    assertThat(second).startsWith("cairn_session_7001=");
    assertThat(asBrowser("/v1/session", "127.0.0.1:7000", first + "; " + second).status())
        .isEqualTo(200);
    assertThat(asBrowser("/v1/session", "127.0.0.1:7000", second).status()).isEqualTo(401);
    assertThat(logIn("default", "x", "[::1]").header("Set-Cookie")).startsWith("cairn_session=");
  }

  private Answer logIn(String user, String password, String host) throws IOException {
    String body = "{\"user\":\"%s\",\"password\":\"%s\"}".formatted(user, password);
    return raw(
        "POST /v1/session HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n%s"
            .formatted(host, body.length(), body));
  }

  /** As a browser asks for a page. */
  private Answer asBrowser(String path, String host, String cookie) throws IOException {
    return raw(
        "GET %s HTTP/1.1\r\nHost: %s\r\nAccept: text/html\r\nCookie: %s\r\n\r\n"
            .formatted(path, host, cookie));
  }

  private Answer raw(String request) throws IOException {
    return node.exchange(request.getBytes(StandardCharsets.US_ASCII)).get(0);
  }

  @Test
  void whoIsLoggedOutIsToldWhy() throws Exception {
    set("a<b", "on", ">p", "+@all");
    String cookie = logIn("a<b", "p", "localhost").header("Set-Cookie").split(";")[0];
    set("a<b", ">q");
    assertThat(asBrowser("/", "localhost", cookie).status()).isEqualTo(200);
    set("a<b", "!" + Passwords.hash("p".getBytes(StandardCharsets.UTF_8)));
    assertThat(asBrowser("/", "localhost", cookie).text())
        .contains(
            "You were logged out: the password that was given is none of the user a&lt;b any more.");
    set("a<b", "off");
    assertThat(asBrowser("/", "localhost", cookie).text()).contains("the user a&lt;b is off.");
    CompletableFuture<RightsWriter.Outcome> deleted = new CompletableFuture<>();
    access.change(new RightsWriter.Change.Delete(List.of("a<b")), deleted::complete);
    assertThat(deleted.get()).isInstanceOf(RightsWriter.Outcome.Applied.class);
    assertThat(asBrowser("/", "localhost", cookie).text())
        .contains("there is no user a&lt;b any more.");
    Answer script = ask("GET /v1/nodes", "", "Cookie: " + cookie);
    assertThat(script.text()).contains("the session is over: there is no user a<b any more");
    assertThat(asBrowser("/", "localhost", "cairn_session=" + "0".repeat(64)).text())
        .contains("this node was started again, or nobody used the session for 12 hours.");
  }

  /** A browser whose page asks would ask for the password in a window of its own. */
  @Test
  void thePagesRequestsAreNotAnsweredWithAChallengeOfTheBrowsers() throws Exception {
    for (String line : List.of("X-Requested-With: console", "Cookie: cairn_session=abc")) {
      Answer answer = ask("GET /v1/nodes", "", line);
      assertThat(answer.status()).isEqualTo(401);
      assertThat(answer.header("WWW-Authenticate")).as(line).startsWith("Cookie ");
    }
    Answer wrong = ask("GET /v1/nodes", "", "Cookie: cairn_session=abc", basic("default", "y"));
    assertThat(wrong.header("WWW-Authenticate")).startsWith("Basic ");
  }

  /**
   * The one line of script in the login page runs, and no other; its form says where it is from.
   */
  @Test
  void theLoginPagesPoliciesLetItBeUsed() throws Exception {
    Answer page =
        node.exchange(HttpTestNode.request("GET /", new byte[0], "Accept: text/html")).get(0);
    String script = page.text().replaceAll("(?s).*<script>(.*)</script>.*", "$1");
    byte[] digest =
        MessageDigest.getInstance("SHA-256").digest(script.getBytes(StandardCharsets.UTF_8));
    assertThat(page.header("Content-Security-Policy"))
        .contains(
            "form-action 'self';",
            "script-src 'sha256-" + Base64.getEncoder().encodeToString(digest) + "';");
    assertThat(page.header("Referrer-Policy")).isEqualTo("same-origin");
  }

  @Test
  void aSessionEndsWithItsUser() throws Exception {
    set("u", "on", ">p", "+@all");
    Answer in = ask("POST /v1/session", "{\"user\":\"u\",\"password\":\"p\"}");
    String cookie = "Cookie: " + in.header("Set-Cookie").split(";")[0];
    assertThat(ask("GET /v1/nodes", "", cookie).status()).isEqualTo(200);
    set("u", "off");
    assertThat(ask("GET /v1/nodes", "", cookie).status()).isEqualTo(401);
    assertThat(ask("GET /v1/nodes", "", basic("u", "p")).status()).isEqualTo(401);
  }
}
