// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import dev.cairn.protocol.Topology;
import dev.cairn.server.access.AccessControl;
import dev.cairn.server.access.Audit;
import dev.cairn.server.access.ClientAddress;
import dev.cairn.server.access.Login;
import dev.cairn.server.access.User;
import dev.cairn.server.command.RequestMemory;
import dev.cairn.server.command.SlowLog;
import dev.cairn.server.metrics.CommandMetrics;
import dev.cairn.server.metrics.Metric;
import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.routing.ReplyMemory;
import dev.cairn.server.routing.Router;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.handler.codec.http.HttpResponseEncoder;
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
 * The client port's HTTP: whatever connection is handed to it speaks HTTP/1.1 from then on.
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

  private final Gate gate;
  private final HttpDate date = new HttpDate(Clock.systemUTC());
  private final Router router;
  private final RequestMemory memory;
  private final RequestMemory documents = new RequestMemory(DOCUMENT_BYTES_MAX);
  private final CommandMetrics measured;
  private final SlowLog slowLog;
  private final Sessions sessions = new Sessions(System::nanoTime);
  private final AccessControl access;
  private final Askers askers;
  private final Worker worker = new Worker();
  private final History history;

  /**
   * Creates what speaks HTTP.
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
    this.access = config.access();
    this.askers = new Askers(access, sessions);
    metrics.gauge(Metric.REQUEST_BYTES, () -> memory.bytes() + documents.bytes(), "http");
    this.history = new History(router::figures, System::nanoTime);
    this.gate =
        new Gate(
            new HostCheck(name -> config.hosts().contains(name) || announced(router, name)),
            askers,
            Routes.of(
                config,
                router,
                metrics,
                notReady,
                worker,
                history,
                new SessionResource(access, sessions, askers)));
    history.start();
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
    history.close();
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
          : Counted.little(HttpAnswer.tooMuch());
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

  /** Who lets requests in. */
  Gate gate() {
    return gate;
  }

  /** What the header Date says. */
  String date() {
    return date.now();
  }

  /**
   * A request that was let in and read to its end.
   *
   * @param peer where it came from
   * @param secured whether over TLS
   * @param memory what its connection said before
   */
  record Asked(
      HttpRequest head,
      Gate.Admission admission,
      byte[] body,
      String peer,
      boolean secured,
      Askers.Memory memory) {}

  /** An answer leaves: it is kept if it refuses what who asked may not, or says not who it is. */
  void answers(HttpAnswer answer, HttpRequest head, String peer, Askers.Memory memory) {
    if (answer.status() != 401 && answer.status() != 403) {
      return;
    }
    String user = answer.status() == 403 ? memory.user() : "";
    int question = head.uri().indexOf('?');
    String path = question < 0 ? head.uri() : head.uri().substring(0, question);
    access
        .audit()
        .add(
            new Audit.Event(
                Audit.Kind.REFUSAL,
                Audit.Outcome.REFUSED,
                user,
                ClientAddress.of(peer).host(),
                head.method() + " " + path));
  }

  /** Finds out who asks, whether that one may, and carries the request out. */
  void run(Asked asked, Consumer<HttpAnswer> done) {
    Route route = asked.admission().route();
    if (route.isOpenTo(asked.head().method())) {
      run(asked, null, done);
      return;
    }
    boolean taken =
        askers.identify(
            asked.head().headers(),
            asked.peer(),
            asked.memory(),
            login -> {
              Optional<User> user = login.flatMap(in -> access.holds(in, access.users()));
              if (access.isTooOld() && login.filter(Login::recovers).isEmpty()) {
                done.accept(
                    HttpAnswer.problem(Problem.UNAVAILABLE, access.tooOld())
                        .with("Retry-After", "1"));
              } else if (user.isEmpty()) {
                HttpRequest head = asked.head();
                done.accept(
                    Gate.unauthorized(
                        asked.admission().target().path(), head, askers.ended(head.headers())));
              } else if (!route.right().isEmpty()
                  && !user.get().may(access.catalog(), route.right())) {
                done.accept(
                    HttpCall.forbidden(
                        "this user has no permissions to run the '%s' command, whose right this resource takes"
                            .formatted(route.right())));
              } else {
                run(asked, user.get(), done);
              }
            });
    if (!taken) {
      done.accept(HttpAnswer.tooMuch());
    }
  }

  private void run(Asked asked, User user, Consumer<HttpAnswer> done) {
    HttpRequest head = asked.head();
    Gate.Admission admission = asked.admission();
    String peer = asked.peer();
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
            asked.body(),
            peer,
            new HttpCall.Asker(user, access.catalog(), asked.secured()),
            timed);
    try {
      route.resource().answer(call);
    } catch (BadRequest wrong) {
      call.answer(wrong.answer());
    } catch (RuntimeException bug) {
      call.answer(HttpAnswer.internalError(bug));
    }
  }

  private static List<byte[]> words(HttpRequest head, Gate.Admission admission) {
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
