// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import dev.cairn.protocol.Topology;
import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.routing.Router;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.handler.codec.http.HttpResponseEncoder;
import io.netty.handler.timeout.IdleStateHandler;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * The client port's HTTP face: whatever connection is handed to it speaks HTTP/1.1 from then on.
 *
 * <p>Answers that take a moment (metrics) are made on a thread of its own with a short queue; an
 * event loop never waits. Bounds: the line and headers of a request 8 KiB each, its body 64 KiB,
 * requests of one connection that wait {@link HttpSession#WAITING_MAX}, silence two minutes.
 */
public final class HttpFront implements Consumer<ChannelPipeline>, AutoCloseable {
  private static final int LINE_BYTES_MAX = 8 << 10;
  private static final int HEADER_BYTES_MAX = 8 << 10;
  private static final int CHUNK_BYTES_MAX = 8 << 10;
  private static final int BODY_BYTES_MAX = 64 << 10;
  private static final long IDLE_SECONDS = 120;
  private static final int WORK_QUEUE_MAX = 64;

  /**
   * No script or style but from files of ours, nothing from elsewhere; what may be asked follows.
   */
  private static final String PAGE_POLICY =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; connect-src 'self'";

  private final Router router;
  private final Metrics metrics;
  private final Supplier<Optional<String>> notReady;
  private final String bindHost;
  private final StaticFiles files = new StaticFiles();
  private final ThreadPoolExecutor worker;

  /**
   * Creates the face.
   *
   * @param notReady why the node does not serve its partitions, if so; must not block for long
   * @param bindHost the name that the node was told to listen on
   */
  public HttpFront(
      Router router, Metrics metrics, Supplier<Optional<String>> notReady, String bindHost) {
    this.router = router;
    this.metrics = metrics;
    this.notReady = notReady;
    this.bindHost = bindHost.toLowerCase(Locale.ROOT);
    this.worker =
        new ThreadPoolExecutor(
            1,
            1,
            10,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(WORK_QUEUE_MAX),
            task -> {
              Thread thread = new Thread(task, "http");
              thread.setDaemon(true);
              return thread;
            });
    worker.allowCoreThreadTimeOut(true);
  }

  /** Makes the end of a pipeline speak HTTP. */
  @Override
  public void accept(ChannelPipeline pipeline) {
    pipeline
        .addLast(new IdleStateHandler(0, 0, IDLE_SECONDS, TimeUnit.SECONDS))
        .addLast(new StrictDecoder())
        .addLast(new HttpResponseEncoder())
        .addLast(new HttpSession.Bodies(BODY_BYTES_MAX))
        .addLast(new HttpSession(this));
  }

  @Override
  public void close() {
    worker.shutdownNow();
  }

  /** What is served. */
  void answer(Route route, Consumer<HttpAnswer> done) {
    switch (route) {
      case HEALTH ->
          // Says nothing but that somebody is here: a console that another node served may ask.
          done.accept(
              HttpAnswer.json(200, "{\"status\":\"alive\"}")
                  .with("Cross-Origin-Resource-Policy", "cross-origin"));
      case READY -> work(done, this::readiness);
      case METRICS -> work(done, () -> HttpAnswer.of(200, Metrics.CONTENT_TYPE, metrics.scrape()));
      case CLUSTER ->
          work(
              done,
              () -> {
                router.status(json -> done.accept(HttpAnswer.json(200, json)));
                return null;
              });
    }
  }

  /**
   * One of the console's files. Its scripts may talk to this node, and ask the others whether they
   * are alive: the console goes on through one of them when this node is gone.
   */
  HttpAnswer file(String name, HttpHeaders asked) {
    String others =
        router.topology().nodes().stream()
            .map(node -> node.host() + ":" + node.clientPort())
            .filter(authority -> HostCheck.name(authority).isPresent())
            .map(authority -> " http://" + authority)
            .collect(Collectors.joining());
    return files.answer(name, asked).with("Content-Security-Policy", PAGE_POLICY + others);
  }

  private HttpAnswer readiness() {
    return notReady
        .get()
        .map(why -> HttpAnswer.problem(503, why).with("Retry-After", "1"))
        .orElseGet(() -> HttpAnswer.json(200, "{\"status\":\"ready\"}"));
  }

  /** Whether a name is one of the cluster's: what a browser may have been led here by. */
  boolean knowsHost(String name) {
    return name.equals(bindHost)
        || router.topology().nodes().stream()
            .map(Topology.Node::host)
            .anyMatch(host -> host.equalsIgnoreCase(name));
  }

  /** Off the event loop; null where the work answers by itself. */
  private void work(Consumer<HttpAnswer> done, Supplier<HttpAnswer> work) {
    try {
      worker.execute(
          () -> {
            HttpAnswer answer;
            try {
              answer = work.get();
            } catch (RuntimeException bug) {
              answer = HttpSession.internalError(bug);
            }
            if (answer != null) {
              done.accept(answer);
            }
          });
    } catch (RejectedExecutionException full) {
      done.accept(
          HttpAnswer.problem(503, "too many requests wait at this node; slow down and retry")
              .with("Retry-After", "1"));
    }
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
    protected void handleTransferEncodingChunkedWithContentLength(
        io.netty.handler.codec.http.HttpMessage message) {
      throw new IllegalArgumentException("Content-Length and Transfer-Encoding in one request");
    }
  }
}
