// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import dev.cairn.server.tls.ClientTls;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.util.ReferenceCountUtil;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One HTTP connection: one request after the other, answers in their order.
 *
 * <p>Thread: the channel's event loop; who answers a request may do so on any.
 *
 * <p><b>Invariants.</b>
 *
 * <ol>
 *   <li>One request is under way, from the first byte of its body until its answer has left for the
 *       kernel. Meanwhile the socket is not read, so that of what a client sends ahead at most one
 *       buffer (64 KiB) is held, and of what it does not read one answer.
 *   <li>Bodies are counted over all connections ({@link HttpFront#memory}); past that bound a
 *       request is refused with 503 before anything of it is done. Answers are counted from when
 *       they are there until they are sent ({@link HttpFront#count}); what was done is never
 *       answered as if it was not.
 *   <li>While there is no room for answers, a client that takes nothing of its own for a second is
 *       disconnected.
 *   <li>An answer is handed to the socket in slices, as it takes them.
 *   <li>A request takes effect only once it is read to its end.
 *   <li>What cannot be read is answered with a 4xx, and the connection ends: nobody knows where the
 *       next request begins.
 * </ol>
 */
final class HttpSession extends ChannelInboundHandlerAdapter {
  private static final Logger log = LoggerFactory.getLogger(HttpSession.class);
  private static final int SLICE_BYTES = 64 << 10;

  /** What of a refused request's body is read past, so that the connection can go on. */
  private static final int SKIPPED_BYTES_MAX = 64 << 10;

  /** How long a connection that ends may take to read its last answer. */
  private static final long LINGER_MILLIS = 1000;

  /** How long a client may take nothing of its answer while answers fill the node's memory. */
  private static final long PATIENCE_WHEN_FULL_MILLIS = 1000;

  /** Silences ({@link HttpFront#IDLE_SECONDS}) that a connection without a request may keep. */
  private static final int SILENCES_MAX = 4;

  private final HttpFront front;
  private final ArrayDeque<HttpObject> inbox = new ArrayDeque<>();
  private ChannelHandlerContext context;
  private Askers.Memory asker;

  // The request that is read or under way.
  private Incoming incoming;
  private boolean busy; // it is read to its end, or refused, and its answer has not left

  // Its answer.
  private byte[] out = {};
  private int sent;
  private Runnable giveAnswer = () -> {}; // it is counted no more
  private boolean answering; // from when it is there until it has left
  private long answers; // how many have left
  private boolean watched; // whether its client takes something of it

  private int silences;
  private boolean inputShut;
  private boolean ended; // the last answer is on its way, or the connection is gone

  /** A request as far as it has been read. */
  private static final class Incoming {
    private final HttpRequest head;
    private final Gate.Admission admission;
    private byte[] body = {};
    private int length;
    private boolean close;

    Incoming(HttpRequest head, Gate.Admission admission) {
      this.head = head;
      this.admission = admission;
      this.close = !HttpUtil.isKeepAlive(head);
    }

    /** What is said of the connection: HTTP/1.1 goes on unless told, HTTP/1.0 ends unless told. */
    private Optional<CharSequence> connection() {
      if (close) {
        return Optional.of(HttpHeaderValues.CLOSE);
      }
      return head.protocolVersion().isKeepAliveDefault()
          ? Optional.empty()
          : Optional.of(HttpHeaderValues.KEEP_ALIVE);
    }
  }

  HttpSession(HttpFront front) {
    this.front = front;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext added) {
    context = added;
    asker = Askers.Memory.of(ClientTls.commonName(added.channel()));
  }

  @Override
  public void channelRead(ChannelHandlerContext ignored, Object message) {
    silences = 0;
    if (ended || !(message instanceof HttpObject object)) {
      ReferenceCountUtil.release(message);
      return;
    }
    inbox.add(object);
    work();
  }

  /** Goes on with what was read, until a request is under way or nothing is left. */
  private void work() {
    while (!busy && !ended && !inbox.isEmpty()) {
      HttpObject next = inbox.remove();
      try {
        if (next instanceof HttpRequest head) {
          begin(head);
        }
        if (next instanceof HttpContent content && incoming != null && !busy) {
          take(content);
        }
      } finally {
        ReferenceCountUtil.release(next);
      }
    }
    if (inputShut && !busy && !ended) {
      context.close(); // nothing more comes, and what was asked is answered
    }
    context.channel().config().setAutoRead(!busy);
  }

  private void begin(HttpRequest head) {
    Gate.Admission admission =
        front.gate().admit(head, asker, ClientTls.isSecured(context.channel()));
    incoming = new Incoming(head, admission);
    if (admission.ends()) {
      refuseAndEnd(admission.refusal().orElseThrow());
      return;
    }
    long stated = HttpUtil.getContentLength(head, 0L);
    boolean waits = HttpUtil.is100ContinueExpected(head);
    if (admission.refusal().isPresent()) {
      if (head.headers().contains(HttpHeaderNames.EXPECT) || stated > SKIPPED_BYTES_MAX) {
        refuseAndEnd(admission.refusal().get());
      }
      return;
    }
    if (stated > admission.bodyBytesMax()) {
      refuseAndEnd(tooLong(admission.bodyBytesMax()));
    } else if (waits) {
      context.writeAndFlush(
          new DefaultFullHttpResponse(
              HttpVersion.HTTP_1_1, HttpResponseStatus.CONTINUE, Unpooled.EMPTY_BUFFER));
    }
  }

  private void take(HttpContent content) {
    if (!content.decoderResult().isSuccess()) {
      refuseAndEnd(Gate.unreadableBody(content.decoderResult().cause()));
      return;
    }
    ByteBuf bytes = content.content();
    boolean fits = incoming.admission.refusal().isPresent() ? skip(bytes) : keep(bytes);
    if (fits && content instanceof LastHttpContent) {
      run();
    }
  }

  private boolean skip(ByteBuf bytes) {
    incoming.length += bytes.readableBytes();
    if (incoming.length > SKIPPED_BYTES_MAX) {
      refuseAndEnd(incoming.admission.refusal().orElseThrow());
      return false;
    }
    return true;
  }

  /** Adds to the body; what grows is what came, not what was claimed. */
  private boolean keep(ByteBuf bytes) {
    int length = incoming.length + bytes.readableBytes();
    if (length > incoming.admission.bodyBytesMax()) {
      refuseAndEnd(tooLong(incoming.admission.bodyBytesMax()));
      return false;
    }
    if (length > incoming.body.length) {
      int room = Math.min(Math.max(length, incoming.body.length * 2), roomWanted());
      if (!front.memory().take(room - incoming.body.length)) {
        refuseAndEnd(HttpAnswer.tooMuch());
        return false;
      }
      incoming.body = Arrays.copyOf(incoming.body, room);
    }
    bytes.readBytes(incoming.body, incoming.length, bytes.readableBytes());
    incoming.length = length;
    return true;
  }

  private int roomWanted() {
    long stated = HttpUtil.getContentLength(incoming.head, -1L);
    return stated < 0 ? incoming.admission.bodyBytesMax() : (int) stated;
  }

  private static HttpAnswer tooLong(int bytesMax) {
    return HttpAnswer.problem(
        Problem.BODY_TOO_LONG,
        "the body is too long: this resource takes %d bytes".formatted(bytesMax));
  }

  /** Answers, and ends the connection: what follows is not to be understood, or not wanted. */
  private void refuseAndEnd(HttpAnswer answer) {
    busy = true;
    incoming.close = true;
    write(answer);
  }

  private void run() {
    busy = true;
    Incoming asked = incoming;
    if (asked.admission.refusal().isPresent()) {
      write(asked.admission.refusal().get());
      return;
    }
    byte[] body =
        asked.length == asked.body.length ? asked.body : Arrays.copyOf(asked.body, asked.length);
    String peer = peer(context.channel().remoteAddress());
    Gate.Admission admission = asked.admission;
    boolean head = HttpMethod.HEAD.equals(asked.head.method());
    front.run(
        new HttpFront.Asked(
            asked.head, admission, body, peer, ClientTls.isSecured(context.channel()), asker),
        answer ->
            answered(
                head
                    ? HttpFront.Counted.little(answer.withoutBody())
                    : front.count(admission.route(), answer)));
  }

  private static String peer(SocketAddress address) {
    return address instanceof InetSocketAddress internet
        ? internet.getAddress().getHostAddress() + ":" + internet.getPort()
        : "";
  }

  private void answered(HttpFront.Counted answer) {
    try {
      context.executor().execute(() -> write(answer));
    } catch (RejectedExecutionException stopped) {
      answer.give().run();
      log.trace("an answer came after the server stopped", stopped);
    }
  }

  private void write(HttpAnswer little) {
    boolean head = HttpMethod.HEAD.equals(incoming.head.method());
    write(HttpFront.Counted.little(head ? little.withoutBody() : little));
  }

  private void write(HttpFront.Counted answer) {
    giveBody();
    if (ended) {
      answer.give().run(); // nobody is there to read it
      return;
    }
    front.answers(answer.answer(), incoming.head, peer(context.channel().remoteAddress()), asker);
    giveAnswer = answer.give();
    answering = true;
    incoming.close |= inputShut && inbox.isEmpty();
    out = answer.answer().body();
    sent = 0;
    context.write(answer.answer().head(incoming.connection(), front.date()));
    pump();
  }

  /** Hands the socket as much of the answer as it takes. */
  private void pump() {
    while (sent < out.length && context.channel().isWritable()) {
      int length = Math.min(SLICE_BYTES, out.length - sent);
      context.write(new DefaultHttpContent(Unpooled.wrappedBuffer(out, sent, length)));
      sent += length;
    }
    if (sent < out.length) {
      context.flush();
      watch();
      return;
    }
    sent = Integer.MAX_VALUE; // nothing more to pump
    out = new byte[0];
    ChannelFuture left = context.writeAndFlush(LastHttpContent.EMPTY_LAST_CONTENT);
    left.addListener(done -> finish());
  }

  private void finish() {
    giveAnswer();
    answering = false;
    answers++;
    if (ended) {
      return;
    }
    boolean close = incoming.close;
    incoming = null;
    busy = false;
    if (close) {
      ended = true;
      linger();
    } else {
      work();
    }
  }

  /** As RESP's sessions do: a close with bytes unread could overtake the answer. */
  private void linger() {
    dropInbox();
    if (inputShut || !(context.channel() instanceof DuplexChannel duplex)) {
      context.close();
      return;
    }
    duplex.shutdownOutput().addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
    context.channel().config().setAutoRead(true);
    context.executor().schedule(() -> context.close(), LINGER_MILLIS, TimeUnit.MILLISECONDS);
  }

  private void giveBody() {
    if (incoming != null && incoming.body.length > 0) {
      front.memory().give(incoming.body.length);
      incoming.body = new byte[0];
    }
  }

  private void giveAnswer() {
    giveAnswer.run();
    giveAnswer = () -> {};
  }

  /** Sees to it that a client that takes nothing does not keep others' answers from having room. */
  private void watch() {
    if (!watched) {
      watched = true;
      look(-1, -1);
    }
  }

  private void look(long answersBefore, long takenBefore) {
    if (ended || !answering) {
      watched = false;
      return;
    }
    ChannelOutboundBuffer unsent = context.channel().unsafe().outboundBuffer();
    long taken = sent - (unsent == null ? 0 : unsent.totalPendingWriteBytes());
    if (answers == answersBefore && taken == takenBefore && front.repliesAreFull()) {
      log.debug("connection closed, its client reads nothing: {}", context.channel());
      context.close();
      return;
    }
    long now = answers;
    context
        .executor()
        .schedule(() -> look(now, taken), PATIENCE_WHEN_FULL_MILLIS, TimeUnit.MILLISECONDS);
  }

  private void dropInbox() {
    inbox.forEach(ReferenceCountUtil::release);
    inbox.clear();
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext ignored) {
    if (busy && !ended && sent < out.length && context.channel().isWritable()) {
      pump();
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ignored, Object event) {
    if (event instanceof ChannelInputShutdownEvent) {
      inputShut = true;
      if (ended) {
        context.close();
      } else {
        work();
      }
    } else if (event instanceof IdleStateEvent) {
      // Silence in the middle of a request or of its answer ends it; between requests it may last.
      boolean waitsForClient = (incoming != null && !busy) || answering;
      silences++;
      if (waitsForClient || (!busy && silences >= SILENCES_MAX)) {
        context.close();
      }
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ignored) {
    ended = true;
    dropInbox();
    if (!busy) {
      giveBody(); // of a request under way it is given when that is answered
    }
    giveAnswer();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ignored, Throwable cause) {
    log.debug("connection failed: {}", context.channel(), cause);
    context.close();
  }
}
