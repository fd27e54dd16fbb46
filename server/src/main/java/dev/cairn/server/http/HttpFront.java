// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import dev.cairn.protocol.Topology;
import dev.cairn.server.command.RequestMemory;
import dev.cairn.server.command.SlowLog;
import dev.cairn.server.metrics.CommandMetrics;
import dev.cairn.server.metrics.Metric;
import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.routing.ReplyMemory;
import dev.cairn.server.routing.Router;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.handler.codec.http.HttpResponseEncoder;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.netty.handler.timeout.IdleStateHandler;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * The client port's HTTP face: whatever connection is handed to it speaks HTTP/1.1 from then on.
 *
 * <p>Bounds: a request's line 60 KiB, its headers 32 KiB, its body by its {@link Route}. Of all
 * connections together: bodies {@link #memory}, past which a request is refused before anything is
 * done; documents that the node makes of itself {@link #documents}, past which one is refused when
 * it is there; and what keys were read with {@link ReplyMemory}, with the answers to Redis'
 * clients: while that is full, reads wait. An answer of less than {@value #LARGE_BYTES} bytes, but
 * for documents, is not counted: it always goes out.
 */
public final class HttpFront implements Consumer<ChannelPipeline>, AutoCloseable {
  /** After a silence of so long in the middle of a request or its answer a connection ends. */
  static final long IDLE_SECONDS = 30;

  /** Shorter than the longest line that is looked at to tell HTTP from Redis' protocol (64 KiB). */
  private static final int LINE_BYTES_MAX = 60 << 10;

  private static final int HEADER_BYTES_MAX = 32 << 10;
  private static final int CHUNK_BYTES_MAX = 64 << 10;
  private static final long MEMORY_BYTES_LEAST = 64L << 20;

  /** Documents that clients have not read: more than any number of consoles leaves. */
  private static final long DOCUMENT_BYTES_MAX = 64L << 20;

  private static final int LARGE_BYTES = 16 << 10;

  private final HostCheck hosts;
  private final List<Route> routes;
  private final Router router;
  private final RequestMemory memory;
  private final RequestMemory documents = new RequestMemory(DOCUMENT_BYTES_MAX);
  private final CommandMetrics measured;
  private final SlowLog slowLog;
  private final Worker worker = new Worker();

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
   * Creates the face.
   *
   * @param notReady why the node does not serve its partitions, if so; must not block for long
   */
  public HttpFront(
      HttpConfig config, Router router, Metrics metrics, Supplier<Optional<String>> notReady) {
    this(
        config,
        router,
        metrics,
        notReady,
        Math.max(
            Math.max(MEMORY_BYTES_LEAST, 4L * config.valueBytesMax()),
            Runtime.getRuntime().maxMemory() / 8));
  }

  HttpFront(
      HttpConfig config,
      Router router,
      Metrics metrics,
      Supplier<Optional<String>> notReady,
      long memoryBytesMax) {
    this.router = router;
    this.memory = new RequestMemory(memoryBytesMax);
    this.measured = metrics.commands();
    this.slowLog = config.slowLog();
    metrics.gauge(Metric.REQUEST_BYTES, () -> memory.bytes() + documents.bytes(), "http");
    this.hosts = new HostCheck(name -> config.hosts().contains(name) || announced(router, name));
    this.routes = Routes.of(config, router, metrics, notReady, worker);
  }

  private static boolean announced(Router router, String name) {
    return router.topology().nodes().stream()
        .map(Topology.Node::host)
        .anyMatch(host -> host.equalsIgnoreCase(name));
  }

  /** Makes the end of a pipeline speak HTTP. */
  @Override
  public void accept(ChannelPipeline pipeline) {
    pipeline
        .addLast(new IdleStateHandler(true, 0, 0, IDLE_SECONDS, TimeUnit.SECONDS))
        .addLast(new StrictDecoder())
        .addLast(new HttpResponseEncoder())
        .addLast(new HttpSession(this));
  }

  @Override
  public void close() {
    worker.close();
  }

  /** What the bodies of all connections may hold. */
  RequestMemory memory() {
    return memory;
  }

  /** What documents of all connections may hold. */
  RequestMemory documents() {
    return documents;
  }

  /**
   * An answer on its way.
   *
   * @param give to be called once, when it has left or nobody is there to read it
   */
  record Counted(HttpAnswer answer, Runnable give) {
    static Counted little(HttpAnswer answer) {
      return new Counted(answer, () -> {});
    }
  }

  /** Counts an answer, or refuses it where that may still be done. Any thread. */
  Counted count(Route route, HttpAnswer answer) {
    long bytes = answer.body().length;
    if (route.isDocument() && answer.status() < 400) {
      return documents.take(bytes)
          ? new Counted(answer, () -> documents.give(bytes))
          : Counted.little(tooMuch());
    }
    if (bytes < LARGE_BYTES) {
      return Counted.little(answer);
    }
    ReplyMemory replies = router.replies();
    replies.take(bytes);
    return new Counted(answer, () -> replies.give(bytes));
  }

  /** Whether reads wait until clients have read their answers. */
  boolean repliesAreFull() {
    return router.replies().full();
  }

  /** Whether a request is let in, by its head alone. */
  Admission admit(HttpRequest head) {
    if (!head.decoderResult().isSuccess()) {
      return Admission.unreadable(unreadable(head.decoderResult().cause()));
    }
    if (!readableLength(head)) {
      return Admission.unreadable(
          HttpAnswer.problem(Problem.BAD_REQUEST, "Transfer-Encoding is chunked or not there"));
    }
    String target = head.uri();
    Optional<String> authority = Optional.empty();
    if (target.regionMatches(true, 0, "http://", 0, 7)) {
      int slash = target.indexOf('/', 7);
      authority = Optional.of(target.substring(7, slash < 0 ? target.length() : slash));
      target = slash < 0 ? "/" : target.substring(slash);
    }
    Optional<HttpAnswer> refusal =
        hosts.refusal(head, authority).or(() -> unknownHeaders(head.headers()));
    return refusal.isPresent() ? Admission.refused(refusal.get()) : route(head.method(), target);
  }

  /** What is both, or neither, another who forwards the request could read in another way. */
  private static boolean readableLength(HttpRequest head) {
    List<String> codings = head.headers().getAll(HttpHeaderNames.TRANSFER_ENCODING);
    return codings.isEmpty()
        || (codings.size() == 1
            && codings.get(0).equalsIgnoreCase("chunked")
            && !head.protocolVersion().equals(HttpVersion.HTTP_1_0));
  }

  private static Optional<HttpAnswer> unknownHeaders(HttpHeaders headers) {
    for (String expected : headers.getAll(HttpHeaderNames.EXPECT)) {
      if (!expected.equalsIgnoreCase("100-continue")) {
        return Optional.of(
            HttpAnswer.problem(Problem.EXPECTATION_FAILED, "only 100-continue can be expected"));
      }
    }
    for (String coding : headers.getAll(HttpHeaderNames.CONTENT_ENCODING)) {
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

  /** Carries out a request that was let in and read to its end. */
  void run(
      HttpRequest head, Admission admission, byte[] body, String peer, Consumer<HttpAnswer> done) {
    Route route = admission.route();
    long startedNanos = System.nanoTime();
    Consumer<HttpAnswer> timed =
        answer -> {
          if (!route.label().isEmpty()) {
            String command =
                "http." + route.label() + "." + head.method().name().toLowerCase(Locale.ROOT);
            long nanos = System.nanoTime() - startedNanos;
            measured.answered(command, outcome(answer), nanos);
            slowLog.ran(peer, "", words(head, admission), nanos, Clock.systemUTC());
          }
          done.accept(answer);
        };
    HttpCall call =
        new HttpCall(
            head.method(),
            admission.target(),
            route.rest(admission.target().path()),
            head.headers(),
            body,
            peer,
            timed);
    try {
      route.resource().answer(call);
    } catch (BadRequest wrong) {
      call.answer(wrong.answer());
    } catch (RuntimeException bug) {
      call.answer(HttpSession.internalError(bug));
    }
  }

  private static List<byte[]> words(HttpRequest head, Admission admission) {
    return List.of(
        head.method().name().getBytes(StandardCharsets.US_ASCII),
        RequestTarget.decode(admission.target().path(), false));
  }

  /** A key that is not there, and a condition that does not hold, are results like others. */
  private static CommandMetrics.Outcome outcome(HttpAnswer answer) {
    return switch (answer.status()) {
      case 404, 412 -> CommandMetrics.Outcome.OK;
      case 503, 507 -> CommandMetrics.Outcome.REFUSED;
      case 500, 504 -> CommandMetrics.Outcome.UNKNOWN;
      default -> answer.status() < 400 ? CommandMetrics.Outcome.OK : CommandMetrics.Outcome.INVALID;
    };
  }

  static HttpAnswer unreadable(Throwable cause) {
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

  static HttpAnswer tooMuch() {
    return HttpAnswer.problem(
            Problem.UNAVAILABLE,
            "this node holds as many bodies and documents as it may, until clients have sent and read theirs; slow down, or ask another node")
        .with("Retry-After", "1");
  }

  /**
   * A body that is both chunked and of a stated length is refused: one of two who forward it could
   * take its end for the next request.
   */
  private static final class StrictDecoder extends HttpRequestDecoder {
    StrictDecoder() {
      super(LINE_BYTES_MAX, HEADER_BYTES_MAX, CHUNK_BYTES_MAX);
    }

    @Override
    protected void handleTransferEncodingChunkedWithContentLength(HttpMessage message) {
      throw new IllegalArgumentException("Content-Length and Transfer-Encoding in one request");
    }
  }
}
