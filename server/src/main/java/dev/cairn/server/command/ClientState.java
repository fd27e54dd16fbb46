// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.protocol.Consistency;
import dev.cairn.server.operation.Reply;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;

/**
 * What one connection has said about itself. Written by the connection's event loop; what is
 * volatile is read by others too, for CLIENT LIST and the like.
 */
public final class ClientState {
  private final long id;
  private final String address;
  private final String localAddress;
  private final long connectedMillis;
  private final Wire wire;

  private volatile String name = "";
  private volatile String libraryName = "";
  private volatile String libraryVersion = "";
  private volatile String lastCommand = "NULL";
  private volatile long lastCommandNanos;
  private volatile int version = 2;
  private volatile Write lastWrite;

  private final ClientRights rights = new ClientRights();
  private final OpenTransaction transaction = new OpenTransaction();
  private boolean closing;
  private boolean replicas;
  private volatile boolean noEvict;

  // CLIENT REPLY, as Redis keeps it: for good, for the command that runs, for the one after it.
  private boolean repliesOff;
  private boolean skips;
  private boolean skipsNext;

  private byte[] knownName = {};
  private Command known;

  private final Defaults defaults;
  private Consistency readLevel;
  private Consistency writeLevel;

  /** The levels of a connection that has not asked for others. */
  public record Defaults(Consistency readLevel, Consistency writeLevel) {
    /** Where nothing is configured. */
    public static final Defaults QUORUM = new Defaults(Consistency.QUORUM, Consistency.QUORUM);
  }

  /** What carries a connection. Any thread. */
  public interface Wire {
    /** Closes it at once. */
    void disconnect();

    /** What was replied and its client has not taken yet, bytes. */
    long unsentBytes();
  }

  /** Where a write of this connection went. */
  record Write(int partition, Reply.Done done) {}

  /**
   * A connection that has said nothing yet.
   *
   * @param id unique on this node since it started
   * @param address {@code host:port} of the client
   * @param localAddress {@code host:port} it connected to
   * @param connectedMillis when, milliseconds since 1970
   * @param connectedNanos the same by the monotonic clock that {@link #runs} is told
   * @param defaults the levels of its reads and writes until it asks for others
   * @param wire what carries it
   */
  public ClientState(
      long id,
      String address,
      String localAddress,
      long connectedMillis,
      long connectedNanos,
      Defaults defaults,
      Wire wire) {
    this.id = id;
    this.address = address;
    this.localAddress = localAddress;
    this.connectedMillis = connectedMillis;
    this.lastCommandNanos = connectedNanos;
    this.defaults = defaults;
    this.readLevel = defaults.readLevel();
    this.writeLevel = defaults.writeLevel();
    this.wire = wire;
  }

  /** The command of a name if the one before had the same, as in most pipelines; else null. */
  Command known(byte[] name) {
    return Arrays.equals(name, knownName) ? known : null;
  }

  /** The latest command, and its name as it was written. */
  void knows(byte[] name, Command command) {
    knownName = name;
    known = command;
  }

  /** The protocol in which the next reply goes out: 2 or 3. */
  public int version() {
    return version;
  }

  /** Who it is, and so what it may do. */
  ClientRights rights() {
    return rights;
  }

  /** Whether nothing more of it may be started until a login was looked at. */
  public boolean waits() {
    return rights.isAsking();
  }

  /** Whether the connection closes once what was asked so far is answered. */
  public boolean closing() {
    return closing;
  }

  /**
   * Whether the reply of the command that just ran is not sent. To be asked once for each command:
   * it is what ends SKIP.
   */
  public boolean swallows() {
    boolean unsent = repliesOff || skips || skipsNext;
    skips = skipsNext;
    skipsNext = false;
    return unsent;
  }

  /** CLIENT REPLY ON, whose own reply is sent. */
  void repliesOn() {
    repliesOff = false;
    skips = false;
  }

  /** CLIENT REPLY OFF. */
  void repliesOff() {
    repliesOff = true;
  }

  /** CLIENT REPLY SKIP: neither this command's reply is sent nor the next one's. */
  void skipNextReply() {
    skipsNext = true;
  }

  void noEvict(boolean on) {
    noEvict = on;
  }

  long id() {
    return id;
  }

  String address() {
    return address;
  }

  String localAddress() {
    return localAddress;
  }

  String name() {
    return name;
  }

  void name(String given) {
    name = given;
  }

  void libraryName(String given) {
    libraryName = given;
  }

  void libraryVersion(String given) {
    libraryVersion = given;
  }

  /** A command is run. */
  void runs(String command, long nowNanos) {
    lastCommand = command;
    lastCommandNanos = nowNanos;
  }

  /** The last write of one partition that was carried out, or null. */
  Write lastWrite() {
    return lastWrite;
  }

  void wrote(int partition, Reply.Done done) {
    lastWrite = new Write(partition, done);
  }

  /** What it watches and has queued. */
  OpenTransaction transaction() {
    return transaction;
  }

  /** Whether replies carry who served them. RESP3 only. */
  boolean replicas() {
    return replicas;
  }

  void replicas(boolean on) {
    replicas = on;
  }

  Consistency readLevel() {
    return readLevel;
  }

  void readLevel(Consistency level) {
    readLevel = level;
  }

  /** READWRITE: as configured, or QUORUM where that is ONE. */
  void leaveReadonly() {
    readLevel = defaults.readLevel() == Consistency.ONE ? Consistency.QUORUM : defaults.readLevel();
  }

  Consistency writeLevel() {
    return writeLevel;
  }

  void writeLevel(Consistency level) {
    writeLevel = level;
  }

  void version(int asked) {
    version = asked;
    if (asked < 3) {
      replicas = false;
    }
  }

  void close() {
    closing = true;
  }

  /** Closes it whatever it is doing. Any thread. */
  void kill() {
    wire.disconnect();
  }

  /** What it holds of this node's memory, about, bytes: what is queued, and what is not read. */
  long heldBytes() {
    return transaction.bytes() + wire.unsentBytes();
  }

  /** As it was when it connected; a reply that is to be skipped is skipped all the same. */
  void reset() {
    name = "";
    repliesOff = false;
    skipsNext = false;
    noEvict = false;
    version(2);
    readLevel = defaults.readLevel();
    writeLevel = defaults.writeLevel();
  }

  /**
   * The line of CLIENT INFO and CLIENT LIST, without its end: Redis 7.0's fields, then what 7.2
   * added. What has no meaning here is 0, as for a connection that waits.
   */
  String line(long nowMillis, long nowNanos) {
    long unsent = wire.unsentBytes();
    long queued = transaction.bytes();
    return "id=%d addr=%s laddr=%s fd=0 name=%s age=%d idle=%d flags=%s db=0"
            .formatted(
                id,
                address,
                localAddress,
                name,
                (nowMillis - connectedMillis) / 1000,
                TimeUnit.NANOSECONDS.toSeconds(nowNanos - lastCommandNanos),
                flags())
        + " sub=0 psub=0 ssub=0 multi=%d qbuf=0 qbuf-free=0 argv-mem=0 multi-mem=%d"
            .formatted(transaction.commands(), queued)
        + " rbs=0 rbp=0 obl=%d oll=0 omem=%d tot-mem=%d events=%s"
            .formatted(unsent, unsent, queued + unsent, unsent > 0 ? "rw" : "r")
        + " cmd=%s user=%s redir=-1 resp=%d lib-name=%s lib-ver=%s"
            .formatted(lastCommand, rights.name(), version, libraryName, libraryVersion);
  }

  /** Redis' letters; N: none of the others. */
  private String flags() {
    StringBuilder flags = new StringBuilder();
    if (transaction.open()) {
      flags.append('x');
    }
    if (noEvict) {
      flags.append('e');
    }
    return flags.isEmpty() ? "N" : flags.toString();
  }
}
