// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.peer;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.codec.CorruptedFrameException;
import java.util.List;

/**
 * One message on a connection between nodes.
 *
 * <pre>
 *   connection ::= greeting frame*             each way; the node that connected greets first
 *   greeting   ::= magic:4 version:2 traffic:1 length:1 run     magic is "CRNP"; length is the run's
 *                | "CRNT" version:2 127      only TLS is taken here; the connection ends
 *   run        ::= who greets ({@link PeerRun})
 *   traffic    ::= 0 CONTROL | 1 DATA | 2 BULK | 127: whoever was connected to answers
 *                | 126: so it does, and it knows a later start of the node that connected
 *   frame      ::= length:4 type:1 kind:1 stream:2 id:4 body
 *   type       ::= 1 request | 2 answer | 3 no answer (the body says why, in UTF-8)
 *                | 4 word: nobody answers it
 * </pre>
 *
 * <p>{@code length} counts what follows it. An answer carries its request's kind, stream and id.
 *
 * @param stream requests and answers of one stream are dealt with in the order of their arrival
 */
record Frame(byte type, byte kind, short stream, int id, byte[] body) {
  static final int MAGIC = 0x43524E50;

  /** In the place of a greeting's: who connected speaks no TLS, and nothing else is taken. */
  static final int TLS_ONLY = 0x43524E54;

  static final short VERSION = 2;

  /** The part of a greeting that is the same in every version. */
  private static final int GREETING_HEAD_BYTES = 7;

  static final byte REQUEST = 1;
  static final byte ANSWER = 2;
  static final byte NO_ANSWER = 3;
  static final byte WORD = 4;

  /** Of a whole frame: the largest value fits twice. */
  static final int BYTES_MAX = 40 << 20;

  private static final int HEAD_BYTES = 8;

  /** From this size on a body is written from where it is, rather than copied beside others. */
  private static final int COPIED_BYTES_MAX = 8 << 10;

  /** An answer's greeting: no node takes its own for a peer's, should it be connected to itself. */
  static final byte ANSWERS = 127;

  /** As {@link #ANSWERS}, to a node of which a later start is known. */
  static final byte ANSWERS_SUPERSEDED = 126;

  /** What a peer is told that speaks no TLS; as long as the head of a greeting. */
  static ByteBuf tlsOnly() {
    return Unpooled.buffer().writeInt(TLS_ONLY).writeShort(VERSION).writeByte(ANSWERS);
  }

  static ByteBuf greeting(byte traffic, PeerRun self) {
    ByteBuf run = Unpooled.buffer();
    self.writeTo(run);
    return Unpooled.buffer()
        .writeInt(MAGIC)
        .writeShort(VERSION)
        .writeByte(traffic)
        .writeByte(run.readableBytes())
        .writeBytes(run);
  }

  int bytes() {
    return 4 + HEAD_BYTES + body.length;
  }

  boolean isSmall() {
    return body.length <= COPIED_BYTES_MAX;
  }

  void writeTo(ByteBuf out) {
    writeHead(out);
    out.writeBytes(body);
  }

  /** The frame without a copy of its body. */
  ByteBuf wrapped(ByteBufAllocator allocator) {
    ByteBuf head = allocator.buffer(4 + HEAD_BYTES);
    writeHead(head);
    return Unpooled.wrappedBuffer(head, Unpooled.wrappedBuffer(body));
  }

  private void writeHead(ByteBuf out) {
    out.writeInt(HEAD_BYTES + body.length);
    out.writeByte(type).writeByte(kind).writeShort(stream).writeInt(id);
  }

  /** Cuts what arrives into a greeting (passed on as its {@link ByteBuf}) and frames. */
  static final class Decoder extends ByteToMessageDecoder {
    private boolean greeted;

    @Override
    protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out) {
      if (!greeted) {
        int length = greetingBytes(in);
        if (in.readableBytes() >= length) {
          greeted = true;
          out.add(in.readRetainedSlice(length));
        }
        return;
      }
      if (in.readableBytes() < 4) {
        return;
      }
      int length = in.getInt(in.readerIndex());
      if (length < HEAD_BYTES || length > BYTES_MAX) {
        throw new CorruptedFrameException("a frame that claims " + length + " bytes");
      }
      if (in.readableBytes() < 4 + length) {
        return;
      }
      in.skipBytes(4);
      byte type = in.readByte();
      byte kind = in.readByte();
      short stream = in.readShort();
      int id = in.readInt();
      byte[] body = new byte[length - HEAD_BYTES];
      in.readBytes(body);
      out.add(new Frame(type, kind, stream, id, body));
    }

    /** Of another version only the head is read: it says which version that is. */
    private static int greetingBytes(ByteBuf in) {
      int from = in.readerIndex();
      if (in.readableBytes() < GREETING_HEAD_BYTES
          || in.getInt(from) != MAGIC
          || in.getShort(from + Integer.BYTES) != VERSION) {
        return GREETING_HEAD_BYTES;
      }
      return in.readableBytes() == GREETING_HEAD_BYTES
          ? GREETING_HEAD_BYTES + 1
          : GREETING_HEAD_BYTES + 1 + in.getUnsignedByte(from + GREETING_HEAD_BYTES);
    }
  }
}
