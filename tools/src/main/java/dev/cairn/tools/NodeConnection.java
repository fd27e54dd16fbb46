// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import dev.cairn.client.Address;
import dev.cairn.client.Security;
import dev.cairn.protocol.RespProtocolException;
import dev.cairn.protocol.RespReader;
import dev.cairn.protocol.RespValue;
import dev.cairn.protocol.RespWriter;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * One connection to one node, one request at a time: for commands whose state belongs to a
 * connection, such as MULTI. RESP3. Owned by one thread; interrupting that ends the connection.
 */
final class NodeConnection implements AutoCloseable {
  private static final int BUFFER_BYTES = 64 * 1024;

  private final Address node;
  private final SocketChannel channel;
  private Socket socket; // of the channel, or TLS over it
  private final RespReader reader = new RespReader();
  private final byte[] buffer = new byte[BUFFER_BYTES];

  private NodeConnection(Address node, SocketChannel channel) {
    this.node = node;
    this.channel = channel;
    this.socket = channel.socket();
  }

  /** Connects, greets, and asks the node to tell of replicas; each within the time given. */
  static NodeConnection open(Address node, Duration timeout, Security security) throws IOException {
    SocketChannel channel = SocketChannel.open();
    NodeConnection connection = new NodeConnection(node, channel);
    try {
      channel
          .socket()
          .connect(
              new InetSocketAddress(node.host(), node.port()),
              (int) Math.min(Integer.MAX_VALUE, timeout.toMillis()));
      channel.socket().setTcpNoDelay(true);
      channel.socket().setSoTimeout((int) Math.min(Integer.MAX_VALUE, timeout.toMillis()));
      connection.socket = security.secure(channel.socket(), node);
      RespValue greeted = connection.exchange(security.greeting(), timeout);
      if (greeted instanceof RespValue.ErrorReply refused) {
        throw new IOException("it refused the greeting: " + refused.text());
      }
      connection.exchange(List.of(bytes("CAIRN"), bytes("REPLICAS"), bytes("ON")), timeout);
      return connection;
    } catch (IOException | RuntimeException failed) {
      connection.close();
      throw failed;
    }
  }

  Address node() {
    return node;
  }

  /** Sends a command; its reply, with its attribute if it has one. */
  RespValue exchange(List<byte[]> words, Duration patience) throws IOException {
    return exchange(RespWriter.command(words.toArray(new byte[0][])), patience);
  }

  private RespValue exchange(byte[] request, Duration patience) throws IOException {
    socket.getOutputStream().write(request);
    long deadlineNanos = System.nanoTime() + patience.toNanos();
    InputStream in = socket.getInputStream();
    try {
      while (true) {
        Optional<RespValue> reply = reader.next();
        if (reply.isPresent() && !(reply.get() instanceof RespValue.Push)) {
          return reply.get();
        }
        if (reply.isEmpty()) {
          read(in, deadlineNanos);
        }
      }
    } catch (RespProtocolException malformed) {
      throw new IOException("it sent what is no reply", malformed);
    }
  }

  private void read(InputStream in, long deadlineNanos) throws IOException {
    long millis = (deadlineNanos - System.nanoTime()) / 1_000_000;
    if (millis <= 0) {
      throw new SocketTimeoutException("it gave no answer in time");
    }
    socket.setSoTimeout((int) Math.min(Integer.MAX_VALUE, millis));
    int length;
    try {
      length = in.read(buffer);
    } catch (SocketTimeoutException late) {
      throw new SocketTimeoutException("it gave no answer in time");
    }
    if (length < 0) {
      throw new IOException("it closed the connection");
    }
    reader.feed(buffer, 0, length);
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException gone) {
      // It is not used any more.
    }
  }

  static byte[] bytes(String word) {
    return word.getBytes(java.nio.charset.StandardCharsets.UTF_8);
  }
}
