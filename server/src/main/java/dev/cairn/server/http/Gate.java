// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import dev.cairn.protocol.ErrorCode;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Lets requests in, or refuses them, by their heads alone. In this order: whether the head can be
 * read, where its body ends, by which name the node is asked, what is done, what is expected, and
 * which resource is asked for.
 */
final class Gate {
  /** What some resource takes. */
  private static final Set<HttpMethod> DONE =
      Set.of(
          HttpMethod.GET,
          HttpMethod.HEAD,
          HttpMethod.PUT,
          HttpMethod.POST,
          HttpMethod.DELETE,
          HttpMethod.OPTIONS);

  /** What is known to be done to a resource elsewhere: here none allows it. */
  private static final Set<HttpMethod> KNOWN = Set.of(HttpMethod.PATCH, HttpMethod.TRACE);

  private final HostCheck hosts;
  private final Askers askers;
  private final List<Route> routes;

  Gate(HostCheck hosts, Askers askers, List<Route> routes) {
    this.hosts = hosts;
    this.askers = askers;
    this.routes = routes;
  }

  /** What is served. */
  List<Route> routes() {
    return routes;
  }

  /** What becomes of a request once its head is read. */
  record Admission(Optional<HttpAnswer> refusal, boolean ends, Route route, RequestTarget target) {
    /** How many bytes its body may have. */
    int bodyBytesMax() {
      return route == null ? 0 : route.bodyBytesMax();
    }

    private static Admission refused(HttpAnswer answer) {
      return new Admission(Optional.of(answer), false, null, null);
    }

    /** One after which nobody knows where the next request begins. */
    private static Admission unreadable(HttpAnswer answer) {
      return new Admission(Optional.of(answer), true, null, null);
    }
  }

  /**
   * Whether a request is let in.
   *
   * @param asker what its connection said before
   * @param secured whether that speaks TLS: then a target may be {@code https://HOST/...} too
   */
  Admission admit(HttpRequest head, Askers.Memory asker, boolean secured) {
    if (!head.decoderResult().isSuccess()) {
      return Admission.unreadable(unreadable(head.decoderResult().cause()));
    }
    Optional<HttpAnswer> endless = version(head).or(() -> framing(head));
    if (endless.isPresent()) {
      return Admission.unreadable(endless.get());
    }
    String target = head.uri();
    Optional<String> authority = Optional.empty();
    int begin = beginOfAuthority(target, secured);
    if (begin > 0) {
      int slash = target.indexOf('/', begin);
      authority = Optional.of(target.substring(begin, slash < 0 ? target.length() : slash));
      target = slash < 0 ? "/" : target.substring(slash);
    }
    Optional<HttpAnswer> refusal =
        hosts
            .refusal(head, authority, anyHost(target))
            .or(() -> unknownMethod(head.method()))
            .or(() -> unknownHeaders(head.headers()));
    if (refusal.isPresent()) {
      return Admission.refused(refusal.get());
    }
    // Before it is said what there is, and before a body is read. Who it is, is looked at later.
    return isOpen(target, head.method()) || askers.named(head.headers(), asker)
        ? route(head.method(), target)
        : Admission.refused(unauthorized(target, head, Optional.empty()));
  }

  /** Where the host of an absolute target begins; 0 where it is none that is served. */
  private static int beginOfAuthority(String target, boolean secured) {
    for (String scheme : secured ? List.of("http://", "https://") : List.of("http://")) {
      if (target.regionMatches(true, 0, scheme, 0, scheme.length())) {
        return scheme.length();
      }
    }
    return 0;
  }

  private static Optional<HttpAnswer> version(HttpRequest head) {
    return head.protocolVersion().majorVersion() == 1
        ? Optional.empty()
        : Optional.of(HttpAnswer.problem(Problem.UNKNOWN_VERSION, "this port speaks HTTP/1.1"));
  }

  /**
   * Why the end of a body is not known. What is both chunked and of a stated length, or neither,
   * another who forwards the request could read in another way.
   */
  private static Optional<HttpAnswer> framing(HttpRequest head) {
    HttpHeaders headers = head.headers();
    boolean old = head.protocolVersion().compareTo(HttpVersion.HTTP_1_1) < 0;
    boolean hasBody = head.method().equals(HttpMethod.PUT) || head.method().equals(HttpMethod.POST);
    List<String> lines = headers.getAll(HttpHeaderNames.TRANSFER_ENCODING);
    if (old && hasBody && lines.isEmpty() && !headers.contains(HttpHeaderNames.CONTENT_LENGTH)) {
      return Optional.of(
          HttpAnswer.problem(
              Problem.LENGTH_REQUIRED, "HTTP/1.0 says by Content-Length where a body ends"));
    }
    if (lines.isEmpty() || (!old && lines.size() == 1 && chunked(lines.get(0)))) {
      return Optional.empty();
    }
    List<String> codings = HeaderList.elements(lines);
    boolean unknown = !old && codings.stream().anyMatch(coding -> !chunked(coding));
    boolean chunkedBefore =
        codings.size() > 1
            && codings.subList(0, codings.size() - 1).stream().anyMatch(Gate::chunked);
    return Optional.of(
        unknown && !chunkedBefore
            ? HttpAnswer.problem(
                Problem.NOT_IMPLEMENTED, "of transfer codings this node knows chunked alone")
            : HttpAnswer.problem(
                Problem.BAD_REQUEST, "Transfer-Encoding is chunked, once, or not there"));
  }

  private static boolean chunked(String coding) {
    return coding.equalsIgnoreCase("chunked");
  }

  private boolean anyHost(String target) {
    int question = target.indexOf('?');
    return Route.of(routes, question < 0 ? target : target.substring(0, question))
        .map(Route::anyHost)
        .orElse(false);
  }

  private static Optional<HttpAnswer> unknownMethod(HttpMethod method) {
    return DONE.contains(method) || KNOWN.contains(method)
        ? Optional.empty()
        : Optional.of(
            HttpAnswer.problem(
                Problem.NOT_IMPLEMENTED,
                "nothing here is done by this method; methods are written in capitals"));
  }

  private static Optional<HttpAnswer> unknownHeaders(HttpHeaders headers) {
    for (String expected : HeaderList.elements(headers.getAll(HttpHeaderNames.EXPECT))) {
      if (!expected.equalsIgnoreCase("100-continue")) {
        return Optional.of(
            HttpAnswer.problem(Problem.EXPECTATION_FAILED, "only 100-continue can be expected"));
      }
    }
    for (String coding : HeaderList.elements(headers.getAll(HttpHeaderNames.CONTENT_ENCODING))) {
      if (!coding.equalsIgnoreCase("identity")) {
        return Optional.of(
            HttpAnswer.problem(Problem.UNSUPPORTED_CODING, "send the body without coding")
                .with("Accept-Encoding", "identity"));
      }
    }
    return Optional.empty();
  }

  private Admission route(HttpMethod method, String text) {
    if (text.equals("*") && method.equals(HttpMethod.OPTIONS)) {
      return Admission.refused(
          HttpAnswer.empty(204).with("Allow", "GET, HEAD, PUT, POST, DELETE, OPTIONS"));
    }
    RequestTarget target;
    try {
      target = RequestTarget.of(text);
    } catch (BadRequest wrong) {
      return Admission.refused(wrong.answer());
    }
    Optional<Route> route = Route.of(routes, target.path());
    if (route.isEmpty()) {
      return Admission.refused(
          HttpAnswer.problem(Problem.NO_SUCH_RESOURCE, "there is no such resource"));
    }
    String allow = route.get().allow();
    if (method.equals(HttpMethod.OPTIONS)) {
      return Admission.refused(HttpAnswer.empty(204).with("Allow", allow));
    }
    if (!route.get().methods().contains(method)) {
      return Admission.refused(
          HttpAnswer.problem(Problem.METHOD_NOT_ALLOWED, "this resource takes " + allow)
              .with("Allow", allow));
    }
    return new Admission(Optional.empty(), false, route.get(), target);
  }

  private boolean isOpen(String target, HttpMethod method) {
    int question = target.indexOf('?');
    return Route.of(routes, question < 0 ? target : target.substring(0, question))
        .map(route -> route.isOpenTo(method))
        .orElse(false);
  }

  /**
   * What is answered to who has not said who it is, or not rightly. A browser that asks for a page
   * is shown a form; one whose page asks is not led to open a dialog of its own.
   *
   * @param ended why the asker's session does not hold, if it named one
   */
  static HttpAnswer unauthorized(String target, HttpRequest head, Optional<String> ended) {
    HttpHeaders headers = head.headers();
    boolean page = target.equals("/") || target.startsWith("/console/");
    if (page && headers.get(HttpHeaderNames.ACCEPT, "").contains("text/html")) {
      return LoginPage.answer(ended.map(why -> "You were logged out: " + why + ".").orElse(""));
    }
    boolean script = ended.isPresent() || headers.contains("X-Requested-With");
    return HttpAnswer.problem(
            Problem.UNAUTHORIZED,
            ended
                .map(why -> "the session is over: " + why)
                .orElse(
                    "this node has users: send the header Authorization with one and its password"),
            document -> document.put("code", ErrorCode.NOAUTH.name()))
        .with(
            "WWW-Authenticate",
            script ? LoginPage.CHALLENGE : "Basic realm=\"Cairn\", charset=\"UTF-8\"");
  }

  private static HttpAnswer unreadable(Throwable cause) {
    if (cause instanceof TooLongHttpLineException) {
      return HttpAnswer.problem(
          Problem.TARGET_TOO_LONG, "the request's first line is longer than 60 KiB");
    }
    if (cause instanceof TooLongHttpHeaderException || cause instanceof TooLongFrameException) {
      return HttpAnswer.problem(
          Problem.HEADERS_TOO_LONG, "the request's headers are longer than 32 KiB");
    }
    return HttpAnswer.problem(Problem.BAD_REQUEST, "this is not a request of HTTP/1.1");
  }

  /** Why the lines of a chunked body cannot be read. */
  static HttpAnswer unreadableBody(Throwable cause) {
    return cause instanceof TooLongHttpLineException
        ? HttpAnswer.problem(
            Problem.BAD_REQUEST, "a chunk's own line is longer than 60 KiB: send no extensions")
        : unreadable(cause);
  }
}
