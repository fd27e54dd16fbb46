// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.peer;

import dev.cairn.server.tls.PeerTls;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Requests and answers between nodes: this node's peer port, and its connections to others'.
 *
 * <p>One loop reads and writes all connections ({@link EventLoops}); it decodes, and never waits.
 * {@link #WORKERS} workers deal with what arrives: the messages of one stream (a Raft group, a
 * partition) in their order by one of them, up to where a handler says that it waits for a disk
 * ({@link TaskLoop}). Handlers that may block get threads of their own ({@link #handleApart}).
 *
 * <p>A peer is called by its node's id, and where that is is looked up ({@link #locate}): a node
 * that moves stays the same peer (docs/design/decisions/0029).
 *
 * <p>Invariants (docs/design/decisions/0020 has the reasons):
 *
 * <ol>
 *   <li>{@link Answer.NotSent} is given only when no byte of the message can have left.
 *   <li>A message for a node goes to no other, whoever is at its address now.
 *   <li>Of a run of a node of which a later one is known, nothing is taken but kinds that are open
 *       to all ({@link #openToAll}); nothing is sent to it.
 * </ol>
 */
public final class PeerTransport implements AutoCloseable {
  /** A thread less for the loops and the logs, which have as much to do. */
  private static final int WORKERS =
      Math.max(1, Math.min(8, Runtime.getRuntime().availableProcessors() / 2));

  private static final int BLOCKING_THREADS_MAX = 64;
  private static final Logger log = LoggerFactory.getLogger(PeerTransport.class);

  private final EventLoops loops;
  private final PeerLoop loop;
  private final Dialing dialing;
  private final List<TaskLoop> workers;
  private final ThreadPoolExecutor blocking;
  private final Map<Byte, Handled> handlers = new ConcurrentHashMap<>();
  private final PeerDirectory directory;
  private final Set<Byte> openToAll = ConcurrentHashMap.newKeySet();
  private final Map<Peer, Links> links = new ConcurrentHashMap<>();
  private final MessageCounts counts = new MessageCounts();
  private final AcceptedConnections accepted;
  private volatile boolean closed;
  private volatile boolean complete; // every handler that this version has is there
  private Channel listening;

  /** Acts on messages of one kind. */
  public interface Handler {
    /**
     * Acts on a message.
     *
     * @param body the message
     * @param answer to be called at most once, by any thread
     */
    void handle(byte[] body, Consumer<byte[]> answer);
  }

  /** As {@link Handler}, for whoever must know which connection brought the message. */
  public interface ConnectionHandler {
    /** Acts on a message. */
    void handle(AcceptedConnection from, byte[] body, Consumer<byte[]> answer);
  }

  private record Handled(Where where, ConnectionHandler handler) {}

  private enum Where {
    LOOP,
    WORKER,
    APART
  }

  /** Told who answers on the connections that this node opens. */
  public interface GreetingListener {
    /**
     * A peer greeted; called on a loop, must not block.
     *
     * @param superseded whether that peer knows a later start of this node
     */
    void heard(PeerRun peer, boolean superseded);
  }

  /** Whom a connection is for. */
  private sealed interface Peer {}

  /** A node, wherever it is. */
  private record Node(String id) implements Peer {}

  /** Whoever is there. */
  private record At(PeerAddress address) implements Peer {}

  private record Links(Link control, Link data, Link bulk) {
    Link of(Traffic traffic) {
      return switch (traffic) {
        case CONTROL -> control;
        case DATA -> data;
        case BULK -> bulk;
      };
    }

    Stream<Link> all() {
      return Stream.of(control, data, bulk);
    }
  }

  private PeerTransport(PeerRun self, Names names, PeerTls tls, EventLoops loops) {
    this.directory = new PeerDirectory(self);
    accepted = new AcceptedConnections(directory, tls, this::dispatch, counts);
    this.loops = loops;
    loop = new PeerLoop(loops.group().next());
    workers = IntStream.range(0, WORKERS).mapToObj(i -> new TaskLoop("worker-" + i)).toList();
    blocking =
        new ThreadPoolExecutor(
            0,
            BLOCKING_THREADS_MAX,
            30,
            TimeUnit.SECONDS,
            new SynchronousQueue<>(),
            new DefaultThreadFactory("peer-request", true),
            new ThreadPoolExecutor.CallerRunsPolicy());
    Bootstrap connecting =
        new Bootstrap().channel(NioSocketChannel.class).option(ChannelOption.TCP_NODELAY, true);
    dialing = new Dialing(connecting, blocking, names, tls);
  }

  /**
   * Listens for peers.
   *
   * @param bindHost the address to listen on
   * @param port the peer port, 1 to 65535
   * @param self who this is, for the greetings
   * @param tls what peers have to prove, and how this node does
   * @param loops what runs the connections; the caller's to close, after this
   * @throws IOException when the port cannot be had
   */
  public static PeerTransport listen(
      String bindHost, int port, PeerRun self, PeerTls tls, EventLoops loops) throws IOException {
    return listen(bindHost, port, self, tls, loops, Names.SYSTEM);
  }

  /** With another meaning of names, for tests. */
  static PeerTransport listen(
      String bindHost, int port, PeerRun self, PeerTls tls, EventLoops loops, Names names)
      throws IOException {
    return listen(bindHost, port, new PeerTransport(self, names, tls, loops));
  }

  private static PeerTransport listen(String bindHost, int port, PeerTransport transport)
      throws IOException {
    try {
      transport.listening = transport.server().bind(bindHost, port).syncUninterruptibly().channel();
      return transport;
    } catch (Exception e) { // Netty throws the cause as it is, declared or not
      transport.close();
      throw new IOException(
          "cannot listen on peer port "
              + bindHost
              + ":"
              + port
              + "; is another process using it? Choose another with --peer-port",
          e);
    }
  }

  private ServerBootstrap server() {
    return new ServerBootstrap()
        .group(loops.group())
        .channel(NioServerSocketChannel.class)
        .option(ChannelOption.SO_REUSEADDR, true)
        .option(ChannelOption.SO_BACKLOG, 512)
        .childOption(ChannelOption.TCP_NODELAY, true)
        .childHandler(
            new ChannelInitializer<Channel>() {
              @Override
              protected void initChannel(Channel channel) {
                accepted.accept(channel);
              }
            });
  }

  /** How many messages this node has sent to its peers, answers too. */
  public long messagesSent() {
    return counts.allSent();
  }

  /** How many it got of them. */
  public long messagesReceived() {
    return counts.allReceived();
  }

  /** How many connections to peers are open, whoever opened them. */
  public long connections() {
    return accepted.count()
        + links.values().stream().flatMap(Links::all).filter(Link::isOpen).count();
  }

  /** Bytes of what was sent to peers, or is to be, and is not answered yet. */
  public long unansweredBytes() {
    return links.values().stream().flatMap(Links::all).mapToLong(Link::unansweredBytes).sum();
  }

  /**
   * Tells whenever a connection that a peer had opened and greeted on has ended, whoever ended it.
   *
   * @param listener told which run of a node had greeted; called on the loop, must not block
   */
  public void onEnd(Consumer<PeerRun> listener) {
    accepted.onEnd(listener);
  }

  /** Takes messages of a kind from now on, on the workers; the handler must not block. */
  public void handle(byte kind, Handler handler) {
    register(kind, new Handled(Where.WORKER, (from, body, answer) -> handler.handle(body, answer)));
  }

  /** As {@link #handle(byte, Handler)}. At most one handler a kind. */
  public void handle(byte kind, ConnectionHandler handler) {
    register(kind, new Handled(Where.WORKER, handler));
  }

  /** Takes messages of a kind from now on, on threads that may block; they keep no order. */
  public void handleApart(byte kind, ConnectionHandler handler) {
    register(kind, new Handled(Where.APART, handler));
  }

  /**
   * As {@link #handle(byte, ConnectionHandler)}, on the loop: for what takes a microsecond and no
   * lock.
   */
  public void handleOnLoop(byte kind, ConnectionHandler handler) {
    register(kind, new Handled(Where.LOOP, handler));
  }

  /** The loop that reads and writes all connections. */
  public PeerLoop loop() {
    return loop;
  }

  /**
   * Sends a message that nobody answers. It may be lost, and messages that are sent later may
   * overtake it where the connection was opened anew.
   */
  public void tell(Traffic traffic, String nodeId, byte kind, byte[] body) {
    if (!closed) {
      linksTo(new Node(nodeId)).of(traffic).tell(kind, body);
    }
  }

  /**
   * All handlers are there. Until then a kind without one may be one of a part that has not started
   * yet; from now on it is one of another version, and the log says so.
   */
  public void complete() {
    complete = true;
  }

  private void register(byte kind, Handled handled) {
    if (handlers.putIfAbsent(kind, handled) != null) {
      throw new IllegalStateException("peer message kind " + kind + " is taken");
    }
  }

  /** Takes messages of a kind from runs too of which a later one is known. */
  public void openToAll(byte kind) {
    openToAll.add(kind);
  }

  /**
   * Says which runs of nodes are over, since a later one is known.
   *
   * @param test of every run that greets; must not block
   */
  public void fence(Predicate<PeerRun> test) {
    directory.fence(test);
    fenceAgain();
  }

  /** More runs are over: ends the connections that they have opened. */
  public void fenceAgain() {
    accepted.fenceAgain();
  }

  /** Tells of every peer that answers a connection of this node's, from now on. */
  public void onGreeting(GreetingListener listener) {
    directory.onGreeting(listener);
  }

  /** Whether another run of a node than {@code startId} was heard within so many milliseconds. */
  public boolean hearsOtherRun(String nodeId, String startId, long withinMillis) {
    return accepted.hearsOtherRun(nodeId, startId, withinMillis);
  }

  /**
   * Whether no connection with a run of a node is open, either way: it had greeted, so its process
   * has ended or cannot be reached.
   */
  public boolean isCutOff(PeerRun run) {
    Links to = links.get(new Node(run.nodeId()));
    boolean reached = to != null && (to.control().isOpen() || to.data().isOpen());
    return !reached && !accepted.hasOneOf(run);
  }

  /** Who this node is for its peers. */
  public PeerRun self() {
    return directory.self();
  }

  /** Where a node is from now on. Connections to where it was are ended. */
  public void locate(String nodeId, PeerAddress address) {
    if (!directory.locate(nodeId, address)) {
      return;
    }
    Node node = new Node(nodeId);
    Links known = links.get(node);
    if (known != null) {
      known.all().forEach(Link::moved);
    }
  }

  /** Where a node is, as far as is known. */
  public Optional<PeerAddress> located(String nodeId) {
    return directory.located(nodeId);
  }

  private void dispatch(AcceptedConnection from, Frame frame, Consumer<byte[]> answer)
      throws AcceptedConnection.NoSuchKindException {
    if (from.isFenced() && !openToAll.contains(frame.kind())) {
      from.close();
      return;
    }
    Handled handled = handlers.get(frame.kind());
    if (handled == null) {
      throw new AcceptedConnection.NoSuchKindException(frame.kind(), !complete);
    }
    Executor where =
        switch (handled.where()) {
          case LOOP -> Runnable::run;
          case WORKER -> worker(frame.stream());
          case APART -> blocking;
        };
    where.execute(
        () -> {
          try {
            handled.handler().handle(from, frame.body(), answer);
          } catch (RuntimeException e) {
            log.warn("peer={} sent a message that cannot be read", from.remoteAddress(), e);
          }
        });
  }

  private TaskLoop worker(short stream) {
    return workers.get(Math.floorMod(stream, WORKERS));
  }

  /**
   * Sends a message among the data traffic and waits for its answer without blocking.
   *
   * @param nodeId whom it is for
   * @param stream whose order the message and its answer keep
   * @param timeoutMillis how long to wait for the answer
   * @param done called exactly once, by a worker, or by the caller when nothing can be sent
   */
  public void send(
      String nodeId,
      byte kind,
      int stream,
      byte[] body,
      long timeoutMillis,
      Consumer<Answer> done) {
    send(Traffic.DATA, nodeId, kind, stream, body, timeoutMillis, done);
  }

  /** As {@link #send(String, byte, int, byte[], long, Consumer)}, among other traffic. */
  public void send(
      Traffic traffic,
      String nodeId,
      byte kind,
      int stream,
      byte[] body,
      long timeoutMillis,
      Consumer<Answer> done) {
    short folded = fold(stream);
    sendTo(traffic, new Node(nodeId), kind, folded, body, timeoutMillis, worker(folded), done);
  }

  /** As the others; {@code done} is called by {@code where}, and may block there. */
  public void sendApart(
      Traffic traffic,
      String nodeId,
      byte kind,
      byte[] body,
      long timeoutMillis,
      Executor where,
      Consumer<Answer> done) {
    sendTo(traffic, new Node(nodeId), kind, (short) 0, body, timeoutMillis, where, done);
  }

  /**
   * Asks whoever is at an address, among the control traffic; {@code done} is called by a worker.
   */
  public void ask(
      PeerAddress address, byte kind, byte[] body, long timeoutMillis, Consumer<Answer> done) {
    sendTo(
        Traffic.CONTROL,
        new At(address),
        kind,
        (short) 0,
        body,
        timeoutMillis,
        worker((short) 0),
        done);
  }

  private void sendTo(
      Traffic traffic,
      Peer peer,
      byte kind,
      short stream,
      byte[] body,
      long timeoutMillis,
      Executor where,
      Consumer<Answer> done) {
    if (closed) {
      where.execute(() -> done.accept(new Answer.NotSent("this node is stopping")));
      return;
    }
    linksTo(peer).of(traffic).send(kind, stream, body, timeoutMillis, where, done);
  }

  /**
   * Runs a task once, on the loop; it must not block.
   *
   * @return false when it never will, since this is closed
   */
  public boolean after(long nanos, Runnable task) {
    return loop.afterNanos(nanos, task);
  }

  /**
   * Runs tasks in the order of a stream's messages, in turn with them.
   *
   * @param stream as with {@link #send(String, byte, int, byte[], long, Consumer)}
   */
  public Executor workerOf(int stream) {
    return worker(fold(stream));
  }

  private static short fold(int stream) {
    return (short) (stream ^ (stream >>> 16));
  }

  /** Whether messages can be sent to a peer at once; if not, connections to it are begun. */
  public boolean isConnected(String nodeId) {
    Links to = linksTo(new Node(nodeId));
    boolean connected = to.control().isOpen() && to.data().isOpen();
    if (!connected) {
      to.control().connect();
      to.data().connect();
    }
    return connected;
  }

  private Links linksTo(Peer peer) {
    return links.computeIfAbsent(
        peer,
        to ->
            new Links(
                link(to, Traffic.CONTROL, dialing, loops.group().next()),
                link(to, Traffic.DATA, dialing, loops.group().next()),
                link(to, Traffic.BULK, dialing, loops.group().next())));
  }

  private Link link(Peer peer, Traffic traffic, Dialing dialing, EventLoop loop) {
    return peer instanceof Node node
        ? new Link(
            () -> located(node.id()),
            directory.greetingsOf(node.id()),
            traffic,
            dialing,
            loop,
            counts)
        : new Link(
            () -> Optional.of(((At) peer).address()),
            directory.greetingsOfAnybody(),
            traffic,
            dialing,
            loop,
            counts);
  }

  /**
   * Ends all connections; whoever waits for an answer gets a failure. When it returns, nothing of
   * this runs on the loop any more.
   */
  @Override
  public void close() {
    closed = true;
    if (listening != null) {
      listening.close().syncUninterruptibly();
    }
    accepted.close();
    links.values().stream().flatMap(Links::all).forEach(Link::close);
    loop.end();
    loops.settle();
    workers.forEach(TaskLoop::close);
    blocking.shutdown();
  }
}
