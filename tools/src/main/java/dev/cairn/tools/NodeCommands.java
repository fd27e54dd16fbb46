// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import dev.cairn.client.Address;
import dev.cairn.client.Security;
import dev.cairn.protocol.Consistency;
import dev.cairn.protocol.ErrorCode;
import dev.cairn.protocol.ReplicaAttribute;
import dev.cairn.protocol.RespProtocolException;
import dev.cairn.protocol.RespValue;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * Any command of the nodes, sent as it is over one connection to one of them, the first that
 * answers; so a transaction, WATCH and what else belongs to a connection work. A command that may
 * have been sent is not sent again: where the connection ends before its reply, what it did is
 * unknown.
 *
 * <p>Owned by one thread.
 */
final class NodeCommands implements AutoCloseable {
  /** How long a reply may take: KEYS and WAIT may need a while. Ctrl-C ends it before. */
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** After these the connection's levels may be others. */
  private static final Set<String> SETTING_LEVELS = Set.of("READONLY", "READWRITE", "CAIRN");

  private final List<Address> nodes;
  private final Duration timeout;
  private final Security security;
  private final Consumer<String> results;
  private final Consumer<String> remarks;
  private final Map<String, Consistency> levels = new TreeMap<>(); // READ and WRITE, if chosen
  private NodeConnection connection; // null: none is open
  private boolean levelsSent;
  private boolean inTransaction;
  private boolean watching;

  NodeCommands(
      List<Address> nodes,
      Duration timeout,
      Security security,
      Consumer<String> results,
      Consumer<String> remarks) {
    this.nodes = nodes;
    this.timeout = timeout;
    this.security = security;
    this.results = results;
    this.remarks = remarks;
  }

  /** Whether commands are queued until EXEC: all of them belong to this connection then. */
  boolean inTransaction() {
    return inTransaction;
  }

  /** READ or WRITE: how much what follows waits for. */
  void level(String kind, Consistency level) {
    levels.put(kind, level);
    levelsSent = false;
  }

  /**
   * Carries out a command and prints its reply.
   *
   * @param levelsTold takes the levels, READ and WRITE, where the command may have changed them
   * @return the exit status; empty: no node knows the command
   */
  Optional<Integer> run(List<byte[]> words, Consumer<Map<String, Consistency>> levelsTold) {
    String name = name(words, 0);
    if (name.equals("CLIENT") && name(words, 1).equals("REPLY")) {
      remarks.accept("CLIENT REPLY is for programs: this shell waits for every reply.");
      return Optional.of(ExitStatus.ERROR);
    }
    if (!connected()) {
      return Optional.of(ExitStatus.ERROR);
    }
    try {
      RespValue reply = connection.exchange(words, PATIENCE);
      RespValue value = reply instanceof RespValue.Attributed with ? with.value() : reply;
      if (value instanceof RespValue.ErrorReply error
          && error.text().startsWith("ERR unknown command")) {
        return Optional.empty();
      }
      print(reply, value);
      follow(name, value, levelsTold);
      return Optional.of(status(value));
    } catch (IOException cut) {
      return Optional.of(cut(name, cut));
    }
  }

  private static String name(List<byte[]> words, int index) {
    return index < words.size()
        ? new String(words.get(index), StandardCharsets.UTF_8).toUpperCase(Locale.ROOT)
        : "";
  }

  /** A connection that answers; the one that is open, if it still does. */
  private boolean connected() {
    if (connection != null && (inTransaction || answers())) {
      return true;
    }
    if (watching) {
      remarks.accept(
          Printed.node(connection.node())
              + " ended the connection, and with it what WATCH watched: nothing was done. Begin again with"
              + " WATCH.");
      disconnect();
      return false;
    }
    disconnect();
    for (int i = 0; i < nodes.size(); i++) {
      try {
        connection = NodeConnection.open(nodes.get(i), timeout, security);
        sendLevels();
        return true;
      } catch (IOException unreachable) {
        disconnect();
        if (i + 1 < nodes.size()) {
          remarks.accept(
              Printed.node(nodes.get(i))
                  + " unavailable, trying "
                  + Printed.node(nodes.get(i + 1)));
        }
      }
    }
    remarks.accept(Failure.noNode(nodes));
    return false;
  }

  /** Nothing is sent to a node that has gone since: what it did would not be known. */
  private boolean answers() {
    try {
      connection.exchange(List.of(NodeConnection.bytes("PING")), timeout);
      sendLevels();
      return true;
    } catch (IOException gone) {
      return false;
    }
  }

  private void sendLevels() throws IOException {
    if (!levelsSent) {
      for (Map.Entry<String, Consistency> level : levels.entrySet()) {
        connection.exchange(
            List.of(
                NodeConnection.bytes("CAIRN"),
                NodeConnection.bytes("CONSISTENCY"),
                NodeConnection.bytes(level.getKey()),
                NodeConnection.bytes(level.getValue().name())),
            timeout);
      }
      levelsSent = true;
    }
  }

  private void print(RespValue reply, RespValue value) {
    Optional<ReplicaAttribute> attribute = attribute(reply);
    String served = attribute.map(ReplicaAttribute::node).orElse(connection.node().toString());
    String node = Printed.node(served);
    if (value instanceof RespValue.Verbatim) {
      results.accept(node);
      ReplyText.lines(value).forEach(results);
    } else {
      ReplyText.indented(node + " ", ReplyText.lines(value)).forEach(results);
    }
    attribute.stream()
        .flatMap(told -> told.replicas().stream())
        .filter(replica -> !replica.node().equals(served))
        .forEach(
            replica ->
                results.accept(
                    Printed.node(replica.node()) + (replica.durable() ? " OK" : " behind")));
  }

  private static Optional<ReplicaAttribute> attribute(RespValue reply) {
    try {
      return ReplicaAttribute.of(reply);
    } catch (RespProtocolException another) {
      return Optional.empty();
    }
  }

  /** What a command means for those that follow. */
  private void follow(String name, RespValue reply, Consumer<Map<String, Consistency>> levelsTold)
      throws IOException {
    if (name.equals("MULTI")) {
      inTransaction |= !(reply instanceof RespValue.ErrorReply);
    } else if (name.equals("WATCH")) {
      watching |= !(reply instanceof RespValue.ErrorReply);
    } else if (Set.of("EXEC", "DISCARD", "UNWATCH").contains(name)) {
      inTransaction &= name.equals("UNWATCH"); // which is queued like any other
      watching &= inTransaction;
    } else if (name.equals("RESET")) {
      disconnect(); // as if it had just been opened
    } else if (SETTING_LEVELS.contains(name) && !inTransaction) {
      RespValue now =
          connection.exchange(
              List.of(NodeConnection.bytes("CAIRN"), NodeConnection.bytes("CONSISTENCY")), timeout);
      if (now instanceof RespValue.Dictionary map) {
        levelsTold.accept(levels(map));
      }
    }
  }

  private static Map<String, Consistency> levels(RespValue.Dictionary map) {
    Map<String, Consistency> told = new TreeMap<>();
    for (RespValue.Entry entry : map.entries()) {
      if (entry.key() instanceof RespValue.Bulk kind
          && entry.value() instanceof RespValue.Bulk name) {
        Consistency.named(new String(name.bytes(), StandardCharsets.UTF_8))
            .ifPresent(
                level ->
                    told.put(
                        new String(kind.bytes(), StandardCharsets.UTF_8).toUpperCase(Locale.ROOT),
                        level));
      }
    }
    return told;
  }

  private static int status(RespValue reply) {
    if (!(reply instanceof RespValue.ErrorReply error)) {
      return ExitStatus.DONE;
    }
    return switch (ErrorCode.named(error.code())
        .map(ErrorCode::outcome)
        .orElse(ErrorCode.Outcome.REFUSED)) {
      case APPLIED -> ExitStatus.DONE;
      case UNKNOWN -> ExitStatus.UNKNOWN;
      case REFUSED -> ExitStatus.ERROR;
    };
  }

  private int cut(String name, IOException why) {
    String node = Printed.node(connection.node());
    boolean queued = inTransaction && !name.equals("EXEC");
    disconnect();
    if (queued) {
      remarks.accept(
          node
              + " gave no reply ("
              + why.getMessage()
              + "): the transaction has ended and did nothing.");
      return ExitStatus.ERROR;
    }
    remarks.accept(
        "Unknown outcome: "
            + node
            + " gave no reply ("
            + why.getMessage()
            + "): if the command writes, it may or may not have been applied; read before writing again.");
    return ExitStatus.UNKNOWN;
  }

  private void disconnect() {
    if (connection != null) {
      connection.close();
    }
    connection = null;
    levelsSent = false;
    inTransaction = false;
    watching = false;
  }

  @Override
  public void close() {
    disconnect();
  }
}
