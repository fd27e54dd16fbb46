// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.tls;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.security.cert.Certificate;
import java.security.cert.CertificateEncodingException;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stands behind TLS and before the protocol of peers until the other end has proven that it is a
 * node; then it goes. With certificates the handshake was the proof. With a secret:
 *
 * <pre>
 *   accepting  ::= magic:4 version:1 nonce:32        magic is "CRNS", version 1
 *   connecting ::= nonce:32 proof:32                 {@link Secret}
 *   accepting  ::= 1 proof:32 | 0                    0: the proof is none, and the connection ends
 * </pre>
 *
 * <p>The end that connects proves itself first: who tries ports gets nothing to try secrets on.
 *
 * <p>Threads: the connection's loop.
 */
final class PeerDoor extends ByteToMessageDecoder {
  private static final int MAGIC = 0x43524E53;
  private static final byte VERSION = 1;
  private static final int CHALLENGE_BYTES = 4 + 1 + Secret.NONCE_BYTES;
  private static final byte PROVEN = 1;
  private static final byte REFUSED = 0;
  private static final SecureRandom RANDOM = new SecureRandom();
  private static final Logger log = LoggerFactory.getLogger(PeerDoor.class);

  private final Optional<Secret> secret;
  private final boolean tlsOnly;
  private final boolean connects;
  private final Handshakes handshakes;
  private final Runnable admitted;
  private final byte[] ownNonce = new byte[Secret.NONCE_BYTES];
  private Secret.Ends ends; // of a connecting end that waits for the other's proof
  private boolean secured;
  private boolean over;

  PeerDoor(
      Optional<Secret> secret,
      boolean tlsOnly,
      boolean connects,
      Handshakes handshakes,
      Runnable admitted) {
    this.secret = secret;
    this.tlsOnly = tlsOnly;
    this.connects = connects;
    this.handshakes = handshakes;
    this.admitted = admitted;
    RANDOM.nextBytes(ownNonce);
  }

  @Override
  public void handlerAdded(ChannelHandlerContext context) {
    if (!connects) {
      handshakes.began(context.channel());
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) throws Exception {
    if (event instanceof SslHandshakeCompletionEvent completed && completed.isSuccess()) {
      secured = true;
      if (secret.isEmpty()) {
        admit(context);
      } else if (!connects) {
        context.writeAndFlush(
            Unpooled.buffer(CHALLENGE_BYTES)
                .writeInt(MAGIC)
                .writeByte(VERSION)
                .writeBytes(ownNonce));
      }
    }
    super.userEventTriggered(context, event);
  }

  @Override
  protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out) {
    if (over) {
      in.skipBytes(in.readableBytes());
    } else if (!secured) {
      if (tlsOnly) {
        refuse(context, in, "bytes before the handshake was done");
      } else {
        admit(context);
      }
    } else if (!connects) {
      accept(context, in);
    } else if (ends == null) {
      answer(context, in);
    } else {
      conclude(context, in);
    }
  }

  private void accept(ChannelHandlerContext context, ByteBuf in) {
    if (in.readableBytes() < Secret.NONCE_BYTES + Secret.PROOF_BYTES) {
      return;
    }
    byte[] nonce = read(in, Secret.NONCE_BYTES);
    byte[] proof = read(in, Secret.PROOF_BYTES);
    Secret known = secret.orElseThrow();
    Secret.Ends both = ends(context, nonce);
    if (!known.proves(proof, Secret.CONNECTING, both)) {
      over = true;
      in.skipBytes(in.readableBytes());
      log.warn(
          "peer={} was refused: its secret is not this cluster's (--cluster-secret-file)",
          context.channel().remoteAddress());
      context
          .writeAndFlush(Unpooled.buffer(1).writeByte(REFUSED))
          .addListener(ChannelFutureListener.CLOSE);
      return;
    }
    context.writeAndFlush(
        Unpooled.buffer(1 + Secret.PROOF_BYTES)
            .writeByte(PROVEN)
            .writeBytes(known.proof(Secret.ACCEPTING, both)));
    admit(context);
  }

  private void answer(ChannelHandlerContext context, ByteBuf in) {
    if (in.readableBytes() < CHALLENGE_BYTES) {
      return;
    }
    if (in.readInt() != MAGIC || in.readByte() != VERSION) {
      refuse(
          context,
          in,
          "the other end asks for no secret: one of the two has certificates instead, or another version");
      return;
    }
    ends = ends(context, read(in, Secret.NONCE_BYTES));
    context.writeAndFlush(
        Unpooled.buffer(Secret.NONCE_BYTES + Secret.PROOF_BYTES)
            .writeBytes(ownNonce)
            .writeBytes(secret.orElseThrow().proof(Secret.CONNECTING, ends)));
  }

  private void conclude(ChannelHandlerContext context, ByteBuf in) {
    if (in.getByte(in.readerIndex()) != PROVEN) {
      refuse(
          context,
          in,
          "the other end's secret is another one: give all nodes the same --cluster-secret-file");
    } else if (in.readableBytes() >= 1 + Secret.PROOF_BYTES) {
      in.skipBytes(1);
      if (secret.orElseThrow().proves(read(in, Secret.PROOF_BYTES), Secret.ACCEPTING, ends)) {
        admit(context);
      } else {
        refuse(context, in, "the other end did not prove that it has the cluster's secret");
      }
    }
  }

  private void admit(ChannelHandlerContext context) {
    over = true;
    handshakes.done(context.channel());
    admitted.run();
    context.pipeline().remove(this); // what is here is passed on
  }

  private void refuse(ChannelHandlerContext context, ByteBuf in, String why) {
    over = true;
    in.skipBytes(in.readableBytes());
    context.fireExceptionCaught(new SSLException(why));
    context.close();
  }

  private Secret.Ends ends(ChannelHandlerContext context, byte[] otherNonce) {
    SSLSession session = context.pipeline().get(SslHandler.class).engine().getSession();
    try {
      byte[] own = fingerprint(session.getLocalCertificates()[0]);
      byte[] other = fingerprint(session.getPeerCertificates()[0]);
      return connects
          ? new Secret.Ends(other, own, otherNonce, ownNonce)
          : new Secret.Ends(own, other, ownNonce, otherNonce);
    } catch (SSLPeerUnverifiedException e) {
      throw new IllegalStateException("a handshake of peers without a certificate", e);
    }
  }

  private static byte[] fingerprint(Certificate certificate) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(certificate.getEncoded());
    } catch (NoSuchAlgorithmException | CertificateEncodingException e) {
      throw new IllegalStateException(e);
    }
  }

  private static byte[] read(ByteBuf in, int length) {
    return ByteBufUtil.getBytes(in.readSlice(length));
  }
}
