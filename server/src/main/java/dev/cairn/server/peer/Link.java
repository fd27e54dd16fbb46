// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.peer;

import dev.cairn.server.tls.Reason;
import dev.cairn.server.tls.TlsMode;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoop;
import io.netty.util.NetUtil;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This node's connection to one peer for one kind of traffic: opened when something is to be sent,
 * opened anew after it broke.
 *
 * <p>A connection counts as open when the peer has greeted: one that the operating system of a
 * frozen process accepts is none, and a peer of another version, or another node than the one that
 * is meant, is found out before anything is sent to it. Where the peer is is looked up for each
 * connection. A host's name with several addresses: they are tried one after the other. A peer that
 * could not be reached is left alone for {@link #RETRY_AFTER_NANOS}.
 *
 * <p>Threads: {@link #send} and {@link #isOpen} by any; all state is the loop's. Invariants:
 *
 * <ol>
 *   <li>Each message is answered exactly once, by the peer or with a failure, at the latest soon
 *       after its deadline.
 *   <li>{@link Answer.NotSent} is given only for a message of which nothing was written.
 *   <li>At most {@link #UNANSWERED_MAX} messages and {@link #UNANSWERED_BYTES_MAX} bytes are
 *       unanswered; what comes on top is not sent.
 * </ol>
 */
final class Link {
  static final int UNANSWERED_MAX = 65_536;
  static final long UNANSWERED_BYTES_MAX = 192L << 20;
  private static final int CONNECT_TIMEOUT_MILLIS = 1_000;
  private static final int WORDS_WAIT_MILLIS = 1_000;

  /** While a peer takes nothing, words beyond that are lost. */
  private static final long UNSENT_WORDS_BYTES_MAX = 64L << 20;

  /** Less than a heartbeat's interval, so that each heartbeat is another attempt. */
  private static final long RETRY_AFTER_NANOS = TimeUnit.MILLISECONDS.toNanos(75);

  private static final long LOOK_EVERY_MILLIS = 25;
  private static final Logger log = LoggerFactory.getLogger(Link.class);

  private final Supplier<Optional<PeerAddress>> address;
  private final Greetings greetings;
  private final Traffic traffic;
  private final Bootstrap bootstrap;
  private final EventLoop loop;
  private final Dialing dialing;
  private final MessageCounts counts;
  private final Queue<Message> arriving = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean scheduled = new AtomicBoolean();
  private final AtomicLong unansweredBytes = new AtomicLong();
  private final AtomicLong unanswered = new AtomicLong();
  private volatile boolean open;
  private volatile boolean closed;

  // The loop's.
  private final ArrayDeque<Message> waiting = new ArrayDeque<>(); // for a connection
  private final Map<Integer, Message> sent = new HashMap<>();
  private boolean resolving; // the host's name
  private final ArrayDeque<InetSocketAddress> untried = new ArrayDeque<>(); // of that name
  private InetSocketAddress trying; // where the channel goes
  private boolean plain; // begins without TLS, where both ways are taken
  private Channel channel; // connecting, or open
  private Outbox outbox; // of the open channel
  private int lastId;
  private boolean looking;
  private long failedAtNanos;
  private String failure; // why the last connection failed; null when it did not

  /**
   * Creates a link that is not connected.
   *
   * @param address where the peer is now; empty when nobody knows
   */
  Link(
      Supplier<Optional<PeerAddress>> address,
      Greetings greetings,
      Traffic traffic,
      Dialing dialing,
      EventLoop loop,
      MessageCounts counts) {
    this.address = address;
    this.greetings = greetings;
    this.traffic = traffic;
    this.dialing = dialing;
    this.loop = loop;
    this.counts = counts;
    this.bootstrap =
        dialing
            .bootstrap()
            .clone()
            .group(loop)
            .handler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel created) {
                    if (isSecured()) {
                      dialing.tls().connect(created.pipeline(), () -> greet(created));
                    }
                    created.pipeline().addLast(new Frame.Decoder(), new Arrivals());
                  }
                });
  }

  /** Bytes of messages that are not answered yet. */
  long unansweredBytes() {
    return unansweredBytes.get();
  }

  boolean isOpen() {
    return open;
  }

  /** Opens the connection if there is none. */
  void connect() {
    if (open) {
      return;
    }
    try {
      loop.execute(() -> takeArriving(true));
    } catch (RejectedExecutionException ended) {
      log.debug("{} is not connected to: this node is stopping", this);
    }
  }

  void send(
      byte kind,
      short stream,
      byte[] body,
      long timeoutMillis,
      Executor where,
      Consumer<Answer> done) {
    long deadlineNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
    send(new Message(kind, stream, body, deadlineNanos, where, done));
  }

  /** Sends a message that nobody answers. It is lost where it cannot be sent within a time. */
  void tell(byte kind, byte[] body) {
    long deadlineNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(WORDS_WAIT_MILLIS);
    send(new Message(kind, (short) 0, body, deadlineNanos, Runnable::run, null));
  }

  private void send(Message message) {
    long bytes = unansweredBytes.addAndGet(message.body().length);
    if (unanswered.incrementAndGet() > UNANSWERED_MAX
        || (bytes > UNANSWERED_BYTES_MAX && bytes > message.body().length)) {
      answer(message, new Answer.NotSent("too much to " + this + " is unanswered"));
      return;
    }
    arriving.add(message);
    if (scheduled.compareAndSet(false, true)) {
      try {
        loop.execute(() -> takeArriving(false));
      } catch (RejectedExecutionException ended) {
        failArriving();
      }
    }
  }

  private void failArriving() {
    for (Message message = arriving.poll(); message != null; message = arriving.poll()) {
      answer(message, new Answer.NotSent("this node is stopping"));
    }
  }

  private void answer(Message message, Answer answer) {
    unansweredBytes.addAndGet(-message.body().length);
    unanswered.decrementAndGet();
    if (message.isWord()) {
      return;
    }
    try {
      message.where().execute(() -> message.done().accept(answer));
    } catch (RejectedExecutionException stopping) {
      message.done().accept(answer);
    }
  }

  // ---- On the loop ----

  private void takeArriving(boolean connect) {
    scheduled.set(false);
    if (closed) {
      failArriving();
      return;
    }
    boolean any = connect;
    for (Message message = arriving.poll(); message != null; message = arriving.poll()) {
      any = true;
      if (open) {
        write(message);
      } else {
        waiting.add(message);
      }
    }
    if (any && !open && channel == null && !resolving) {
      resolve();
    }
    lookLater();
  }

  private void write(Message message) {
    if (message.isWord()) {
      answer(message, null);
      if (outbox.unsentBytes() < UNSENT_WORDS_BYTES_MAX) {
        outbox.add(new Frame(Frame.WORD, message.kind(), message.stream(), 0, message.body()));
      }
      return;
    }
    int id = ++lastId;
    sent.put(id, message);
    outbox.add(new Frame(Frame.REQUEST, message.kind(), message.stream(), id, message.body()));
  }

  private void resolve() {
    if (failure != null && System.nanoTime() - failedAtNanos < RETRY_AFTER_NANOS) {
      failWaiting(failure);
      return;
    }
    Optional<PeerAddress> now = address.get();
    if (now.isEmpty()) {
      failed(null, this + ": its address is not known");
      return;
    }
    String host = now.get().host();
    int port = now.get().port();
    if (NetUtil.createByteArrayFromIpAddressString(host) != null) {
      connect(new InetSocketAddress(host, port));
    } else {
      resolving = true;
      dialing
          .resolver()
          .execute(
              () -> {
                List<InetSocketAddress> found = dialing.names().lookUp(now.get());
                loop.execute(() -> resolved(host, found));
              });
    }
  }

  private void resolved(String host, List<InetSocketAddress> found) {
    resolving = false;
    if (found.isEmpty()) {
      failed(null, "no address is known for " + host);
    } else if (!closed) {
      untried.clear();
      untried.addAll(found);
      connect(untried.remove());
    }
  }

  private boolean isSecured() {
    return dialing.tls().mode() != TlsMode.OFF && !plain;
  }

  private void greet(Channel which) {
    which.writeAndFlush(Frame.greeting(traffic.code(), greetings.self()));
  }

  private void connect(InetSocketAddress to) {
    trying = to;
    boolean secured = isSecured();
    ChannelFuture connecting = bootstrap.connect(to);
    Channel begun = connecting.channel();
    channel = begun;
    connecting.addListener(
        future -> {
          if (future.isSuccess()) {
            if (!secured) {
              greet(begun);
            }
          } else {
            failedToOpen(begun, "cannot connect to " + this + ": " + future.cause());
          }
        });
    loop.schedule(
        () -> {
          if (channel == begun && !open && !triesOtherWay(begun)) {
            failedToOpen(begun, this + " did not greet within " + CONNECT_TIMEOUT_MILLIS + " ms");
          }
        },
        CONNECT_TIMEOUT_MILLIS,
        TimeUnit.MILLISECONDS);
  }

  private void greeted(ByteBuf greeting) {
    int magic = greeting.readInt();
    int version = greeting.readShort();
    byte traffic = greeting.readByte();
    boolean superseded = traffic == Frame.ANSWERS_SUPERSEDED;
    boolean answers = traffic == Frame.ANSWERS || superseded;
    if (magic != Frame.MAGIC || version != Frame.VERSION || !answers) {
      if (!triesOtherWay(channel)) {
        String why = greetings.refusal(magic, version, answers);
        log.warn("peer={}{}", this, why);
        failedToOpen(channel, this + why);
      }
      return;
    }
    greeting.skipBytes(1);
    Optional<String> refusal = greetings.heard(PeerRun.readFrom(greeting), superseded);
    if (refusal.isPresent()) {
      failedToOpen(channel, this + refusal.get());
      return;
    }
    failure = null;
    untried.clear();
    outbox = new Outbox(channel, counts);
    open = true;
    for (Message message = waiting.poll(); message != null; message = waiting.poll()) {
      write(message);
    }
  }

  /**
   * Where both ways are taken and one did not lead to a greeting: takes the other from now on, and
   * at once where TLS was tried.
   */
  private boolean triesOtherWay(Channel which) {
    if (dialing.tls().mode() != TlsMode.OPTIONAL || channel != which || closed) {
      return false;
    }
    plain = !plain;
    if (!plain) {
      return false;
    }
    channel = null;
    which.close();
    connect(trying);
    return true;
  }

  private void ended(Channel which, String why) {
    if (open) {
      failed(which, why);
    } else if (!triesOtherWay(which)) {
      failedToOpen(which, why);
    }
  }

  /** Goes on with the name's next address, if it has another. */
  private void failedToOpen(Channel which, String why) {
    if (channel == which && !untried.isEmpty() && !closed) {
      channel = null;
      which.close();
      connect(untried.remove());
    } else {
      failed(which, why);
    }
  }

  /** Ends the connection, if there is one: the peer is elsewhere now. The next is begun at once. */
  void moved() {
    try {
      loop.execute(
          () -> {
            untried.clear();
            failed(channel, this + " has moved");
            failure = null;
          });
    } catch (RejectedExecutionException ended) {
      log.trace("a link of a loop that has ended", ended);
    }
  }

  private void failed(Channel which, String why) {
    if (channel != which) {
      return;
    }
    channel = null;
    open = false;
    Outbox left = outbox;
    outbox = null;
    if (which != null) {
      which.close();
    }
    failure = why;
    failedAtNanos = System.nanoTime();
    if (left != null) {
      for (Frame frame = left.takeUnsent(); frame != null; frame = left.takeUnsent()) {
        Message message = sent.remove(frame.id());
        if (message != null) {
          answer(message, new Answer.NotSent(why));
        }
      }
    }
    List<Message> lost = new ArrayList<>(sent.values());
    sent.clear();
    lost.forEach(message -> answer(message, new Answer.Lost(why, false)));
    failWaiting(why);
  }

  private void failWaiting(String why) {
    for (Message message = waiting.poll(); message != null; message = waiting.poll()) {
      answer(message, new Answer.NotSent(why));
    }
  }

  private void received(Frame frame) {
    counts.received();
    Message message = sent.remove(frame.id());
    if (message == null) {
      return; // too late
    }
    answer(
        message,
        frame.type() == Frame.ANSWER
            ? new Answer.Received(frame.body())
            : new Answer.Lost(
                "the peer gave no answer: " + new String(frame.body(), StandardCharsets.UTF_8),
                false));
  }

  private void lookLater() {
    if (!looking && (!sent.isEmpty() || !waiting.isEmpty())) {
      looking = true;
      loop.schedule(this::look, LOOK_EVERY_MILLIS, TimeUnit.MILLISECONDS);
    }
  }

  /** Gives up on what waits for too long. */
  private void look() {
    looking = false;
    long now = System.nanoTime();
    for (Iterator<Message> messages = waiting.iterator(); messages.hasNext(); ) {
      Message message = messages.next();
      if (now - message.deadlineNanos() >= 0) {
        messages.remove();
        answer(message, new Answer.NotSent("no connection to " + this + " in time"));
      }
    }
    for (Iterator<Message> messages = sent.values().iterator(); messages.hasNext(); ) {
      Message message = messages.next();
      if (now - message.deadlineNanos() >= 0) {
        messages.remove();
        answer(message, new Answer.Lost("no answer of " + this + " in time", true));
      }
    }
    lookLater();
  }

  void close() {
    closed = true;
    try {
      loop.execute(
          () -> {
            failed(channel, "this node is stopping");
            failArriving();
          });
    } catch (RejectedExecutionException ended) {
      failArriving(); // the loop, and its channels with it
    }
  }

  @Override
  public String toString() {
    return address.get().map(PeerAddress::toString).orElse("a node");
  }

  private final class Arrivals extends ChannelInboundHandlerAdapter {
    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      if (message instanceof ByteBuf greeting) {
        try {
          if (channel == context.channel()) {
            greeted(greeting);
          }
        } finally {
          greeting.release();
        }
      } else if (message instanceof Frame frame && channel == context.channel()) {
        received(frame);
      }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
      ended(context.channel(), Link.this + " closed the connection");
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      String why = Reason.isOfTls(cause) ? Reason.of(cause) : cause.toString();
      if (Reason.isOfTls(cause) && dialing.tls().mode() == TlsMode.REQUIRED) {
        log.warn("peer={} and this node did not agree on TLS: {}", Link.this, why);
      } else {
        log.debug("peer={} connection failed", Link.this, cause);
      }
      ended(context.channel(), Link.this + ": " + why);
    }
  }
}
