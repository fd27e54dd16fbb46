// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.protocol.Consistency;
import dev.cairn.server.partition.Reply;
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
  private final Runnable disconnect;

  private volatile String name = "";
  private volatile String libraryName = "";
  private volatile String libraryVersion = "";
  private volatile String lastCommand = "NULL";
  private volatile long lastCommandNanos;
  private volatile int version = 2;
  private volatile Write lastWrite;

  private final OpenTransaction transaction = new OpenTransaction();
  private boolean closing;
  private boolean replicas;
  private Replies replies = Replies.ON;

  private final Defaults defaults;
  private Consistency readLevel;
  private Consistency writeLevel;

  /** The levels of a connection that has not asked for others. */
  public record Defaults(Consistency readLevel, Consistency writeLevel) {
    /** Where nothing is configured. */
    public static final Defaults QUORUM = new Defaults(Consistency.QUORUM, Consistency.QUORUM);
  }

  /** Which replies a connection wants to see. */
  enum Replies {
    ON,
    OFF,
    /** All but the next. */
    SKIP
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
   * @param disconnect closes it at once; any thread
   */
  public ClientState(
      long id,
      String address,
      String localAddress,
      long connectedMillis,
      long connectedNanos,
      Defaults defaults,
      Runnable disconnect) {
    this.id = id;
    this.address = address;
    this.localAddress = localAddress;
    this.connectedMillis = connectedMillis;
    this.lastCommandNanos = connectedNanos;
    this.defaults = defaults;
    this.readLevel = defaults.readLevel();
    this.writeLevel = defaults.writeLevel();
    this.disconnect = disconnect;
  }

  /** The protocol in which the next reply goes out: 2 or 3. */
  public int version() {
    return version;
  }

  /** Whether the connection closes once what was asked so far is answered. */
  public boolean closing() {
    return closing;
  }

  /**
   * Whether the reply of the command that just ran is not sent. To be asked once for each: it is
   * what ends SKIP.
   *
   * @param before what {@link #silent} was before the command ran
   */
  public boolean swallows(boolean before) {
    if (replies == Replies.SKIP && before) {
      replies = Replies.ON;
      return true;
    }
    return replies != Replies.ON;
  }

  /** Whether replies are not sent just now. */
  public boolean silent() {
    return replies != Replies.ON;
  }

  void replies(Replies wanted) {
    // SKIP changes nothing while replies are off.
    replies = wanted == Replies.SKIP && replies == Replies.OFF ? Replies.OFF : wanted;
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
    disconnect.run();
  }

  /** As it was when it connected. */
  void reset() {
    name = "";
    replies = Replies.ON;
    version(2);
    readLevel = defaults.readLevel();
    writeLevel = defaults.writeLevel();
  }

  /** The line of CLIENT INFO and CLIENT LIST, without its end. */
  String line(long nowMillis, long nowNanos) {
    return "id="
        + id
        + " addr="
        + address
        + " laddr="
        + localAddress
        + " fd=0 name="
        + name
        + " age="
        + (nowMillis - connectedMillis) / 1000
        + " idle="
        + TimeUnit.NANOSECONDS.toSeconds(nowNanos - lastCommandNanos)
        + " flags="
        + (transaction.open() ? "x" : "N")
        + " db=0 sub=0 psub=0 ssub=0 multi="
        + transaction.commands()
        + " cmd="
        + lastCommand
        + " user=default redir=-1 resp="
        + version
        + " lib-name="
        + libraryName
        + " lib-ver="
        + libraryVersion;
  }
}
