// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.resp;

import dev.cairn.protocol.ErrorCode;
import dev.cairn.protocol.RespValue;
import dev.cairn.protocol.RespWriter;
import dev.cairn.server.command.ClientState;
import dev.cairn.server.command.Commands;
import dev.cairn.server.command.Effect;
import dev.cairn.server.command.Pause;
import dev.cairn.server.command.PlannedRequest;
import dev.cairn.server.command.RequestMemory;
import dev.cairn.server.metrics.Samples;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.ReferenceCountUtil;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection: requests in, replies out, in order, however many partitions answer them.
 *
 * <p><b>What may overtake what.</b> A pipeline is worth its name only if its requests travel
 * together, and a client may rely on its own requests taking effect in the order it sent them. So a
 * request is planned as soon as all before it were started, and then waits for what its plan's
 * {@link Effect} asks for. A command's row has no say in it: GETEX and BITFIELD read or write as
 * their arguments say, and what is refused does nothing.
 *
 * <ul>
 *   <li>Consecutive reads are in flight together, and so are consecutive writes.
 *   <li>A read that follows writes, and a write that follows reads, waits until all earlier
 *       requests were answered: {@code SET a 1; GET a} sees 1. A read of level ONE waits too, and
 *       may still be out of date.
 *   <li>What tells or changes traces of other requests (INFO, SLOWLOG, CONFIG RESETSTAT) waits for
 *       all of them.
 *   <li>What touches nothing (PING, CLUSTER SLOTS, what is queued behind MULTI, what is refused)
 *       waits for nothing.
 * </ul>
 *
 * <p>Consecutive writes to one key go to one partition in the order they came, and the layers below
 * apply a partition's writes in the order they got them: {@code SET a 1; SET a 2} ends with 2. If
 * one is answered with an unknown outcome, that order ends with it: it may yet take effect.
 *
 * <p><b>Threads.</b> Everything here runs on the channel's event loop, but what wakes it when a
 * reply came ({@link PendingReplies}), once for all replies that came meanwhile.
 *
 * <p><b>Invariants.</b>
 *
 * <ol>
 *   <li>Replies leave in the order of their requests, encoded for the protocol version that held
 *       when the request was run.
 *   <li>At most {@code inFlightMax} requests, holding at most {@code requestBytesMax}, are in
 *       flight (one always may be).
 *   <li>No request is started while the client leaves more than {@code replyBytesHigh} of replies
 *       unread, or while the reads in flight may answer 32 MiB, each as much as the largest lately
 *       did: a pipeline of large reads is thinned out before it fills the memory ({@link
 *       PendingReplies}).
 *   <li>While requests may not be started, the socket is not read.
 *   <li>Replies are flushed once for all that a wake-up brought.
 * </ol>
 */
final class RespSession extends ChannelInboundHandlerAdapter {
  private static final Logger log = LoggerFactory.getLogger(RespSession.class);

  /** Decoded by nobody yet, past which the socket is not read. */
  private static final int UNDECODED_BYTES_MAX = 64 * 1024;

  /** How long a connection that was refused may take to read why. */
  private static final long LINGER_MILLIS = 1000;

  /** How often a connection that CLIENT PAUSE holds up looks whether it still does. */
  private static final long PAUSE_LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  /**
   * Told to every session when its server is about to stop: go on as ever, but close as soon as a
   * reply has left and nothing is under way. The end of the stream then follows right behind the
   * reply, before the client asks again: a client that looks finds it, and nothing of it is cut.
   */
  static final Object DRAIN = new Object();

  /**
   * Told to every session when its server stops: finish what was started, refuse for certain what
   * was only asked, close.
   */
  static final Object STOP = new Object();

  private static final RespValue.ErrorReply NODE_STOPS =
      RespValue.error(
          ErrorCode.TRYAGAIN, "this node is stopping and did nothing; ask another node");

  private static final String INTERNAL_ERROR = "internal error, see the node's log";

  private final FrontConfig config;
  private final Commands commands;
  private final ClientState client;
  private final RequestMemory memory;
  private final Samples samples;
  private final Optional<? extends Consumer<ChannelPipeline>> http;
  private final RespDecoder decoder;

  private final PendingReplies pending;
  private final AtomicBoolean wakeUpScheduled = new AtomicBoolean();

  private ChannelHandlerContext context;
  private ReplyOutput output;
  private RespWriter writer;
  private SlowReader slowReader;

  private RespRequest held; // decoded, waits for its turn
  private PlannedRequest heldReady; // its plan
  private boolean looksAgain; // whether a pause is over: a timer will
  private boolean running; // this loop is in run(): it will see replies without a wake-up
  private boolean ended; // no more requests are taken: close once all is answered
  private boolean lingering; // closed on our side, reading on so that the client sees why
  private boolean inputShut;
  private boolean draining; // the server is about to stop: close at the next pause
  private boolean stopping; // the server stops: nothing is started, no lingering
  private boolean handedOver; // the connection speaks another protocol from now on

  RespSession(
      FrontConfig config,
      Commands commands,
      ClientState client,
      RequestMemory memory,
      Samples samples,
      Optional<? extends Consumer<ChannelPipeline>> http) {
    this.config = config;
    this.commands = commands;
    this.client = client;
    this.memory = memory;
    this.samples = samples;
    this.http = http;
    this.decoder =
        new RespDecoder(config.bounds().valueBytesMax(), config.bounds().requestBytesMax(), memory);
    this.pending = new PendingReplies(config, memory, commands.replies(), this::wakeUp);
  }

  @Override
  public void handlerAdded(ChannelHandlerContext added) {
    context = added;
    output = new ReplyOutput(added);
    writer = new RespWriter(output);
    slowReader =
        new SlowReader(
            added, config.bounds().slowReaderMillis(), commands.replies()::full, output::bytes);
  }

  @Override
  public void channelRead(ChannelHandlerContext ignored, Object message) {
    if (ended) {
      ReferenceCountUtil.release(message);
      return;
    }
    try {
      decoder.feed((ByteBuf) message);
      samples.input().saw(decoder.pendingBytes());
    } catch (ProtocolError error) {
      refuse(error);
    }
    run();
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext ignored) {
    if (context.channel().isWritable()) {
      run();
    } else {
      slowReader.watch();
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ignored, Object event) {
    if (event instanceof ChannelInputShutdownEvent) {
      // The client has said all it will, but may still be reading (printf ... | nc).
      inputShut = true;
      if (lingering) {
        context.close();
      } else {
        run();
      }
    } else if (event == DRAIN) {
      draining = true;
    } else if (event == STOP) {
      stopping = true;
      run();
      ended = true;
      run();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ignored) {
    ended = true;
    decoder.close();
    if (held != null) {
      memory.give(held.bytes());
      held = null;
    }
    pending.abandon();
    log.debug("connection closed: {}", context.channel());
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ignored, Throwable cause) {
    // Resets are every day's business; what is ours to fix shows in the stack.
    log.debug("connection failed: {}", context.channel(), cause);
    context.close();
  }

  /** Starts what may start, writes what is answered, until nothing moves; then flushes once. */
  private void run() {
    if (running || !context.channel().isActive()) {
      return;
    }
    running = true;
    long before = output.bytes();
    try {
      while (pending.write(writer, output) || startRequests()) {
        // replies make room for requests, requests that answer at once make replies
      }
      if (!ended) {
        decoder.settle();
      }
    } catch (ProtocolError error) {
      refuse(error);
      pending.write(writer, output);
    } finally {
      running = false;
    }
    boolean replied = output.bytes() != before;
    if (replied) {
      output.flush();
    }
    if (draining && replied && pending.isEmpty() && held == null && decoder.pendingBytes() == 0) {
      ended = true;
    }
    afterRun();
  }

  private void afterRun() {
    if (handedOver) {
      return;
    }
    long unsentBytes = slowReader.unsentBytes();
    samples.output().saw(unsentBytes);
    if (unsentBytes > config.bounds().replyBytesMax()) {
      log.debug("connection closed, too many replies unread: {}", context.channel());
      context.close();
      return;
    }
    boolean drained = pending.isEmpty() && held == null;
    if (ended && pending.isEmpty()) {
      finish();
    } else if (inputShut && drained && !lingering) {
      context.close(); // what may be left undecoded is no whole request
    } else {
      boolean read =
          ended || (held == null && decoder.pendingBytes() < UNDECODED_BYTES_MAX && mayStart());
      if (context.channel().config().isAutoRead() != read) {
        context.channel().config().setAutoRead(read);
      }
    }
  }

  /** Starts requests in their order; true if any was. */
  private boolean startRequests() throws ProtocolError {
    boolean any = false;
    while (!ended && mayStart()) {
      RespRequest request = held;
      PlannedRequest ready = heldReady;
      held = null;
      heldReady = null;
      if (request == null) {
        request = decoder.next();
      }
      if (request == null) {
        return any;
      }
      if (request.http()) {
        if (http.isPresent()) {
          handOver(http.get());
          return false;
        }
        answerHttp();
        return true;
      }
      if (OtherProtocols.isOfHttp(request.words())) {
        log.debug("connection closed, it speaks HTTP in the middle: {}", context.channel());
        memory.give(request.bytes());
        ended = true;
        return true;
      }
      if (stopping) {
        refuseToStart(request);
        any = true;
        continue;
      }
      if (ready == null) {
        ready = commands.plan(client, request.words(), request.refusal());
      }
      if (pending.mustWait(ready.effect(), request.bytes()) || isPaused(ready)) {
        held = request;
        heldReady = ready;
        return any;
      }
      start(request, ready);
      any = true;
    }
    return any;
  }

  /** CLIENT PAUSE: whether a command waits; it is looked at again soon, for UNPAUSE. */
  private boolean isPaused(PlannedRequest ready) {
    Pause pause = commands.clients().pause();
    long waitNanos = pause.waitNanos(ready.family(), ready.effect(), System.nanoTime());
    if (waitNanos > 0 && !looksAgain) {
      looksAgain = true;
      Runnable look =
          () -> {
            looksAgain = false;
            run();
          };
      long soon = Math.min(waitNanos, PAUSE_LOOK_NANOS);
      context.executor().schedule(look, soon, TimeUnit.NANOSECONDS);
    }
    return waitNanos > 0;
  }

  private boolean mayStart() {
    return !client.waits() && context.channel().isWritable() && pending.hasRoom();
  }

  private void refuseToStart(RespRequest request) {
    answer(request.bytes(), NODE_STOPS);
  }

  private void start(RespRequest request, PlannedRequest ready) {
    PendingReplies.Place place = pending.add(request.bytes(), ready.effect(), client.version());
    try {
      ready.start(place);
    } catch (RuntimeException bug) {
      log.error("command {} failed: report this as a bug", ready.family(), bug);
      place.accept(
          commands.rejected(
              RespValue.error(
                  ready.effect() == Effect.WRITES ? ErrorCode.UNKNOWN : ErrorCode.ERR,
                  INTERNAL_ERROR)));
    }
    // HELLO's own reply is in the version that it asked for; no other command changes it but RESET.
    place.leaves(client.version(), client.swallows());
    if (client.closing()) {
      ended = true;
    }
  }

  /** Answers, after all that came before it, that the connection cannot go on. */
  private void refuse(ProtocolError error) {
    log.debug("connection refused: {}: {}", context.channel(), error.getMessage());
    if (ended) {
      return;
    }
    ended = true;
    answer(0, RespValue.error(ErrorCode.ERR, error.getMessage()));
  }

  /** A reply of the session's own, behind all others. */
  private void answer(long requestBytes, RespValue.ErrorReply why) {
    PendingReplies.Place place = pending.add(requestBytes, Effect.NOTHING, client.version());
    place.accept(commands.rejected(why));
    place.leaves(client.version(), client.swallows());
  }

  /** Leaves the connection to who speaks HTTP. What came so far has passed TLS already. */
  private void handOver(Consumer<ChannelPipeline> speaker) {
    handedOver = true;
    ended = true;
    ChannelPipeline pipeline = context.pipeline();
    speaker.accept(pipeline);
    pipeline.remove(this);
    context.fireChannelRead(decoder.takeRest());
    context.fireChannelReadComplete();
    if (inputShut) {
      context.fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
    }
  }

  private void answerHttp() {
    byte[] answer = OtherProtocols.notHere();
    output.write(answer, 0, answer.length);
    ended = true;
  }

  /**
   * Closes our side, and reads on for a moment: closing with bytes unread would make the kernel
   * send a reset, which can overtake the last reply.
   */
  private void finish() {
    if (lingering) {
      return;
    }
    lingering = true;
    decoder.close();
    context
        .writeAndFlush(Unpooled.EMPTY_BUFFER)
        .addListener(
            written -> {
              if (inputShut || stopping || !(context.channel() instanceof DuplexChannel duplex)) {
                context.close();
                return;
              }
              duplex.shutdownOutput().addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
              context.channel().config().setAutoRead(true);
              context
                  .executor()
                  .schedule(() -> context.close(), LINGER_MILLIS, TimeUnit.MILLISECONDS);
            });
  }

  /** On whatever thread a reply came: has the loop look, once for all that come until it does. */
  private void wakeUp() {
    if (running && context.executor().inEventLoop()) {
      return;
    }
    if (wakeUpScheduled.compareAndSet(false, true)) {
      try {
        context
            .executor()
            .execute(
                () -> {
                  wakeUpScheduled.set(false);
                  run();
                });
      } catch (RejectedExecutionException stopped) {
        log.trace("a reply came after the server stopped", stopped);
      }
    }
  }
}
