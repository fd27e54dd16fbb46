// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.network;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * The network between the nodes of one machine, with faults.
 *
 * <p>Each node listens on 127.0.0.1 and is announced under a loopback address of its own, where
 * this process listens instead and passes every byte on. Who opened a connection is looked up once
 * ({@link Sockets}); from then on each direction of it obeys the {@link Link} between the two
 * nodes. What clients send is passed on as it is.
 *
 * <p>TCP is cut as TCP is: bytes that were on their way when a link was held arrive late, when it
 * passes again. A node's address refuses connections while the node itself does, and while it is
 * blocked: then nobody can open a connection to it, and it can to others.
 *
 * <p>One thread does all of it; links may be set from any. Needs Linux, and no rights.
 */
public final class PeerNetwork implements AutoCloseable {
  private static final long PROBE_NANOS = TimeUnit.MILLISECONDS.toNanos(20);
  private static final long TICK_MILLIS = 20;

  /** What happens to bytes from one node to another. */
  public sealed interface Link {
    /** They pass. */
    Link PASS = new Delay(0);

    /** They wait until the link passes again, as when packets are dropped and sent again. */
    Link HOLD = new Hold();

    /** Connections are reset, and new ones too. */
    Link CUT = new Cut();

    /** Each is this late. */
    record Delay(long nanos) implements Link {}

    /** {@link #HOLD}. */
    record Hold() implements Link {}

    /** {@link #CUT}. */
    record Cut() implements Link {}
  }

  private final Selector selector;
  private final Link[][] links; // [from][to]; guarded by this, read as volatile through link()
  private final Set<Integer> blocked = ConcurrentHashMap.newKeySet(); // nodes
  private final Supplier<List<Long>> pids;
  private final List<Front> fronts = new ArrayList<>(); // filled before the thread starts
  private final Set<Pipe> pipes = new HashSet<>(); // of the thread
  private final AtomicLong bytes = new AtomicLong();
  private final Thread thread;
  private volatile boolean linksChanged;
  private volatile Consumer<byte[]> tap = bytes -> {};
  private volatile boolean closed;

  /**
   * A door to a node.
   *
   * @param node its index
   * @param address where others are told to find it
   * @param target where it listens
   * @param peers whether other nodes come through here, not clients
   */
  public record Door(
      int node, InetSocketAddress address, InetSocketAddress target, boolean peers) {}

  /**
   * Opens the doors; each node's follow by themselves whether it listens.
   *
   * @param pids the process of each node, by index; asked for whenever a connection is opened
   */
  public PeerNetwork(int nodes, List<Door> doors, Supplier<List<Long>> pids) {
    this.pids = pids;
    links = new Link[nodes][nodes];
    for (Link[] row : links) {
      Arrays.fill(row, Link.PASS);
    }
    try {
      selector = Selector.open();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    doors.forEach(door -> fronts.add(new Front(door)));
    thread = new Thread(this::run, "peer-network");
    thread.setDaemon(true);
    thread.start();
  }

  /** What happens from now on to bytes from one node to another. */
  public void set(int from, int to, Link link) {
    synchronized (this) {
      links[from][to] = link;
    }
    linksChanged = true;
    selector.wakeup();
  }

  /** As {@link #set}, in both directions. */
  public void setBoth(int one, int other, Link link) {
    set(one, other, link);
    set(other, one, link);
  }

  /** Ends all connections that others have opened to a node, and refuses new ones. */
  public void block(int node) {
    blocked.add(node);
    linksChanged = true;
    selector.wakeup();
  }

  boolean isBlocked(int from, int to) {
    return from >= 0 && from != to && blocked.contains(to);
  }

  /** All links pass, and nobody is blocked. */
  public void heal() {
    blocked.clear();
    for (int from = 0; from < links.length; from++) {
      for (int to = 0; to < links.length; to++) {
        set(from, to, Link.PASS);
      }
    }
  }

  /**
   * Has somebody told what one node sends to another, from now on.
   *
   * @param listener called by the thread that passes it on
   */
  public void tap(Consumer<byte[]> listener) {
    tap = listener;
  }

  void heard(int from, int to, ByteBuffer bytes) {
    if (from >= 0 && to >= 0) {
      byte[] copy = new byte[bytes.remaining()];
      bytes.duplicate().get(copy);
      tap.accept(copy);
    }
  }

  /** How many bytes were passed on so far. */
  public long bytes() {
    return bytes.get();
  }

  synchronized Link link(int from, int to) {
    return from < 0 || from == to ? Link.PASS : links[from][to];
  }

  /** The node that opened a connection to a door; -1 for a client or one that cannot be told. */
  private int sender(Door door, SocketChannel accepted) throws IOException {
    if (!door.peers()) {
      return -1;
    }
    List<Long> processes = pids.get();
    int port = ((InetSocketAddress) accepted.getRemoteAddress()).getPort();
    OptionalLong owner = Sockets.owner(port, door.address().getPort(), processes);
    return owner.isEmpty() ? -1 : processes.indexOf(owner.getAsLong());
  }

  private void run() {
    try {
      while (!closed) {
        selector.select(TICK_MILLIS);
        for (SelectionKey key : selector.selectedKeys()) {
          if (key.attachment() instanceof Front front) {
            front.accept();
          } else if (key.attachment() instanceof Pipe pipe) {
            pipe.ready(key);
          }
        }
        selector.selectedKeys().clear();
        tick();
      }
    } catch (IOException e) {
      throw new UncheckedIOException("the network between the nodes has ended", e);
    } finally {
      closeAll();
    }
  }

  private void tick() throws IOException {
    boolean changed = linksChanged;
    linksChanged = false;
    for (Pipe pipe : List.copyOf(pipes)) {
      if (changed && pipe.isCut()) {
        pipe.reset();
      } else {
        pipe.tick();
      }
    }
    for (Front front : fronts) {
      front.tick();
    }
  }

  Selector selector() {
    return selector;
  }

  void opened(Pipe pipe) {
    pipes.add(pipe);
  }

  void ended(Pipe pipe) {
    pipes.remove(pipe);
    // The node may have died: look at once.
    fronts.forEach(front -> front.nextProbeNanos = 0);
  }

  void passed(int count) {
    bytes.addAndGet(count);
  }

  private void closeAll() {
    List.copyOf(pipes).forEach(Pipe::reset);
    fronts.forEach(Front::shut);
    try {
      selector.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    closed = true;
    selector.wakeup();
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** A door's own socket: open while the node behind it accepts connections. */
  private final class Front {
    private final Door door;
    private ServerSocketChannel server;
    private long nextProbeNanos;

    Front(Door door) {
      this.door = door;
    }

    void tick() throws IOException {
      long now = System.nanoTime();
      if (door.peers() && blocked.contains(door.node())) {
        shut();
        nextProbeNanos = now;
        return;
      }
      if (nextProbeNanos != 0 && (server != null || now - nextProbeNanos < 0)) {
        return;
      }
      nextProbeNanos = now + PROBE_NANOS;
      if (targetListens()) {
        open();
      } else {
        shut();
      }
    }

    private boolean targetListens() {
      // To 127.0.0.1: refused or taken at once, even by a process that is frozen.
      try (SocketChannel probe = SocketChannel.open()) {
        return probe.connect(door.target());
      } catch (IOException refused) {
        return false;
      }
    }

    private void open() throws IOException {
      if (server == null) {
        server = ServerSocketChannel.open();
        server.bind(door.address(), 1024);
        server.configureBlocking(false);
        server.register(selector, SelectionKey.OP_ACCEPT, this);
      }
    }

    void shut() {
      if (server != null) {
        Pipe.close(server);
        server = null;
      }
    }

    void accept() throws IOException {
      SocketChannel accepted = server == null ? null : server.accept();
      if (accepted == null) {
        return;
      }
      int sender = sender(door, accepted);
      Pipe pipe = Pipe.open(PeerNetwork.this, accepted, sender, door);
      if (pipe != null && pipe.isCut()) {
        pipe.reset();
      } else if (pipe != null) {
        pipe.register(selector);
      } else {
        nextProbeNanos = 0;
      }
    }
  }
}
