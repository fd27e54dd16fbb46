// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.network;

import dev.cairn.testkit.network.PeerNetwork.Door;
import dev.cairn.testkit.network.PeerNetwork.Link;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.Channel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;

/** One connection through a {@link PeerNetwork}: two sockets, and the bytes between them. */
final class Pipe {
  /** Read ahead of what was passed on, a direction; past it the sender's socket fills. */
  private static final int WAITING_BYTES_MAX = 4 << 20;

  private static final int CHUNK_BYTES = 64 * 1024;

  private final PeerNetwork network;
  private final Direction forth;
  private final Direction back;
  private boolean ended;

  private record Chunk(ByteBuffer bytes, long readNanos) {}

  /** Connects to the node behind a door; null, and the client is told, when that refuses. */
  static Pipe open(PeerNetwork network, SocketChannel accepted, int sender, Door door)
      throws IOException {
    SocketChannel target = SocketChannel.open();
    try {
      target.connect(door.target());
      for (SocketChannel channel : new SocketChannel[] {accepted, target}) {
        channel.configureBlocking(false);
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      }
    } catch (IOException refused) {
      closeHard(accepted);
      close(target);
      return null;
    }
    Pipe pipe = new Pipe(network, accepted, target, sender, door.node());
    network.opened(pipe);
    return pipe;
  }

  private Pipe(PeerNetwork network, SocketChannel sender, SocketChannel target, int from, int to) {
    this.network = network;
    forth = new Direction(sender, target, from, to);
    back = new Direction(target, sender, to, from);
  }

  void register(Selector selector) throws IOException {
    forth.source.register(selector, SelectionKey.OP_READ, this);
    back.source.register(selector, SelectionKey.OP_READ, this);
  }

  boolean isCut() {
    return forth.link() instanceof Link.Cut
        || back.link() instanceof Link.Cut
        || network.isBlocked(forth.from, forth.to);
  }

  void ready(SelectionKey key) {
    Direction reading = key.channel() == forth.source ? forth : back;
    Direction writing = reading == forth ? back : forth;
    try {
      if (key.isReadable()) {
        reading.read();
      }
      if (key.isValid() && key.isWritable()) {
        writing.write();
      }
      tick();
    } catch (IOException | java.nio.channels.CancelledKeyException broken) {
      reset();
    }
  }

  /** Passes on what is due. */
  void tick() {
    if (ended) {
      return;
    }
    try {
      forth.write();
      back.write();
      if (forth.finished() || back.finished()) {
        end(false);
        return;
      }
      interest(forth, back);
      interest(back, forth);
    } catch (IOException | java.nio.channels.CancelledKeyException broken) {
      reset();
    }
  }

  /** The key of a socket serves reading of one direction and writing of the other. */
  private void interest(Direction reading, Direction writing) {
    SelectionKey key = reading.source.keyFor(network.selector());
    if (key != null) {
      key.interestOps(
          (reading.mayRead() ? SelectionKey.OP_READ : 0)
              | (writing.blocked ? SelectionKey.OP_WRITE : 0));
    }
  }

  /** Both ends see a broken connection. */
  void reset() {
    end(true);
  }

  private void end(boolean hard) {
    if (!ended) {
      ended = true;
      if (hard) {
        closeHard(forth.source);
        closeHard(back.source);
      } else {
        close(forth.source);
        close(back.source);
      }
      network.ended(this);
    }
  }

  private static void closeHard(SocketChannel channel) {
    try {
      channel.setOption(StandardSocketOptions.SO_LINGER, 0);
    } catch (IOException alreadyClosed) {
      // It is closed below.
    }
    close(channel);
  }

  static void close(Channel channel) {
    try {
      channel.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** One way through it. */
  private final class Direction {
    private final SocketChannel source;
    private final SocketChannel sink;
    private final int from;
    private final int to;
    private final ArrayDeque<Chunk> waiting = new ArrayDeque<>();
    private int waitingBytes;
    private boolean sourceEnded;
    private boolean blocked; // the sink takes nothing more just now

    Direction(SocketChannel source, SocketChannel sink, int from, int to) {
      this.source = source;
      this.sink = sink;
      this.from = from;
      this.to = to;
    }

    Link link() {
      return from < 0 || to < 0 ? Link.PASS : network.link(from, to);
    }

    boolean mayRead() {
      return !sourceEnded && waitingBytes < WAITING_BYTES_MAX;
    }

    void read() throws IOException {
      while (mayRead()) {
        ByteBuffer bytes = ByteBuffer.allocate(CHUNK_BYTES);
        int count = source.read(bytes);
        if (count < 0) {
          sourceEnded = true;
        }
        if (count <= 0) {
          return;
        }
        network.heard(from, to, bytes.flip());
        waiting.add(new Chunk(bytes, System.nanoTime()));
        waitingBytes += count;
      }
    }

    void write() throws IOException {
      blocked = false;
      while (!waiting.isEmpty() && isDue(waiting.peek())) {
        ByteBuffer bytes = waiting.peek().bytes();
        int count = sink.write(bytes);
        waitingBytes -= count;
        network.passed(count);
        if (bytes.hasRemaining()) {
          blocked = true;
          return;
        }
        waiting.remove();
      }
    }

    private boolean isDue(Chunk chunk) {
      return link() instanceof Link.Delay delay
          && System.nanoTime() - chunk.readNanos() >= delay.nanos();
    }

    /** A held end of a connection is held too: the other side hears of it later. */
    boolean finished() {
      return sourceEnded && waiting.isEmpty() && !(link() instanceof Link.Hold);
    }
  }
}
