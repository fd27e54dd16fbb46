// SPDX-License-Identifier: Apache-2.0
package dev.cairn.client;

import dev.cairn.protocol.RespProtocolException;
import dev.cairn.protocol.RespReader;
import dev.cairn.protocol.RespValue;
import dev.cairn.protocol.RespWriter;
import java.io.BufferedOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * One pipelined RESP3 connection that many calls share. Replies come in the order of requests.
 *
 * <p>Two threads: the reader connects, greets and then reads replies; the writer writes what is
 * queued, as much as there is in one flush. Callers only queue and never block on the network.
 *
 * <p>Invariants:
 *
 * <ol>
 *   <li>No request is written before the node has answered the greeting. So a process that is
 *       stopped, whose kernel still accepts connections, never receives a write: its calls go
 *       elsewhere and their outcome is certain.
 *   <li>{@code inFlight} holds what was written, in the order in which it was written.
 *   <li>A retired connection takes no new request, and ends when what is in flight has ended.
 *   <li>Once closed, every attempt that it took has ended.
 * </ol>
 */
final class Connection {
  private static final int BUFFER_BYTES = 64 * 1024;
  private static final int BATCH_MAX = 256;

  private enum State {
    CONNECTING,
    OPEN,
    RETIRED,
    CLOSED
  }

  private final Address address;
  private final Settings settings;
  private final Consumer<Connection> onUnusable;
  private final Socket socket = new Socket(); // what the network knows
  private Socket secured = socket; // the reader's, then the writer's too
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition work = lock.newCondition();
  private final ArrayDeque<Attempt> queued = new ArrayDeque<>(); // guarded by lock
  private final ArrayDeque<Attempt> inFlight = new ArrayDeque<>(); // guarded by lock
  private State state = State.CONNECTING; // guarded by lock
  private volatile long receivedNanos;
  private volatile boolean received;

  /**
   * A connection that begins to connect when started.
   *
   * @param onUnusable told once, when this takes no more requests
   */
  Connection(Address address, Settings settings, Consumer<Connection> onUnusable) {
    this.address = address;
    this.settings = settings;
    this.onUnusable = onUnusable;
  }

  void start() {
    thread("read", this::connectAndRead).start();
  }

  /** Queues an attempt; false, and the attempt untouched, when this takes no more. */
  boolean submit(Attempt attempt) {
    lock.lock();
    try {
      if (state == State.RETIRED || state == State.CLOSED) {
        return false;
      }
      queued.add(attempt);
      work.signal();
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** Retires this if nothing at all came since the given moment: the node may hang. */
  boolean retireIfSilentSince(long nanos) {
    if (received && receivedNanos - nanos > 0) {
      return false;
    }
    List<Attempt> unsent = new ArrayList<>();
    boolean idle;
    lock.lock();
    try {
      if (state == State.CLOSED) {
        return false;
      }
      state = State.RETIRED;
      unsent.addAll(queued);
      queued.clear();
      idle = inFlight.isEmpty();
    } finally {
      lock.unlock();
    }
    onUnusable.accept(this);
    IOException silent = new IOException("no answer from " + address);
    unsent.forEach(attempt -> attempt.cut(silent));
    if (idle) {
      close(silent);
    }
    return true;
  }

  /** Ends the connection and every attempt that it holds. */
  void close(IOException cause) {
    List<Attempt> ended = new ArrayList<>();
    lock.lock();
    try {
      if (state == State.CLOSED) {
        return;
      }
      state = State.CLOSED;
      ended.addAll(inFlight);
      ended.addAll(queued);
      inFlight.clear();
      queued.clear();
      work.signalAll();
    } finally {
      lock.unlock();
    }
    try {
      socket.close();
    } catch (IOException nothingLeftToClose) {
      // The attempts below carry the cause that matters.
    }
    onUnusable.accept(this);
    ended.forEach(attempt -> attempt.cut(cause));
  }

  Address address() {
    return address;
  }

  private void connectAndRead() {
    IOException cause = new EOFException(address + " closed the connection");
    try {
      connect();
      RespReader replies = greet();
      socket.setSoTimeout(0);
      if (open()) {
        read(replies);
      }
    } catch (IOException failure) {
      cause = failure;
    } catch (RespProtocolException | UncheckedIOException failure) {
      cause = new IOException(address + " does not speak RESP3: " + failure.getMessage(), failure);
    } finally {
      close(cause);
    }
  }

  private void connect() throws IOException {
    int timeoutMillis = Math.toIntExact(Math.max(1, settings.connectTimeout().toMillis()));
    socket.setTcpNoDelay(true);
    socket.setKeepAlive(true);
    socket.connect(new InetSocketAddress(address.host(), address.port()), timeoutMillis);
    if (socket.getLocalSocketAddress().equals(socket.getRemoteSocketAddress())) {
      // Connecting to a free port of the ephemeral range can meet itself.
      throw new IOException("nobody listens on " + address);
    }
    socket.setSoTimeout(timeoutMillis);
    secured = settings.security().secure(socket, address);
  }

  private RespReader greet() throws IOException {
    OutputStream out = secured.getOutputStream();
    out.write(settings.security().greeting());
    int replies = 1;
    if (settings.replicaStates()) {
      out.write(RespWriter.command("CAIRN", "REPLICAS", "ON"));
      replies = 2;
    }
    RespReader reader = new RespReader();
    byte[] buffer = new byte[BUFFER_BYTES];
    while (replies > 0) {
      Optional<RespValue> reply = reader.next();
      if (reply.isEmpty()) {
        fill(reader, buffer);
      } else if (reply.get() instanceof RespValue.ErrorReply error) {
        throw new IOException(address + " refused the greeting: " + error.text());
      } else if (!(reply.get() instanceof RespValue.Push)) {
        replies--;
      }
    }
    return reader;
  }

  private boolean open() {
    lock.lock();
    try {
      if (state != State.CONNECTING) {
        return false;
      }
      state = State.OPEN;
    } finally {
      lock.unlock();
    }
    thread("write", this::write).start();
    return true;
  }

  private void read(RespReader replies) throws IOException {
    byte[] buffer = new byte[BUFFER_BYTES];
    while (true) {
      Optional<RespValue> reply = replies.next();
      if (reply.isEmpty()) {
        fill(replies, buffer);
      } else if (!(reply.get() instanceof RespValue.Push) && !answer(reply.get())) {
        return;
      }
    }
  }

  private void fill(RespReader reader, byte[] buffer) throws IOException {
    InputStream in = secured.getInputStream();
    int length = in.read(buffer);
    if (length < 0) {
      throw new EOFException(address + " closed the connection");
    }
    receivedNanos = System.nanoTime();
    received = true;
    reader.feed(buffer, 0, length);
  }

  /** Ends the oldest attempt in flight; false when this was a retired connection's last. */
  private boolean answer(RespValue reply) throws IOException {
    Attempt attempt;
    boolean last;
    lock.lock();
    try {
      attempt = inFlight.poll();
      last = state == State.RETIRED && inFlight.isEmpty();
    } finally {
      lock.unlock();
    }
    if (attempt == null) {
      throw new IOException(address + " answered what nobody asked");
    }
    attempt.reply(reply);
    return !last;
  }

  private void write() {
    IOException cause = new IOException("writing to " + address + " failed");
    try {
      OutputStream out = new BufferedOutputStream(secured.getOutputStream(), BUFFER_BYTES);
      RespWriter writer = new RespWriter(out);
      List<Attempt> batch = new ArrayList<>(BATCH_MAX);
      while (take(batch)) {
        for (Attempt attempt : batch) {
          writer.writeCommand(attempt.arguments());
        }
        batch.clear();
        out.flush();
      }
      // The reader ends the connection: there may be replies to come.
      return;
    } catch (UncheckedIOException failure) {
      cause = failure.getCause();
    } catch (IOException failure) {
      cause = failure;
    }
    close(cause);
  }

  /** Waits for work and moves it to in flight; false when there will be none. */
  private boolean take(List<Attempt> batch) {
    lock.lock();
    try {
      while (batch.isEmpty()) {
        while (queued.isEmpty() && state == State.OPEN) {
          work.awaitUninterruptibly();
        }
        if (state == State.CLOSED || queued.isEmpty()) {
          return false;
        }
        while (!queued.isEmpty() && batch.size() < BATCH_MAX) {
          Attempt attempt = queued.poll();
          if (attempt.take()) {
            batch.add(attempt);
            inFlight.add(attempt);
          }
        }
      }
      return true;
    } finally {
      lock.unlock();
    }
  }

  private Thread thread(String role, Runnable body) {
    Thread thread = new Thread(body, "cairn-client-" + role + "-" + address);
    thread.setDaemon(true);
    return thread;
  }
}
