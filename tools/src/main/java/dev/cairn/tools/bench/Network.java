// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools.bench;

import dev.cairn.client.Address;
import dev.cairn.protocol.Slots;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;

/**
 * All connections of all clients, and the loop that serves them: one selector, one thread, which
 * owns everything here.
 *
 * <p>Without {@code --cluster} each client has one connection, to the given nodes in turn. With it
 * each client has a connection to each master, an operation goes to the master of its key's slot,
 * {@code MOVED} corrects that slot at once, sends the operation on (up to {@value #REDIRECTS_MAX}
 * times, its latency counts on) and has all slots asked for anew; so does a connection that breaks.
 *
 * <p>Invariants: an operation given to {@link #send} is told to the driver exactly once; at any
 * time it is in one connection's ring, in one queue of those that wait, or with the driver. Replies
 * are told from the time at which their bytes were read.
 */
final class Network implements Driver.Sender, AutoCloseable {
  /** How often an operation follows MOVED. */
  static final int REDIRECTS_MAX = 5;

  /** An operation was in flight when its connection ended: it may have been carried out. */
  static final String CONNECTION_LOST = "CONNECTION_LOST";

  /** An operation had no answer in time. */
  static final String TIMEOUT = "TIMEOUT";

  /** An operation could not be sent in time. */
  static final String NOT_SENT = "NOT_SENT";

  /** Fewer replicas than {@code --wait} confirmed a write within WAIT's second. */
  static final String TOO_FEW_REPLICAS = "TOO_FEW_REPLICAS";

  /** A reply of another kind than the request has. */
  static final String UNEXPECTED_REPLY = "UNEXPECTED_REPLY";

  private static final int IN_BYTES = 256 * 1024;
  private static final int OUT_BYTES_MAX = 16 * 1024;
  private static final int SERVERS_MAX = 1_000;
  private static final long LOOK_ROUND_NANOS = 50_000_000;
  private static final long ASK_AGAIN_NANOS = 250_000_000;

  private final BenchSettings settings;
  private final Requests requests;
  private final int inFlightMax;
  private final int bufferBytes;
  private final long timeoutNanos;
  private final Selector selector;
  private final Ticker ticker;
  private final SlotAsker slotAsker; // null without --cluster
  private final ByteBuffer in = ByteBuffer.allocateDirect(IN_BYTES);
  private final List<Address> servers = new ArrayList<>();
  private final Map<Address, Integer> serverIndex = new HashMap<>();
  private final List<Connection[]> ofServer = new ArrayList<>(); // by server, then client
  private final short[] serverOfSlot = new short[Slots.COUNT]; // -1: none known
  private final ArrayDeque<InFlight> withoutServer = new ArrayDeque<>();
  private final List<Connection> toFlush = new ArrayList<>();
  private Driver driver;
  private long nextRoundNanos;
  private long nextAskNanos;
  private boolean askWanted;
  private String lastFailure = "no answer in time";

  /**
   * Nothing is connected yet.
   *
   * @param inFlightMax operations of a client at once
   */
  Network(BenchSettings settings, Requests requests, int inFlightMax) throws IOException {
    this.settings = settings;
    this.requests = requests;
    this.inFlightMax = inFlightMax;
    this.timeoutNanos = (long) (settings.timeoutSeconds() * 1e9);
    this.bufferBytes =
        (int)
            Math.max(
                requests.bytesMax(),
                Math.min(OUT_BYTES_MAX, (long) requests.bytesMax() * inFlightMax));
    this.selector = Selector.open();
    this.ticker = new Ticker(selector::wakeup);
    this.slotAsker =
        settings.cluster()
            ? new SlotAsker(
                settings.nodes(), timeoutMillis(), settings.security(), selector::wakeup)
            : null;
  }

  /**
   * Connects every client, and waits until each connection is there or could not be made.
   *
   * @throws IOException there is no connection at all
   * @throws IllegalArgumentException so many connections do not fit into memory
   */
  void connect() throws IOException {
    if (settings.cluster()) {
      apply(SlotAsker.ask(settings.nodes(), timeoutMillis(), settings.security()));
    } else {
      settings.nodes().forEach(this::serverAt);
    }
    settings.checkBuffers(settings.cluster() ? servers.size() : 1, bufferBytes);
    long now = System.nanoTime();
    long until = now + timeoutNanos;
    for (int client = 0; client < settings.clients(); client++) {
      if (settings.cluster()) {
        for (int server = 0; server < servers.size(); server++) {
          open(connection(server, client), now);
        }
      } else {
        open(connection(client % servers.size(), client), now);
      }
    }
    while (count(Connection.State.CONNECTING) > 0 && System.nanoTime() < until) {
      selector.select(this::ready, 50);
    }
    if (count(Connection.State.OPEN) == 0) {
      throw new IOException(
          "no connection to "
              + String.join(", ", servers.stream().map(Address::toString).toList())
              + ": "
              + lastFailure);
    }
  }

  /** Connections that are open. */
  int open() {
    return count(Connection.State.OPEN);
  }

  /** Servers that are asked: the masters, or the given nodes. */
  int servers() {
    return servers.size();
  }

  private int count(Connection.State state) {
    int found = 0;
    for (Connection[] connections : ofServer) {
      for (Connection connection : connections) {
        if (connection != null && connection.state() == state) {
          found++;
        }
      }
    }
    return found;
  }

  /**
   * Carries out a driver's operations until it has finished or is given up.
   *
   * @param eachRound called every 50 ms from now on, on this thread
   */
  void run(Driver newDriver, LongConsumer eachRound, GiveUp giveUp) throws IOException {
    driver = newDriver;
    long now = System.nanoTime();
    nextRoundNanos = now;
    while (!driver.isFinished(now) && !giveUp.at(now)) {
      driver.start(now);
      flushAll(now);
      if (now >= nextRoundNanos) {
        nextRoundNanos += LOOK_ROUND_NANOS * ((now - nextRoundNanos) / LOOK_ROUND_NANOS + 1);
        lookRound(now);
        flushAll(now);
        eachRound.accept(now);
      }
      await(driver.nextNanos(now), now);
      now = System.nanoTime();
    }
  }

  /** When to end with operations still on their way. */
  interface GiveUp {
    boolean at(long nowNanos);
  }

  /** Serves sockets that are ready; waits for one until the time given or the next round. */
  private void await(long nextNanos, long nowNanos) throws IOException {
    if (nextNanos <= nowNanos) {
      selector.selectNow(this::ready);
      return;
    }
    long roundMillis = Math.max(1, (nextRoundNanos - nowNanos) / 1_000_000);
    ticker.at(nextNanos - nowNanos > LOOK_ROUND_NANOS ? Long.MAX_VALUE : nextNanos);
    selector.select(this::ready, roundMillis);
  }

  @Override
  public void send(InFlight operation, long nowNanos) {
    operation.sentNanos = nowNanos;
    int server =
        settings.cluster()
            ? serverOfSlot[requests.slot(operation.key)]
            : operation.client % servers.size();
    if (server < 0) {
      withoutServer.add(operation);
      askWanted = true;
      return;
    }
    send(operation, connection(server, operation.client));
  }

  private void send(InFlight operation, Connection connection) {
    operation.awaited = operation.writes ? InFlight.Awaited.WRITE : InFlight.Awaited.READ;
    boolean taken =
        connection.isOpen()
            && connection.waiting.isEmpty()
            && connection.offer(operation, requests);
    if (!taken) {
      connection.waiting.add(operation);
    } else {
      flushLater(connection);
    }
  }

  private void flushLater(Connection connection) {
    if (!connection.toFlush) {
      connection.toFlush = true;
      toFlush.add(connection);
    }
  }

  /** Those that fail meanwhile may add others. */
  private void flushAll(long nowNanos) {
    for (int i = 0; i < toFlush.size(); i++) {
      Connection connection = toFlush.get(i);
      connection.toFlush = false;
      if (connection.isOpen()) {
        try {
          flush(connection);
        } catch (IOException broken) {
          lost(connection, CONNECTION_LOST, reason(broken), nowNanos);
        }
      }
    }
    toFlush.clear();
  }

  /** Sends what is in the buffer, then what waited for room in it. */
  private void flush(Connection connection) throws IOException {
    do {
      connection.flush();
    } while (offerWaiting(connection));
  }

  /** Whether something that waited has gone into the buffer. */
  private boolean offerWaiting(Connection connection) {
    boolean some = false;
    while (!connection.waiting.isEmpty() && connection.offer(connection.waiting.peek(), requests)) {
      connection.waiting.poll();
      some = true;
    }
    return some;
  }

  // ---- What the selector tells ----

  private void ready(SelectionKey key) {
    Connection connection = (Connection) key.attachment();
    long now = System.nanoTime();
    try {
      if (key.isConnectable()) {
        connection.finishConnect();
        flush(connection);
      }
      for (boolean more = key.isReadable(); more; more = connection.hasMore()) {
        read(connection);
      }
      if (key.isValid() && key.isWritable()) {
        flush(connection);
      }
    } catch (CancelledKeyException closedMeanwhile) {
      // Its operations were told when it was closed.
    } catch (MalformedReplyException malformed) {
      lost(connection, UNEXPECTED_REPLY, malformed.getMessage(), now);
    } catch (IOException broken) {
      lost(connection, CONNECTION_LOST, reason(broken), now);
    }
    flushAll(now);
  }

  private void read(Connection connection) throws IOException, MalformedReplyException {
    in.clear();
    if (connection.read(in) < 0) {
      throw new IOException("the server closed the connection");
    }
    long now = System.nanoTime();
    in.flip();
    while (connection.next(in)) {
      if (connection.awaiting() == null) {
        throw new MalformedReplyException("a reply that nothing was asked for");
      }
      connection.works();
      replied(connection, now);
    }
  }

  // ---- Replies ----

  private void replied(Connection connection, long nowNanos) {
    InFlight operation = connection.awaiting();
    ReplyScanner reply = connection.scanner;
    if (reply.isError() && operation.errorCode == null) {
      String line = reply.errorLine();
      operation.error(ReplyScanner.code(line), line);
    }
    switch (operation.awaited) {
      case READ -> {
        connection.poll();
        expect(operation, reply.isBulk(), reply);
        operation.found = !reply.isNil();
        ended(operation, connection, nowNanos);
      }
      case WRITE -> {
        expect(operation, reply.isSimple(), reply);
        if (settings.waitReplicas() > 0) {
          operation.awaited = InFlight.Awaited.WAIT;
        } else {
          connection.poll();
          ended(operation, connection, nowNanos);
        }
      }
      case WAIT -> {
        connection.poll();
        expect(operation, reply.isInteger(), reply);
        if (operation.errorCode == null && reply.number() < settings.waitReplicas()) {
          operation.error(
              TOO_FEW_REPLICAS,
              reply.number() + " of " + settings.waitReplicas() + " replicas confirmed within 1 s");
        }
        ended(operation, connection, nowNanos);
      }
    }
  }

  private static void expect(InFlight operation, boolean holds, ReplyScanner reply) {
    if (!holds && !reply.isError() && operation.errorCode == null) {
      operation.error(UNEXPECTED_REPLY, "a reply of another type than the request has");
    }
  }

  /** All replies to a request are there. */
  private void ended(InFlight operation, Connection connection, long nowNanos) {
    if (settings.cluster() && "MOVED".equals(operation.errorCode)) {
      moved(operation, connection, nowNanos);
    } else if (operation.errorCode == null && operation.kind == Kind.RMW && !operation.writes) {
      operation.writes = true;
      send(operation, nowNanos);
    } else {
      driver.ended(operation, nowNanos);
    }
  }

  /** {@code MOVED slot host:port}, as the Redis Cluster specification has it. */
  private void moved(InFlight operation, Connection connection, long nowNanos) {
    driver.measurement().moved(nowNanos);
    askWanted = true;
    String[] words = operation.errorLine.split(" ");
    int server = words.length == 3 ? serverNamed(words[2], connection.server) : -1;
    if (server < 0 || operation.redirects == REDIRECTS_MAX) {
      driver.ended(operation, nowNanos);
      return;
    }
    serverOfSlot[requests.slot(operation.key)] = (short) server;
    operation.redirects++;
    operation.forgetError();
    send(operation, nowNanos);
  }

  private int serverNamed(String text, Address teller) {
    try {
      return serverAt(
          text.startsWith(":")
              ? new Address(teller.host(), Integer.parseInt(text.substring(1)))
              : unbracketed(text));
    } catch (IllegalArgumentException malformed) {
      return -1;
    }
  }

  /** Redis writes an IPv6 address without brackets. */
  private static Address unbracketed(String text) {
    int colon = text.lastIndexOf(':');
    if (colon < 0 || text.startsWith("[")) {
      return Address.parse(text);
    }
    return new Address(text.substring(0, colon), Integer.parseInt(text.substring(colon + 1)));
  }

  // ---- Servers and connections ----

  /** The index of a server, which is new or known; -1 if there are too many. */
  private int serverAt(Address address) {
    Integer known = serverIndex.get(address);
    if (known != null) {
      return known;
    }
    if (servers.size() == SERVERS_MAX) {
      return -1;
    }
    servers.add(address);
    ofServer.add(new Connection[settings.clients()]);
    serverIndex.put(address, servers.size() - 1);
    return servers.size() - 1;
  }

  private Connection connection(int server, int client) {
    Connection[] connections = ofServer.get(server);
    Connection connection = connections[client];
    if (connection == null) {
      connection =
          new Connection(servers.get(server), inFlightMax, bufferBytes, settings.security());
      connections[client] = connection;
    }
    return connection;
  }

  private void open(Connection connection, long nowNanos) {
    try {
      connection.open(selector, nowNanos);
    } catch (IOException | RuntimeException failed) {
      lastFailure = reason(failed);
      connection.close(nowNanos);
    }
  }

  /** A connection ended: what was in flight failed, what waits goes on waiting. */
  private void lost(Connection connection, String code, String why, long nowNanos) {
    lastFailure = why;
    boolean wasOpen = connection.isOpen();
    connection.close(nowNanos);
    askWanted = true;
    if (driver == null) {
      return; // still connecting for the first time
    }
    if (wasOpen) {
      driver.measurement().connectionLost(nowNanos);
    }
    List<InFlight> failed = new ArrayList<>();
    for (InFlight next = connection.poll(); next != null; next = connection.poll()) {
      failed.add(next);
    }
    for (InFlight operation : failed) {
      fail(operation, code, connection.server + ": " + why, nowNanos);
    }
  }

  private void fail(InFlight operation, String code, String line, long nowNanos) {
    operation.error(code, line);
    driver.ended(operation, nowNanos);
  }

  // ---- Some twenty times a second ----

  private void lookRound(long nowNanos) {
    boolean missing = false;
    boolean[] needed = needed();
    for (int server = 0; server < servers.size(); server++) {
      for (Connection connection : ofServer.get(server)) {
        if (connection != null) {
          timeOut(connection, nowNanos);
          boolean wanted = needed[server] || !connection.waiting.isEmpty();
          if (wanted && connection.mayOpen(nowNanos)) {
            open(connection, nowNanos);
          }
          missing |= wanted && !connection.isOpen();
        }
      }
    }
    while (!withoutServer.isEmpty() && isLate(withoutServer.peek(), nowNanos)) {
      fail(withoutServer.poll(), NOT_SENT, "no master known for the key's slot", nowNanos);
    }
    if (slotAsker != null) {
      SlotMap answer = slotAsker.take();
      if (answer != null) {
        apply(answer);
        sendAgain(nowNanos);
      }
      if ((askWanted || missing || !withoutServer.isEmpty()) && nowNanos >= nextAskNanos) {
        nextAskNanos = nowNanos + ASK_AGAIN_NANOS;
        askWanted = false;
        slotAsker.askSoon(servers.stream().limit(10).toList());
      }
    }
  }

  /** Which servers are needed: one that is no master any more is left alone. */
  private boolean[] needed() {
    boolean[] needed = new boolean[servers.size()];
    if (!settings.cluster()) {
      Arrays.fill(needed, true);
      return needed;
    }
    for (short master : serverOfSlot) {
      if (master >= 0) {
        needed[master] = true;
      }
    }
    return needed;
  }

  private void timeOut(Connection connection, long nowNanos) {
    if (connection.awaiting() != null && isLate(connection.awaiting(), nowNanos)) {
      lost(connection, TIMEOUT, "no answer within " + settings.timeoutSeconds() + " s", nowNanos);
    } else if (connection.state() == Connection.State.CONNECTING
        && nowNanos - connection.connectingSinceNanos() > timeoutNanos) {
      lost(connection, TIMEOUT, "no connection in time", nowNanos);
    }
    while (!connection.waiting.isEmpty() && isLate(connection.waiting.peek(), nowNanos)) {
      fail(
          connection.waiting.poll(),
          NOT_SENT,
          connection.server + ": " + (connection.isOpen() ? "it takes nothing" : lastFailure),
          nowNanos);
    }
  }

  private boolean isLate(InFlight operation, long nowNanos) {
    return nowNanos - operation.sentNanos > timeoutNanos;
  }

  private void apply(SlotMap map) {
    for (int slot = 0; slot < Slots.COUNT; slot++) {
      Address master = map.masters()[slot];
      serverOfSlot[slot] = (short) (master == null ? -1 : serverAt(master));
    }
  }

  /** After new slots were learned: what waits for a server that is away may have another now. */
  private void sendAgain(long nowNanos) {
    List<InFlight> again = new ArrayList<>(withoutServer);
    withoutServer.clear();
    for (Connection[] connections : ofServer) {
      for (Connection connection : connections) {
        if (connection != null && !connection.isOpen()) {
          again.addAll(connection.waiting);
          connection.waiting.clear();
        }
      }
    }
    for (InFlight operation : again) {
      long since = operation.sentNanos;
      send(operation, nowNanos);
      operation.sentNanos = since; // its time to be sent goes on
    }
  }

  private int timeoutMillis() {
    return (int) Math.max(1, settings.timeoutSeconds() * 1000);
  }

  private static String reason(Exception failure) {
    return failure.getMessage() == null ? failure.toString() : failure.getMessage();
  }

  @Override
  public void close() throws IOException {
    ticker.close();
    if (slotAsker != null) {
      slotAsker.close();
    }
    long now = System.nanoTime();
    for (Connection[] connections : ofServer) {
      for (Connection connection : connections) {
        if (connection != null) {
          connection.close(now);
        }
      }
    }
    selector.close();
  }
}
