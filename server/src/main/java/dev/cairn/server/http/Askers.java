// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import dev.cairn.server.access.AccessControl;
import dev.cairn.server.access.AccessLog;
import dev.cairn.server.access.ClientAddress;
import dev.cairn.server.access.Login;
import dev.cairn.server.access.Logins;
import dev.cairn.server.access.User;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.cookie.Cookie;
import io.netty.handler.codec.http.cookie.ServerCookieDecoder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Who asks over HTTP: by the header Authorization, or by a console's cookie, or nobody, where none
 * needs to log in.
 *
 * <pre>
 *   Authorization: Basic  base64(user ':' password)
 *   Authorization: Bearer base64(user ':' password)      for who can send a token only
 *   Cookie: cairn_session_PORT=TOKEN                     {@link Sessions}
 * </pre>
 *
 * <p>or else by the certificate that its client has shown, where certificates are users.
 *
 * <p>Browsers tell hosts apart by cookies, and not their ports. So that one may be logged in to two
 * nodes of one host, a cookie is named by the port of the Host header, if there is one.
 *
 * <p>A password is looked at on another thread ({@link Logins}), once a connection: as long as it
 * sends the same header, it is who it was, unless that login holds no more.
 */
final class Askers {
  private static final String COOKIE = "cairn_session";
  private static final Pattern PORT = Pattern.compile(":([0-9]{1,5})$");

  private final AccessControl access;
  private final Sessions sessions;

  Askers(AccessControl access, Sessions sessions) {
    this.access = access;
    this.sessions = sessions;
  }

  /** What a connection said last, and who that was. Its event loop and the logins' thread. */
  static final class Memory {
    private final Optional<String> certificate;
    private volatile Known known;
    private volatile String user = "";

    private Memory(Optional<String> certificate) {
      this.certificate = certificate;
    }

    /**
     * Of a new connection.
     *
     * @param commonName of the certificate that its client has shown
     */
    static Memory of(Optional<String> commonName) {
      return new Memory(commonName.map(Login::bytes));
    }

    /** Who asked last, a byte a character; empty: nobody that is known. */
    String user() {
      return user;
    }
  }

  private record Known(byte[] header, Login login) {}

  /** Whether a head or its connection says who asks, or nobody has to. */
  boolean named(HttpHeaders headers, Memory memory) {
    return headers.contains(HttpHeaderNames.AUTHORIZATION)
        || token(headers).isPresent()
        || unsaid(memory).isPresent();
  }

  /** Who asks whose request does not say it. */
  private Optional<Login> unsaid(Memory memory) {
    return memory.certificate.flatMap(access::byCertificate).or(access::withoutAsking);
  }

  /**
   * Finds out who asks.
   *
   * @param done the login, empty where there is none that holds; once, on any thread
   * @return whether it is looked at; if not, too many wait, and {@code done} is not called
   */
  boolean identify(
      HttpHeaders headers, String peer, Memory memory, Consumer<Optional<Login>> done) {
    return find(
        headers,
        peer,
        memory,
        login -> {
          memory.user = login.map(Login::user).orElse("");
          done.accept(login);
        });
  }

  private boolean find(
      HttpHeaders headers, String peer, Memory memory, Consumer<Optional<Login>> done) {
    String authorization = headers.get(HttpHeaderNames.AUTHORIZATION);
    if (authorization == null) {
      Optional<String> token = token(headers);
      done.accept(token.isPresent() ? token.flatMap(sessions::login) : unsaid(memory));
      return true;
    }
    byte[] header = authorization.getBytes(StandardCharsets.UTF_8);
    Known known = memory.known;
    if (known != null
        && MessageDigest.isEqual(known.header(), header)
        && access.holds(known.login(), access.users()).isPresent()) {
      done.accept(Optional.of(known.login()));
      return true;
    }
    Optional<Logins.Attempt> attempt = attempt(authorization, peer);
    if (attempt.isEmpty()) {
      done.accept(Optional.empty());
      return true;
    }
    return check(
        attempt.get(),
        peer,
        login -> {
          login.ifPresent(in -> memory.known = new Known(header, in));
          done.accept(login);
        });
  }

  /** Looks whether a login is right, and keeps that it is not. */
  boolean check(Logins.Attempt attempt, String peer, Consumer<Optional<Login>> done) {
    return access
        .logins()
        .check(
            attempt,
            login -> {
              if (login.isEmpty()) {
                access
                    .log()
                    .add(
                        new AccessLog.Refused(
                            AccessLog.Reason.AUTH,
                            "toplevel",
                            "HTTP",
                            attempt.user(),
                            "addr=" + peer),
                        System.currentTimeMillis());
              }
              done.accept(login);
            });
  }

  private static Optional<Logins.Attempt> attempt(String authorization, String peer) {
    int space = authorization.indexOf(' ');
    String scheme = space < 0 ? "" : authorization.substring(0, space).toLowerCase(Locale.ROOT);
    if (!scheme.equals("basic") && !scheme.equals("bearer")) {
      return Optional.empty();
    }
    try {
      String pair =
          new String(
              Base64.getDecoder().decode(authorization.substring(space + 1).strip()),
              StandardCharsets.ISO_8859_1);
      int colon = pair.indexOf(':');
      return colon < 0
          ? Optional.empty()
          : Optional.of(
              new Logins.Attempt(
                  ClientAddress.of(peer),
                  pair.substring(0, colon),
                  pair.substring(colon + 1).getBytes(StandardCharsets.ISO_8859_1)));
    } catch (IllegalArgumentException noBase64) {
      return Optional.empty();
    }
  }

  /**
   * Why the session of a request does not hold, for a person; empty where it names none, or says
   * who asks in another way.
   */
  Optional<String> ended(HttpHeaders headers) {
    return headers.contains(HttpHeaderNames.AUTHORIZATION)
        ? Optional.empty()
        : token(headers)
            .map(
                token ->
                    sessions
                        .login(token)
                        .map(this::reason)
                        .orElse(
                            "this node was started again, or nobody used the session for %d hours"
                                .formatted(Sessions.IDLE_HOURS)));
  }

  private String reason(Login login) {
    String name =
        new String(login.user().getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
    Optional<User> user = access.users().user(login.user());
    if (user.isEmpty()) {
      return "there is no user " + name + " any more";
    }
    return user.get().isOn()
        ? "the password that was given is none of the user " + name + " any more"
        : "the user " + name + " is off";
  }

  /** The name of the cookie that a node which is asked so gives and looks for. */
  static String cookieName(HttpHeaders headers) {
    Matcher port = PORT.matcher(headers.get(HttpHeaderNames.HOST, ""));
    return port.find() ? COOKIE + "_" + port.group(1) : COOKIE;
  }

  /** The token of a console's cookie. */
  static Optional<String> token(HttpHeaders headers) {
    String line = headers.get(HttpHeaderNames.COOKIE);
    if (line == null) {
      return Optional.empty();
    }
    String name = cookieName(headers);
    return ServerCookieDecoder.LAX.decode(line).stream()
        .filter(cookie -> cookie.name().equals(name))
        .map(Cookie::value)
        .findFirst();
  }
}
