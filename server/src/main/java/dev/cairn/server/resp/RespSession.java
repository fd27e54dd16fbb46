// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.resp;

import dev.cairn.protocol.ErrorCode;
import dev.cairn.protocol.RespValue;
import dev.cairn.protocol.RespWriter;
import dev.cairn.server.command.ClientState;
import dev.cairn.server.command.Command;
import dev.cairn.server.command.Commands;
import dev.cairn.server.command.RequestMemory;
import dev.cairn.server.metrics.CommandMetrics;
import dev.cairn.server.routing.ReplyMemory;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.ReferenceCountUtil;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection: requests in, replies out, in order, however many partitions answer them.
 *
 * <p><b>What may overtake what.</b> A pipeline is worth its name only if its requests travel
 * together, and a client may rely on its own requests taking effect in the order it sent them. So:
 *
 * <ul>
 *   <li>consecutive reads are in flight together, and so are consecutive writes;
 *   <li>a read that follows writes, and a write that follows reads, waits until all earlier
 *       requests have been answered: {@code SET a 1; GET a} sees 1;
 *   <li>commands that touch no data (PING, CLUSTER SLOTS) wait for nothing.
 * </ul>
 *
 * <p>Consecutive writes to one key go to one partition in the order they came, and the layers below
 * apply a partition's writes in the order they got them: {@code SET a 1; SET a 2} ends with 2. If
 * one is answered with an unknown outcome, that order ends with it: it may yet take effect.
 *
 * <p><b>Threads.</b> Everything here runs on the channel's event loop, but {@link Pending#accept},
 * which any thread may call: it leaves the reply in its place and wakes the loop once for all
 * replies that came meanwhile.
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
 *       did: a pipeline of large reads is thinned out before it fills the memory. Large replies of
 *       all connections are counted in {@link ReplyMemory}, from when they are there until they are
 *       sent.
 *   <li>While requests may not be started, the socket is not read.
 *   <li>Replies are flushed once for all that a wake-up brought.
 * </ol>
 */
final class RespSession extends ChannelInboundHandlerAdapter {
  private static final Logger LOG = LoggerFactory.getLogger(RespSession.class);

  /** Decoded by nobody yet, past which the socket is not read. */
  private static final int UNDECODED_BYTES_MAX = 64 * 1024;

  /** How long a connection that was refused may take to read why. */
  private static final long LINGER_MILLIS = 1000;

  /** What replies in flight may come to, by their expected size, bytes. */
  private static final long EXPECTED_REPLY_BYTES_MAX = 32L * 1024 * 1024;

  /** How large a reply is thought to be before there was one: the first reads go by the dozen. */
  private static final long FIRST_REPLY_BYTES = 2L * 1024 * 1024;

  /** How long a slow reader may take nothing while answers fill the node's memory. */
  private static final long PATIENCE_WHEN_FULL_MILLIS = 1_000;

  /** What a request is counted as whose command does not exist, or that cannot be read. */
  private static final String UNKNOWN_COMMAND = "unknown";

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

  private static final RespValue NODE_STOPS =
      RespValue.error(
          ErrorCode.TRYAGAIN, "this node is stopping and did nothing; ask another node");

  private final FrontConfig config;
  private final Commands commands;
  private final ClientState client;
  private final RequestMemory memory;
  private final CommandMetrics metrics;
  private final Optional<? extends Consumer<ChannelPipeline>> http;
  private final RespDecoder decoder;

  private final ArrayDeque<Pending> pending = new ArrayDeque<>();
  private final AtomicBoolean wakeUpScheduled = new AtomicBoolean();

  private ChannelHandlerContext context;
  private ReplyOutput output;
  private RespWriter writer;

  private Request held; // decoded, waits for its turn
  private long pendingBytes; // held by requests in pending
  private int dataPending; // of pending, those that touch data
  private Command.Access dataAccess = Command.Access.NONE; // what all of them do
  private long expectedReplyBytes = FIRST_REPLY_BYTES; // the largest reply lately
  private boolean running; // this loop is in run(): it will see replies without a wake-up
  private boolean ended; // no more requests are taken: close once all is answered
  private boolean lingering; // closed on our side, reading on so that the client sees why
  private boolean inputShut;
  private boolean draining; // the server is about to stop: close at the next pause
  private boolean stopping; // the server stops: nothing is started, no lingering
  private boolean slowReaderWatched;
  private boolean handedOver; // the connection speaks another protocol from now on

  RespSession(
      FrontConfig config,
      Commands commands,
      ClientState client,
      RequestMemory memory,
      CommandMetrics metrics,
      Optional<? extends Consumer<ChannelPipeline>> http) {
    this.config = config;
    this.commands = commands;
    this.client = client;
    this.memory = memory;
    this.metrics = metrics;
    this.http = http;
    this.decoder = new RespDecoder(config.valueBytesMax(), config.requestBytesMax(), memory);
  }

  @Override
  public void handlerAdded(ChannelHandlerContext added) {
    context = added;
    output = new ReplyOutput(added);
    writer = new RespWriter(output);
  }

  @Override
  public void channelRead(ChannelHandlerContext ignored, Object message) {
    if (ended) {
      ReferenceCountUtil.release(message);
      return;
    }
    try {
      decoder.feed((ByteBuf) message);
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
      watchSlowReader();
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
    // What is in flight gives its memory back when it completes: until then it is in use.
    pending.forEach(Pending::abandon);
    pending.clear();
    LOG.debug("connection closed: {}", context.channel());
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ignored, Throwable cause) {
    // Resets are every day's business; what is ours to fix shows in the stack.
    LOG.debug("connection failed: {}", context.channel(), cause);
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
      while (writeReplies() || startRequests()) {
        // replies make room for requests, requests that answer at once make replies
      }
      if (!ended) {
        decoder.settle();
      }
    } catch (ProtocolError error) {
      refuse(error);
      writeReplies();
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
    ChannelOutboundBuffer unsent = context.channel().unsafe().outboundBuffer();
    if (unsent != null && unsent.totalPendingWriteBytes() > config.replyBytesMax()) {
      LOG.debug("connection closed, too many replies unread: {}", context.channel());
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
      Request request = held;
      held = null;
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
      Optional<Command> command = commands.find(request.words());
      Command.Access access =
          request.refusal().isEmpty()
              ? command.map(found -> commands.access(found, client)).orElse(Command.Access.NONE)
              : Command.Access.NONE;
      if (stopping) {
        refuseToStart(request);
        any = true;
        continue;
      }
      if (mustWait(access, request)) {
        held = request;
        return any;
      }
      start(request, command, access);
      any = true;
    }
    return any;
  }

  private boolean mayStart() {
    if (pending.isEmpty()) {
      return context.channel().isWritable();
    }
    return context.channel().isWritable()
        && pending.size() < config.inFlightMax()
        && pendingBytes < config.requestBytesMax()
        && (dataAccess != Command.Access.READ
            || dataPending * expectedReplyBytes < EXPECTED_REPLY_BYTES_MAX);
  }

  private boolean mustWait(Command.Access access, Request request) {
    boolean crossing = access != Command.Access.NONE && dataPending > 0 && access != dataAccess;
    boolean full = !pending.isEmpty() && pendingBytes + request.bytes() > config.requestBytesMax();
    return crossing || full;
  }

  private void refuseToStart(Request request) {
    Pending place = new Pending(request.bytes(), Command.Access.NONE, UNKNOWN_COMMAND);
    place.version = client.version();
    pending.add(place);
    pendingBytes += request.bytes();
    place.accept(NODE_STOPS);
  }

  private void start(Request request, Optional<Command> command, Command.Access access) {
    Pending place =
        new Pending(request.bytes(), access, command.map(Command::name).orElse(UNKNOWN_COMMAND));
    pending.add(place);
    pendingBytes += request.bytes();
    if (access != Command.Access.NONE) {
      dataPending++;
      dataAccess = access;
    }
    if (!request.refusal().isEmpty()) {
      place.version = client.version();
      place.accept(RespValue.error(ErrorCode.ERR, request.refusal()));
      return;
    }
    boolean wasSilent = client.silent();
    try {
      place.version = client.version();
      commands.run(command, client, request.words(), place);
    } catch (RuntimeException bug) {
      LOG.error("command {} failed: report this as a bug", command.map(Command::name), bug);
      place.accept(
          RespValue.error(
              access == Command.Access.WRITE ? ErrorCode.UNKNOWN : ErrorCode.ERR,
              "internal error, see the node's log"));
    }
    // HELLO's own reply is in the version that it asked for; no other command changes it but RESET.
    place.version = client.version();
    place.silent = client.swallows(wasSilent);
    if (client.closing()) {
      ended = true;
    }
  }

  /** Writes the replies that are there, up to the first that is not; true if any was. */
  private boolean writeReplies() {
    boolean any = false;
    while (!pending.isEmpty() && pending.peek().reply != null) {
      Pending place = pending.poll();
      pendingBytes -= place.bytes;
      if (place.access != Command.Access.NONE) {
        dataPending--;
      }
      long before = output.bytes();
      if (place.silent) {
        place.release();
      } else {
        writer.write(place.reply, place.version);
        place.releaseWhenSent();
      }
      expectedReplyBytes =
          Math.max(output.bytes() - before, expectedReplyBytes - expectedReplyBytes / 16);
      any = true;
    }
    return any;
  }

  /** Answers, after all that came before it, that the connection cannot go on. */
  private void refuse(ProtocolError error) {
    LOG.debug("connection refused: {}: {}", context.channel(), error.getMessage());
    if (ended) {
      return;
    }
    ended = true;
    Pending place = new Pending(0, Command.Access.NONE, UNKNOWN_COMMAND);
    place.version = client.version();
    pending.add(place);
    place.accept(RespValue.error(ErrorCode.ERR, error.getMessage()));
  }

  /** Leaves the connection to whoever speaks HTTP, with what came of it so far. */
  private void handOver(Consumer<ChannelPipeline> speaker) {
    handedOver = true;
    ended = true;
    ChannelPipeline pipeline = context.pipeline();
    speaker.accept(pipeline);
    pipeline.remove(this);
    pipeline.fireChannelRead(decoder.takeRest());
    pipeline.fireChannelReadComplete();
    if (inputShut) {
      pipeline.fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
    }
  }

  private void answerHttp() {
    String body =
        "This port speaks Redis' protocol: try redis-cli, or a line such as GET key. HTTP is served on the client port.\n";
    byte[] answer =
        ("HTTP/1.1 501 Not Implemented\r\nContent-Type: text/plain; charset=utf-8\r\n"
                + "Content-Length: "
                + body.length()
                + "\r\nConnection: close\r\n\r\n"
                + body)
            .getBytes(StandardCharsets.UTF_8);
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

  /** Closes a connection whose client takes nothing for too long while replies pile up. */
  private void watchSlowReader() {
    if (!slowReaderWatched) {
      slowReaderWatched = true;
      checkSlowReader(unsentBytes() + 1, System.nanoTime());
    }
  }

  private void checkSlowReader(long unsentBefore, long tookNanos) {
    if (!context.channel().isActive() || context.channel().isWritable()) {
      slowReaderWatched = false;
      return;
    }
    long unsent = unsentBytes();
    long now = System.nanoTime();
    long lastNanos = unsent < unsentBefore ? now : tookNanos;
    long patienceMillis =
        commands.replies().full()
            ? Math.min(PATIENCE_WHEN_FULL_MILLIS, config.slowReaderMillis())
            : config.slowReaderMillis();
    if (now - lastNanos >= TimeUnit.MILLISECONDS.toNanos(patienceMillis)) {
      LOG.debug("connection closed, its client reads nothing: {}", context.channel());
      context.close();
      return;
    }
    context
        .executor()
        .schedule(
            () -> checkSlowReader(unsent, lastNanos),
            Math.min(PATIENCE_WHEN_FULL_MILLIS, patienceMillis),
            TimeUnit.MILLISECONDS);
  }

  private long unsentBytes() {
    ChannelOutboundBuffer unsent = context.channel().unsafe().outboundBuffer();
    return unsent == null ? 0 : unsent.totalPendingWriteBytes();
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
        LOG.trace("a reply came after the server stopped", stopped);
      }
    }
  }

  /** What a reply holds in values that are sent as they are; the rest is little. */
  private static long largeBytes(RespValue value) {
    if (value instanceof RespValue.Bulk bulk) {
      int length = bulk.bytes().length;
      return length < ReplyOutput.BY_REFERENCE_BYTES_MIN ? 0 : length;
    } else if (value instanceof RespValue.Array array) {
      return array.elements().stream().mapToLong(RespSession::largeBytes).sum();
    }
    return value instanceof RespValue.Attributed attributed ? largeBytes(attributed.value()) : 0;
  }

  /** The place of one request among the replies. */
  private final class Pending implements Consumer<RespValue> {
    private final long bytes;
    private final Command.Access access;
    private final String command; // its name, for the metrics
    private final long startedNanos = System.nanoTime();
    private final AtomicBoolean memoryGiven = new AtomicBoolean();
    private final ReplyMemory replies = commands.replies();
    private final AtomicLong held = new AtomicLong(); // bytes of the reply, counted in replies
    private volatile boolean abandoned;
    private int version = 2;
    private boolean silent; // CLIENT REPLY: its reply is not sent
    private volatile RespValue reply;

    Pending(long bytes, Command.Access access, String command) {
      this.bytes = bytes;
      this.access = access;
      this.command = command;
    }

    @Override
    public void accept(RespValue value) {
      giveMemory();
      measure(value);
      hold(largeBytes(value));
      reply = value;
      wakeUp();
    }

    private void hold(long bytesOfReply) {
      if (bytesOfReply > 0) {
        replies.take(bytesOfReply);
        held.set(bytesOfReply);
        if (abandoned) {
          release();
        }
      }
    }

    void releaseWhenSent() {
      if (held.get() > 0) {
        output.whenSent(this::release);
      }
    }

    void release() {
      replies.give(held.getAndSet(0));
    }

    private void measure(RespValue value) {
      CommandMetrics.Outcome outcome = CommandMetrics.Outcome.OK;
      if (value instanceof RespValue.ErrorReply error) {
        ErrorCode code = ErrorCode.named(error.code()).orElse(ErrorCode.ERR);
        metrics.refused(code.name());
        outcome =
            switch (code) {
              case NOTALL -> CommandMetrics.Outcome.OK;
              case UNKNOWN -> CommandMetrics.Outcome.UNKNOWN;
              case MOVED, CLUSTERDOWN, TRYAGAIN, OOM -> CommandMetrics.Outcome.REFUSED;
              default -> CommandMetrics.Outcome.INVALID;
            };
      }
      metrics.answered(command, outcome, System.nanoTime() - startedNanos);
    }

    /** The connection is gone. */
    void abandon() {
      abandoned = true;
      release();
      if (reply != null) {
        giveMemory();
      }
    }

    private void giveMemory() {
      if (memoryGiven.compareAndSet(false, true)) {
        memory.give(bytes);
      }
    }
  }
}
