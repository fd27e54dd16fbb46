// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools.bench;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;

/**
 * A socket that does not block, with TLS over it or without. Owned by the generator's thread, which
 * also does what the handshake costs.
 */
final class SecureChannel {
  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

  private final SocketChannel channel;
  private final SSLEngine engine; // null: in the clear
  private ByteBuffer arrived; // encrypted, being filled
  private ByteBuffer leaving; // encrypted, being filled
  private boolean more; // arrived holds what had no room

  SecureChannel(SocketChannel channel, SSLEngine engine) {
    this.channel = channel;
    this.engine = engine;
    if (engine != null) {
      int bytes = engine.getSession().getPacketBufferSize();
      arrived = ByteBuffer.allocate(2 * bytes);
      leaving = ByteBuffer.allocate(2 * bytes);
    }
  }

  SocketChannel channel() {
    return channel;
  }

  /** Whether bytes wait for the socket, beside those that {@link #write} left. */
  boolean wantsToWrite() {
    return engine != null && leaving.position() > 0;
  }

  /** Whether another {@link #read} would find bytes without the socket. */
  boolean hasMore() {
    return more;
  }

  /** Writes as much as the socket takes. */
  void write(ByteBuffer plain) throws IOException {
    if (engine == null) {
      channel.write(plain);
      return;
    }
    while (send() && (plain.hasRemaining() || wraps())) {
      SSLEngineResult result = engine.wrap(plain, leaving);
      runTasks();
      if (result.getStatus() == SSLEngineResult.Status.CLOSED) {
        throw new IOException("the connection's TLS has ended");
      }
      if (result.bytesProduced() == 0 && result.bytesConsumed() == 0 && !wraps()) {
        return; // the other end's turn
      }
    }
  }

  /** Reads what is there; -1 at the end. */
  int read(ByteBuffer plain) throws IOException {
    if (engine == null) {
      return channel.read(plain);
    }
    boolean ended = channel.read(arrived) < 0;
    int before = plain.position();
    more = false;
    while (true) {
      arrived.flip();
      SSLEngineResult result = engine.unwrap(arrived, plain);
      arrived.compact();
      runTasks();
      if (wraps()) {
        write(NOTHING);
      }
      if (result.getStatus() == SSLEngineResult.Status.BUFFER_OVERFLOW) {
        more = true;
        break;
      }
      boolean nothing = result.bytesConsumed() == 0 && result.bytesProduced() == 0;
      if (result.getStatus() != SSLEngineResult.Status.OK || nothing) {
        ended |= result.getStatus() == SSLEngineResult.Status.CLOSED;
        break;
      }
    }
    int length = plain.position() - before;
    return length == 0 && ended ? -1 : length;
  }

  /** Whether all that was encrypted has left. */
  private boolean send() throws IOException {
    leaving.flip();
    channel.write(leaving);
    leaving.compact();
    return leaving.position() == 0;
  }

  private boolean wraps() {
    return engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP;
  }

  private void runTasks() {
    while (engine.getHandshakeStatus() == HandshakeStatus.NEED_TASK) {
      engine.getDelegatedTask().run();
    }
  }
}
