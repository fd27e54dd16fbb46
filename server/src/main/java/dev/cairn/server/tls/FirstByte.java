// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.tls;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The first handler of a connection that a port accepted: looks at its first byte, and makes way
 * for TLS or for nothing. No protocol that a port of ours speaks begins with the byte of a TLS
 * handshake.
 *
 * <p>Where TLS is required, who speaks anything else is told so in one line of the port's protocol
 * and cut off; nothing of what was sent is passed on.
 */
public final class FirstByte extends ByteToMessageDecoder {
  /** A record of a TLS handshake (RFC 8446, section 5.1). */
  public static final byte TLS_HANDSHAKE = 22;

  /** How long who was refused may take to read why. */
  private static final long LINGER_MILLIS = 1_000;

  private static final Logger log = LoggerFactory.getLogger(FirstByte.class);

  private final boolean required;
  private final Supplier<SslContext> tls;
  private final Handshakes handshakes;
  private final Consumer<Channel> shaken;
  private final Function<ByteBuf, ByteBuf> refusal;
  private boolean refused;

  /**
   * For one connection.
   *
   * @param required whether nothing but TLS is taken
   * @param shaken told when the handshake has succeeded
   * @param refusal what is said to those who begin with these bytes
   */
  FirstByte(
      boolean required,
      Supplier<SslContext> tls,
      Handshakes handshakes,
      Consumer<Channel> shaken,
      Function<ByteBuf, ByteBuf> refusal) {
    this.required = required;
    this.tls = tls;
    this.handshakes = handshakes;
    this.shaken = shaken;
    this.refusal = refusal;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext context) {
    if (required) {
      handshakes.began(context.channel());
    }
  }

  @Override
  protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out) {
    if (refused) {
      in.skipBytes(in.readableBytes());
    } else if (in.getByte(in.readerIndex()) == TLS_HANDSHAKE) {
      begin(context);
    } else if (required) {
      refuse(context, in);
    } else {
      context.pipeline().remove(this); // what is here is passed on
    }
  }

  private void begin(ChannelHandlerContext context) {
    Channel channel = context.channel();
    handshakes.began(channel);
    SslHandler handler = Engine.handler(tls.get(), channel);
    handler
        .handshakeFuture()
        .addListener(
            done -> {
              if (done.isSuccess()) {
                shaken.accept(channel);
              } else {
                log.warn("{} was refused: {}", channel.remoteAddress(), Reason.of(done.cause()));
              }
            });
    context.pipeline().replace(this, "tls", handler);
  }

  private void refuse(ChannelHandlerContext context, ByteBuf in) {
    refused = true;
    Channel channel = context.channel();
    log.warn(
        "{} was refused: it speaks no TLS, and this port takes nothing else",
        channel.remoteAddress());
    ByteBuf said = refusal.apply(in);
    in.skipBytes(in.readableBytes());
    context
        .writeAndFlush(said)
        .addListener(
            written -> {
              if (channel instanceof DuplexChannel duplex && duplex.isActive()) {
                duplex.shutdownOutput();
              }
            });
    context.executor().schedule(() -> context.close(), LINGER_MILLIS, TimeUnit.MILLISECONDS);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    context.close();
  }
}
