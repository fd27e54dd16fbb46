// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.peer;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
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
  private final Outbox outbox;
  private boolean greeted; // the loop's

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

  AcceptedConnection(Channel channel, Dispatch dispatch, Consumer<AcceptedConnection> ended) {
    this.channel = channel;
    this.outbox = new Outbox(channel);
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

  /** Whether a peer was at its other end. For the loop. */
  boolean greeted() {
    return greeted;
  }

  ChannelInboundHandlerAdapter handler() {
    return new Arrivals();
  }

  private void greeted(ChannelHandlerContext context, ByteBuf greeting) {
    int magic = greeting.readInt();
    int version = greeting.readShort();
    Optional<Traffic> traffic = Traffic.of(greeting.readByte());
    if (magic != Frame.MAGIC) {
      log.warn("peer={} is no peer of Cairn; the peer port is for nodes only", remoteAddress());
      close();
      return;
    }
    greeted = true;
    context.writeAndFlush(Frame.greeting(Frame.ANSWERS));
    if (version != Frame.VERSION || traffic.isEmpty()) {
      log.warn(
          "peer={} speaks version {} of the peer protocol, this node {}; upgrade the older one",
          remoteAddress(),
          version,
          Frame.VERSION);
      close();
    }
  }

  private void received(Frame frame) {
    if (frame.type() != Frame.REQUEST) {
      log.warn("peer={} sent a frame of type {}", remoteAddress(), frame.type());
      close();
      return;
    }
    try {
      dispatch.request(this, frame, body -> reply(Frame.ANSWER, frame, body));
    } catch (NoSuchKindException e) {
      if (e.starting) {
        log.debug("peer={} {}", remoteAddress(), e.getMessage());
      } else {
        log.warn("peer={} {}; upgrade this node", remoteAddress(), e.getMessage());
      }
      reply(Frame.NO_ANSWER, frame, e.getMessage().getBytes(StandardCharsets.UTF_8));
    }
  }

  private void reply(byte type, Frame request, byte[] body) {
    outbox.add(new Frame(type, request.kind(), request.stream(), request.id(), body));
  }

  private final class Arrivals extends ChannelInboundHandlerAdapter {
    @Override
    public void channelActive(ChannelHandlerContext context) {
      context
          .executor()
          .schedule(
              () -> {
                if (!greeted) {
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
      if (cause instanceof IOException) {
        log.debug("peer={} connection closed: {}", remoteAddress(), cause.toString());
      } else {
        log.warn("peer={} connection closed: {}", remoteAddress(), cause.toString());
      }
      context.close();
    }
  }
}
