// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.netty.handler.timeout.IdleStateEvent;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One HTTP connection: requests one after the other, answers in their order.
 *
 * <p>Thread: the channel's event loop; {@link HttpFront} may answer on any. What cannot be read is
 * answered with a 4xx, and the connection ends, since nobody knows where the next request begins.
 */
final class HttpSession extends SimpleChannelInboundHandler<FullHttpRequest> {
  /** Requests of a pipeline that wait for the one before; one more ends the connection. */
  static final int WAITING_MAX = 64;

  private static final Logger LOG = LoggerFactory.getLogger(HttpSession.class);
  private static final long LINGER_MILLIS = 1000;

  private final HttpFront front;
  private final ArrayDeque<FullHttpRequest> waiting = new ArrayDeque<>();
  private boolean busy; // a request is under way
  private boolean inputShut;
  private boolean ended; // the last answer was written

  HttpSession(HttpFront front) {
    this.front = front;
  }

  static HttpAnswer internalError(RuntimeException bug) {
    LOG.error("an HTTP request failed: report this as a bug", bug);
    return HttpAnswer.problem(500, "internal error, see the node's log");
  }

  @Override
  protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) {
    if (ended) {
      return;
    }
    if (waiting.size() == WAITING_MAX) {
      context.close();
      return;
    }
    waiting.add(request.retain());
    next(context);
  }

  private void next(ChannelHandlerContext context) {
    while (!busy && !ended && !waiting.isEmpty()) {
      busy = true;
      FullHttpRequest request = waiting.remove();
      try {
        begin(context, request);
      } finally {
        request.release();
      }
    }
    if (inputShut && !busy && !ended) {
      context.close();
    }
  }

  private void begin(ChannelHandlerContext context, FullHttpRequest request) {
    boolean readable = request.decoderResult().isSuccess();
    boolean body = !HttpMethod.HEAD.equals(request.method());
    boolean close = !readable || !HttpUtil.isKeepAlive(request);
    Consumer<HttpAnswer> done =
        answer -> context.executor().execute(() -> write(context, answer, body, close));
    try {
      answer(request, done);
    } catch (RuntimeException bug) {
      done.accept(internalError(bug));
    }
  }

  private void answer(FullHttpRequest request, Consumer<HttpAnswer> done) {
    if (!request.decoderResult().isSuccess()) {
      done.accept(unreadable(request.decoderResult().cause()));
      return;
    }
    String target = request.uri();
    List<String> hosts = request.headers().getAll(HttpHeaderNames.HOST);
    String authority = hosts.size() == 1 ? hosts.get(0) : "";
    if (target.regionMatches(true, 0, "http://", 0, 7)) {
      // As to a proxy: what stands there counts, whatever Host says (RFC 9112, 3.2.2).
      int slash = target.indexOf('/', 7);
      authority = target.substring(7, slash < 0 ? target.length() : slash);
      target = slash < 0 ? "/" : target.substring(slash);
    }
    Optional<HttpAnswer> refusal = refusal(request, hosts.size(), authority);
    if (refusal.isPresent()) {
      done.accept(refusal.get());
      return;
    }
    String path;
    try {
      path = new QueryStringDecoder(target).path();
    } catch (IllegalArgumentException badEncoding) {
      done.accept(HttpAnswer.problem(400, "the path is not percent-encoded as it should be"));
      return;
    }
    Optional<Route> route = Route.of(path);
    Optional<String> file = StaticFiles.name(path);
    boolean known = route.isPresent() || file.isPresent();
    if (request.method().equals(HttpMethod.OPTIONS) && (known || target.equals("*"))) {
      done.accept(HttpAnswer.of(204, "", new byte[0]).with("Allow", Route.METHODS));
    } else if (!known) {
      done.accept(HttpAnswer.problem(404, "there is no such resource"));
    } else if (!request.method().equals(HttpMethod.GET)
        && !request.method().equals(HttpMethod.HEAD)) {
      done.accept(
          HttpAnswer.problem(405, "this resource takes " + Route.METHODS)
              .with("Allow", Route.METHODS));
    } else if (file.isPresent()) {
      done.accept(front.file(file.get(), request.headers()));
    } else {
      front.answer(route.get(), done);
    }
  }

  private Optional<HttpAnswer> refusal(FullHttpRequest request, int hosts, String authority) {
    boolean old = request.protocolVersion().equals(HttpVersion.HTTP_1_0);
    if (hosts > 1 || (hosts == 0 && !old)) {
      return Optional.of(HttpAnswer.problem(400, "a request has one Host header"));
    }
    if (hosts == 0 && authority.isEmpty()) {
      return Optional.empty(); // HTTP/1.0, which no browser speaks
    }
    Optional<String> name = HostCheck.name(authority);
    if (name.isEmpty()) {
      return Optional.of(HttpAnswer.problem(400, "the Host header names no host"));
    }
    return HostCheck.trusted(name.get(), front::knowsHost)
        ? Optional.empty()
        : Optional.of(
            HttpAnswer.problem(
                421,
                "this node is not known by that name: ask for its address, localhost, or the name it was started with"));
  }

  private static HttpAnswer unreadable(Throwable cause) {
    if (cause instanceof TooLongHttpLineException) {
      return HttpAnswer.problem(414, "the request's first line is too long");
    }
    if (cause instanceof TooLongHttpHeaderException || cause instanceof TooLongFrameException) {
      return HttpAnswer.problem(431, "the request's headers are too long");
    }
    return HttpAnswer.problem(400, "this is not a request of HTTP/1.1");
  }

  private void write(
      ChannelHandlerContext context, HttpAnswer answer, boolean body, boolean close) {
    if (ended || !context.channel().isActive()) {
      return;
    }
    busy = false;
    boolean last = close || (inputShut && waiting.isEmpty());
    ChannelFuture written = context.writeAndFlush(answer.response(body, last));
    if (last) {
      ended = true;
      written.addListener(done -> linger(context));
    } else {
      next(context);
    }
  }

  /** As RESP's sessions do: a close with bytes unread could overtake the answer. */
  private void linger(ChannelHandlerContext context) {
    if (inputShut || !(context.channel() instanceof DuplexChannel duplex)) {
      context.close();
      return;
    }
    duplex.shutdownOutput().addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
    context.executor().schedule(() -> context.close(), LINGER_MILLIS, TimeUnit.MILLISECONDS);
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    if (event instanceof ChannelInputShutdownEvent) {
      inputShut = true;
      if (ended) {
        context.close();
      } else {
        next(context);
      }
    } else if (event instanceof IdleStateEvent && !busy) {
      context.close();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    ended = true;
    waiting.forEach(FullHttpRequest::release);
    waiting.clear();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    LOG.debug("connection failed: {}", context.channel(), cause);
    context.close();
  }

  /** Puts bodies together, within a bound; a longer one is refused and its connection ends. */
  static final class Bodies extends HttpObjectAggregator {
    Bodies(int bytesMax) {
      super(bytesMax, true);
    }

    @Override
    protected void handleOversizedMessage(ChannelHandlerContext context, HttpMessage oversized) {
      context
          .writeAndFlush(HttpAnswer.problem(413, "the body is too long").response(true, true))
          .addListener(ChannelFutureListener.CLOSE);
    }
  }
}
