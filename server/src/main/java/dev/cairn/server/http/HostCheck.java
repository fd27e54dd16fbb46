// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.util.NetUtil;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Keeps pages elsewhere from reaching a node through somebody's browser.
 *
 * <p>A page may have its own name resolve to this node's address (DNS rebinding): then the browser
 * says that name as Host. So only an address, {@code localhost}, or a known name is taken; an
 * address cannot be somebody else's name. And a page may send a form or a simple request without
 * being let to read the answer: then the browser says where the page came from, as Origin or
 * Sec-Fetch-Site. So what says that it comes from elsewhere may not write.
 */
final class HostCheck {
  /** A name of letters, digits, '.', '-' and '_', or an address; and a port. */
  private static final Pattern AUTHORITY =
      Pattern.compile("([A-Za-z0-9._-]+|\\[[0-9A-Fa-f:.]+])(?::[0-9]*)?");

  private final Predicate<String> known;

  /**
   * A check.
   *
   * @param known whether a name, in lower case, is one of the cluster's
   */
  HostCheck(Predicate<String> known) {
    this.known = known;
  }

  /**
   * Why a request is not let in, if so.
   *
   * @param target the authority of an absolute target, which counts whatever Host says (RFC 9112,
   *     3.2.2)
   * @param any whether what is asked for answers by any name
   */
  Optional<HttpAnswer> refusal(HttpRequest request, Optional<String> target, boolean any) {
    List<String> hosts = request.headers().getAll(HttpHeaderNames.HOST);
    boolean old = request.protocolVersion().equals(HttpVersion.HTTP_1_0);
    if (hosts.size() > 1 || (hosts.isEmpty() && !old)) {
      return Optional.of(HttpAnswer.problem(Problem.BAD_REQUEST, "a request has one Host header"));
    }
    if (hosts.isEmpty() && target.isEmpty()) {
      return origin(request, ""); // HTTP/1.0, which no browser speaks
    }
    String authority = target.orElseGet(() -> hosts.get(0));
    Optional<String> name = name(authority);
    if (name.isEmpty()) {
      return Optional.of(HttpAnswer.problem(Problem.BAD_REQUEST, "the Host header names no host"));
    }
    return any || trusted(name.get())
        ? origin(request, authority)
        : Optional.of(
            HttpAnswer.problem(
                Problem.UNKNOWN_HOST,
                "this node is not known by that name: ask for its address, localhost, or the name it was started with; --http-hosts adds names"));
  }

  private static Optional<HttpAnswer> origin(HttpRequest request, String authority) {
    HttpMethod method = request.method();
    boolean reads =
        method.equals(HttpMethod.GET)
            || method.equals(HttpMethod.HEAD)
            || method.equals(HttpMethod.OPTIONS);
    return reads || sameOrigin(request.headers(), authority)
        ? Optional.empty()
        : Optional.of(
            HttpAnswer.problem(
                Problem.FOREIGN_ORIGIN, "a page of another origin may not write here"));
  }

  private static boolean sameOrigin(HttpHeaders headers, String authority) {
    for (String site : headers.getAll("Sec-Fetch-Site")) {
      if (!site.equals("same-origin") && !site.equals("none")) {
        return false;
      }
    }
    // A proxy may end TLS before us: the scheme is not compared, and default ports are no ports.
    return headers.getAll(HttpHeaderNames.ORIGIN).stream()
        .allMatch(
            origin ->
                origin.matches("(?i)https?://.*")
                    && withoutDefaultPort(origin.substring(origin.indexOf("//") + 2))
                        .equals(withoutDefaultPort(authority)));
  }

  private static String withoutDefaultPort(String authority) {
    return authority.toLowerCase(Locale.ROOT).replaceFirst(":(80|443)$", "");
  }

  /** The name in a Host header or an authority, in lower case; empty if it is none. */
  static Optional<String> name(String authority) {
    Matcher matcher = AUTHORITY.matcher(authority);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    String name = matcher.group(1);
    boolean literal = name.startsWith("[");
    return literal && !NetUtil.isValidIpV6Address(name.substring(1, name.length() - 1))
        ? Optional.empty()
        : Optional.of(name.toLowerCase(Locale.ROOT));
  }

  private boolean trusted(String name) {
    return name.startsWith("[")
        || NetUtil.isValidIpV4Address(name)
        || name.equals("localhost")
        || known.test(name);
  }
}
