// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools.bench;

import dev.cairn.client.Address;
import dev.cairn.client.Security;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;

/**
 * One client's connection to one server: requests to send, operations in the order in which their
 * replies will come, operations that wait until they can be sent. Opened again after a break with a
 * pause that doubles from 10 ms to 1 s, until a reply was received. Owned by the generator's
 * thread; bounded by what its client has in flight.
 */
final class Connection {
  private static final long PAUSE_NANOS_MIN = 10_000_000;
  private static final long PAUSE_NANOS_MAX = 1_000_000_000;

  /** Where its socket is. */
  enum State {
    CLOSED,
    CONNECTING,
    OPEN
  }

  final Address server;
  final ReplyScanner scanner = new ReplyScanner();

  /** Cannot be sent yet: no connection, or no room in its buffer. */
  final ArrayDeque<InFlight> waiting = new ArrayDeque<>();

  private final ByteBuffer out; // being filled
  private final InFlight[] inFlight; // a ring
  private int head;
  private int count;
  private State state = State.CLOSED;
  private final Security security;
  private SecureChannel channel;
  private boolean loggingIn; // the first reply is that of AUTH
  private SelectionKey key;
  private long openAtNanos;
  private long pauseNanos = PAUSE_NANOS_MIN;

  /** Whether it is in the list of those to flush. */
  boolean toFlush;

  Connection(Address server, int inFlightMax, int bufferBytes, Security security) {
    this.server = server;
    this.security = security;
    inFlight = new InFlight[inFlightMax];
    int login = security.login().map(bytes -> bytes.length).orElse(0);
    out = ByteBuffer.allocateDirect(bufferBytes + login);
  }

  State state() {
    return state;
  }

  boolean isOpen() {
    return state == State.OPEN;
  }

  /** Whether the pause after the last break is over. */
  boolean mayOpen(long nowNanos) {
    return state == State.CLOSED && nowNanos >= openAtNanos;
  }

  /** Begins to connect. */
  void open(Selector selector, long nowNanos) throws IOException {
    SocketChannel socket = SocketChannel.open();
    channel = new SecureChannel(socket, security.engine(server).orElse(null));
    socket.configureBlocking(false);
    socket.setOption(StandardSocketOptions.TCP_NODELAY, true);
    InetSocketAddress address = new InetSocketAddress(server.host(), server.port());
    if (address.isUnresolved()) {
      throw new UnknownHostException("no host named " + server.host());
    }
    state = State.CONNECTING;
    openAtNanos = nowNanos;
    key = socket.register(selector, SelectionKey.OP_CONNECT, this);
    socket.connect(address);
  }

  /** Since when it connects. */
  long connectingSinceNanos() {
    return openAtNanos;
  }

  /** The socket can say whether it is connected. */
  void finishConnect() throws IOException {
    channel.channel().finishConnect();
    state = State.OPEN;
    scanner.reset();
    loggingIn = security.login().isPresent();
    security.login().ifPresent(out::put);
    key.interestOps(SelectionKey.OP_READ);
  }

  /** It was closed, broke, or could not be opened: it may be opened again after a pause. */
  void close(long nowNanos) {
    if (channel != null) {
      try {
        channel.channel().close();
      } catch (IOException closedAnyway) {
        // Nothing is lost that was not lost before.
      }
    }
    state = State.CLOSED;
    out.clear();
    openAtNanos = nowNanos + pauseNanos;
    pauseNanos = Math.min(PAUSE_NANOS_MAX, pauseNanos * 2);
  }

  /** A reply came: the next break is a new one. */
  void works() {
    pauseNanos = PAUSE_NANOS_MIN;
  }

  /** Puts the operation's request into the buffer; false if there is no room. */
  boolean offer(InFlight operation, Requests requests) {
    if (count == inFlight.length || !requests.write(operation, out)) {
      return false;
    }
    inFlight[(head + count++) % inFlight.length] = operation;
    return true;
  }

  /** The operation whose reply comes next; null if none is awaited. */
  InFlight awaiting() {
    return count == 0 ? null : inFlight[head];
  }

  /** Takes the operation whose reply comes next, if there is one. */
  InFlight poll() {
    if (count == 0) {
      return null;
    }
    InFlight operation = inFlight[head];
    inFlight[head] = null;
    head = (head + 1) % inFlight.length;
    count--;
    return operation;
  }

  /** Sends what the socket takes, and asks to be told when it takes more. */
  void flush() throws IOException {
    out.flip();
    channel.write(out);
    out.compact();
    int wanted =
        out.position() > 0 || channel.wantsToWrite()
            ? SelectionKey.OP_READ | SelectionKey.OP_WRITE
            : SelectionKey.OP_READ;
    if (key.interestOps() != wanted) {
      key.interestOps(wanted);
    }
  }

  int read(ByteBuffer in) throws IOException {
    int length = channel.read(in);
    if (security.isTls() && length >= 0) {
      flush(); // the handshake's next step, or what waited for its end
    }
    return length;
  }

  /** Whether another {@link #read} finds bytes at once. */
  boolean hasMore() {
    return channel.hasMore();
  }

  /** Whether the next reply to an operation is complete in the scanner. */
  boolean next(ByteBuffer in) throws MalformedReplyException {
    boolean complete = scanner.next(in);
    if (complete && loggingIn) {
      if (scanner.isError()) {
        throw new MalformedReplyException("the login was refused: " + scanner.errorLine());
      }
      loggingIn = false;
      return scanner.next(in);
    }
    return complete;
  }
}
