// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import dev.cairn.client.Address;
import dev.cairn.client.Security;
import dev.cairn.protocol.RespReader;
import dev.cairn.protocol.RespValue;
import dev.cairn.protocol.RespWriter;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;

/**
 * One plain connection to a node, which says exactly what the test says. Not thread-safe. After an
 * {@link IOException} nothing is known of what was asked.
 */
public final class RespConnection implements AutoCloseable {
  private Socket socket = new Socket();
  private final RespReader reader = new RespReader();
  private final byte[] buffer = new byte[64 * 1024];

  private RespConnection() {}

  /**
   * Connects to a port of this machine.
   *
   * @param timeout for connecting, and for each answer
   */
  public static RespConnection to(int port, Duration timeout) throws IOException {
    return to(InetAddress.getLoopbackAddress().getHostAddress(), port, timeout);
  }

  /** As {@link #to(int, Duration)}, at another address. */
  public static RespConnection to(String host, int port, Duration timeout) throws IOException {
    return to(host, port, timeout, Security.NONE);
  }

  /**
   * As {@link #to(String, int, Duration)}, over TLS and as a user if that is said.
   *
   * @throws IOException also when the login is refused, with what the node said
   */
  public static RespConnection to(String host, int port, Duration timeout, Security as)
      throws IOException {
    RespConnection connection = new RespConnection();
    try {
      connection.socket.setTcpNoDelay(true);
      connection.socket.connect(new InetSocketAddress(host, port), (int) timeout.toMillis());
      connection.socket.setSoTimeout((int) timeout.toMillis());
      connection.socket = as.secure(connection.socket, new Address(host, port));
      connection.socket.setSoTimeout((int) timeout.toMillis());
      connection.logIn(as);
      return connection;
    } catch (IOException e) {
      connection.close();
      throw e;
    }
  }

  private void logIn(Security as) throws IOException {
    Optional<byte[]> login = as.login();
    if (login.isPresent()) {
      send(login.get());
      RespValue reply = read();
      if (reply instanceof RespValue.ErrorReply refused) {
        throw new IOException(refused.text());
      }
    }
  }

  /** Sends a command and waits for its answer. */
  public RespValue call(String... words) throws IOException {
    send(RespWriter.command(words));
    return read();
  }

  /** Sends a command and waits for its answer. */
  public RespValue call(byte[]... words) throws IOException {
    send(RespWriter.command(words));
    return read();
  }

  /** Sends bytes as they are. */
  public void send(byte[] bytes) throws IOException {
    socket.getOutputStream().write(bytes);
    socket.getOutputStream().flush();
  }

  /** Sends text as it is. */
  public void send(String text) throws IOException {
    send(text.getBytes(StandardCharsets.UTF_8));
  }

  /**
   * The next answer.
   *
   * @throws EOFException when the node closed the connection
   */
  public RespValue read() throws IOException {
    while (true) {
      Optional<RespValue> value = reader.next();
      if (value.isPresent()) {
        return value.get();
      }
      int count = socket.getInputStream().read(buffer);
      if (count < 0) {
        throw new EOFException("the node closed the connection");
      }
      reader.feed(buffer, 0, count);
    }
  }

  /**
   * Every byte that still comes until the node closes the connection.
   *
   * @param sayEnd whether to tell the node that nothing more is asked
   * @throws SocketTimeoutException if it goes on for too long
   */
  public byte[] readToEnd(boolean sayEnd) throws IOException {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    try {
      if (sayEnd) {
        socket.shutdownOutput();
      }
      for (int count = 0; count >= 0; count = socket.getInputStream().read(buffer)) {
        all.write(buffer, 0, count);
      }
    } catch (SocketTimeoutException e) {
      throw e;
    } catch (SocketException reset) {
      // Closed with bytes of ours unread: the end too.
    }
    return all.toByteArray();
  }

  /** Text of a bulk or simple string, the number, {@code (nil)}, or the error with a dash. */
  public static String text(RespValue value) {
    if (value instanceof RespValue.Bulk bulk) {
      return new String(bulk.bytes(), StandardCharsets.UTF_8);
    } else if (value instanceof RespValue.SimpleString simple) {
      return simple.text();
    } else if (value instanceof RespValue.Int number) {
      return Long.toString(number.value());
    } else if (value instanceof RespValue.ErrorReply error) {
      return "-" + error.text();
    }
    return value instanceof RespValue.Nil ? "(nil)" : value.toString();
  }

  /** The socket, for a client that behaves badly. */
  Socket socket() {
    return socket;
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
