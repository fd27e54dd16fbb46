// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.peer;

import dev.cairn.server.tls.FirstByte;
import dev.cairn.server.tls.Reason;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection that a peer opened: its requests, and this node's answers.
 *
 * <p>Threads: the connection's loop; {@link #close} and answers by any.
 */
public final class AcceptedConnection {
  private static final long GREETING_WITHIN_MILLIS = 5_000;
  private static final Logger log = LoggerFactory.getLogger(AcceptedConnection.class);

  private final Dispatch dispatch;
  private final Consumer<AcceptedConnection> ended;
  private final Channel channel;
  private final MessageCounts counts;
  private final Outbox outbox;
  private final PeerRun self;
  private final Predicate<PeerRun> superseded;
  private volatile PeerRun peer; // null until it has greeted
  private volatile boolean fenced; // a later start of the peer is known
  private volatile long heardAtNanos;

  /** Where requests go. */
  interface Dispatch {
    /** Deals with a request; {@code answer} may be called once, by any thread. */
    void request(AcceptedConnection from, Frame frame, Consumer<byte[]> answer)
        throws NoSuchKindException;
  }

  /** A peer sent what this version does not know, or what this node does not take yet. */
  static final class NoSuchKindException extends Exception {
    private static final long serialVersionUID = 1;

    private final boolean starting;

    NoSuchKindException(byte kind, boolean starting) {
      super(
          "message kind "
              + kind
              + (starting
                  ? " is not taken while this node starts"
                  : " is unknown to this version"));
      this.starting = starting;
    }
  }

  /**
   * Takes a connection.
   *
   * @param self this node, for the greeting
   * @param superseded whether a later start of a node is known than the one that greets
   */
  AcceptedConnection(
      Channel channel,
      PeerRun self,
      Predicate<PeerRun> superseded,
      Dispatch dispatch,
      MessageCounts counts,
      Consumer<AcceptedConnection> ended) {
    this.channel = channel;
    this.self = self;
    this.superseded = superseded;
    this.counts = counts;
    this.outbox = new Outbox(channel, counts);
    this.dispatch = dispatch;
    this.ended = ended;
  }

  /** Its other end, for logs. */
  public String remoteAddress() {
    return String.valueOf(channel.remoteAddress());
  }

  /** Ends it. */
  void close() {
    channel.close();
  }

  /** The run of a node that is at its other end; null until it has greeted. */
  public PeerRun peer() {
    return peer;
  }

  /** Whether a peer was at its other end. */
  boolean greeted() {
    return peer != null;
  }

  /** Whether another run of a node than {@code startId} was heard over this within a time. */
  boolean isOtherRun(String nodeId, String startId, long withinNanos) {
    PeerRun now = peer;
    return now != null
        && !fenced
        && now.nodeId().equals(nodeId)
        && !now.startId().equals(startId)
        && System.nanoTime() - heardAtNanos < withinNanos;
  }

  /** Whether a later start of the peer is known, so that what it sends does not count. */
  boolean isFenced() {
    return fenced;
  }

  /** Ends it if a later start of its peer has become known. */
  void closeIfSuperseded() {
    PeerRun now = peer;
    if (now != null && superseded.test(now)) {
      fenced = true;
      close();
    }
  }

  ChannelInboundHandlerAdapter handler() {
    return new Arrivals();
  }

  private void greeted(ChannelHandlerContext context, ByteBuf greeting) {
    int magic = greeting.readInt();
    int version = greeting.readShort();
    Optional<Traffic> traffic = Traffic.of(greeting.readByte());
    if (magic != Frame.MAGIC) {
      log.warn(
          "peer={} {}",
          remoteAddress(),
          magic >>> 24 == FirstByte.TLS_HANDSHAKE
              ? "speaks TLS and this node's peer port does not: start all nodes with the same --peer-ca or --cluster-secret-file, by way of --tls optional"
              : "is no peer of Cairn; the peer port is for nodes only");
      close();
      return;
    }
    if (version != Frame.VERSION || traffic.isEmpty()) {
      context.writeAndFlush(Frame.greeting(Frame.ANSWERS, self));
      log.warn(
          "peer={} speaks version {} of the peer protocol, this node {}; upgrade the older one",
          remoteAddress(),
          version,
          Frame.VERSION);
      close();
      return;
    }
    greeting.skipBytes(1);
    heardAtNanos = System.nanoTime();
    peer = PeerRun.readFrom(greeting);
    fenced = superseded.test(peer); // after peer is set: who learns of a later start looks at it
    context.writeAndFlush(Frame.greeting(fenced ? Frame.ANSWERS_SUPERSEDED : Frame.ANSWERS, self));
  }

  private void received(Frame frame) {
    heardAtNanos = System.nanoTime();
    counts.received();
    if (frame.type() != Frame.REQUEST && frame.type() != Frame.WORD) {
      log.warn("peer={} sent a frame of type {}", remoteAddress(), frame.type());
      close();
      return;
    }
    try {
      dispatch.request(
          this,
          frame,
          frame.type() == Frame.WORD ? body -> {} : body -> reply(Frame.ANSWER, frame, body));
    } catch (NoSuchKindException e) {
      if (e.starting) {
        log.debug("peer={} {}", remoteAddress(), e.getMessage());
      } else {
        log.warn("peer={} {}; upgrade this node", remoteAddress(), e.getMessage());
      }
      if (frame.type() == Frame.WORD) {
        return;
      }
      reply(Frame.NO_ANSWER, frame, e.getMessage().getBytes(StandardCharsets.UTF_8));
    }
  }

  private void reply(byte type, Frame request, byte[] body) {
    try {
      outbox.add(new Frame(type, request.kind(), request.stream(), request.id(), body));
    } catch (RejectedExecutionException nodeStops) {
      log.debug("peer={} gets no answer: this node stops", remoteAddress(), nodeStops);
    }
  }

  private final class Arrivals extends ChannelInboundHandlerAdapter {
    @Override
    public void channelActive(ChannelHandlerContext context) {
      context
          .executor()
          .schedule(
              () -> {
                if (!greeted()) {
                  close();
                }
              },
              GREETING_WITHIN_MILLIS,
              TimeUnit.MILLISECONDS);
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      if (message instanceof ByteBuf greeting) {
        try {
          greeted(context, greeting);
        } finally {
          greeting.release();
        }
      } else if (message instanceof Frame frame) {
        received(frame);
      }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
      ended.accept(AcceptedConnection.this);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      // A peer that dies resets its connections; who is down is told once, by the cluster's
      // package.
      if (cause instanceof IOException || Reason.isOfTls(cause)) { // TLS has said why
        log.debug("peer={} connection closed: {}", remoteAddress(), cause.toString());
      } else {
        log.warn("peer={} connection closed: {}", remoteAddress(), cause.toString());
      }
      context.close();
    }
  }
}
