// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.peer;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.CorruptedFrameException;
import java.nio.charset.StandardCharsets;

/**
 * Who is at an end of a connection: one run of a node.
 *
 * <pre>
 *   run ::= length:1 nodeId:utf8 start:8 length:1 startId:utf8
 * </pre>
 *
 * @param nodeId the node's id
 * @param start the number of its start, counted from 1; 0 when that could not be written down
 * @param startId the random id of that start; two processes with one folder have two
 */
public record PeerRun(String nodeId, long start, String startId) {
  private static final int ID_BYTES_MAX = 64;

  public PeerRun {
    if (bytes(nodeId).length > ID_BYTES_MAX || bytes(startId).length > ID_BYTES_MAX) {
      throw new IllegalArgumentException("an id of a node or a start is too long");
    }
  }

  void writeTo(ByteBuf out) {
    write(out, nodeId);
    out.writeLong(start);
    write(out, startId);
  }

  static PeerRun readFrom(ByteBuf in) {
    try {
      return new PeerRun(read(in), in.readLong(), read(in));
    } catch (IndexOutOfBoundsException | IllegalArgumentException e) {
      throw new CorruptedFrameException("a greeting that names no run of a node", e);
    }
  }

  private static void write(ByteBuf out, String text) {
    byte[] bytes = bytes(text);
    out.writeByte(bytes.length).writeBytes(bytes);
  }

  private static String read(ByteBuf in) {
    return in.readCharSequence(in.readUnsignedByte(), StandardCharsets.UTF_8).toString();
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
