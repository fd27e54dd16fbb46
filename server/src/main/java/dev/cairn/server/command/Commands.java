// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.protocol.Consistency;
import dev.cairn.protocol.ErrorCode;
import dev.cairn.protocol.Limits;
import dev.cairn.protocol.RespValue;
import dev.cairn.protocol.Slots;
import dev.cairn.protocol.Topology;
import dev.cairn.server.routing.ReplyMemory;
import dev.cairn.server.routing.Router;
import dev.cairn.server.routing.ScanPosition;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * From words to a command that runs: looks it up, checks what the table can check (arity, length of
 * keys), redirects what a Redis Cluster node would redirect, and calls the handler. Error texts are
 * Redis 7's, since clients and people know them.
 *
 * <p>Immutable and shared by all connections of a face; whoever calls brings the connection's state
 * and thread.
 */
public final class Commands {
  private static final int QUOTED_BYTES_MAX = 128;

  private final Router router;
  private final Face face;
  private final NodeFacts facts;
  private final Clients clients = new Clients();
  private final SlowLog slowLog;
  private final LongSupplier random = new SecureRandom()::nextLong;
  private final AtomicReference<ScanPosition> randomPosition = new AtomicReference<>();

  /** Commands of one face of one node. */
  public Commands(Router router, Face face, NodeFacts facts, SlowLog slowLog) {
    this.router = router;
    this.face = face;
    this.facts = facts;
    this.slowLog = slowLog;
  }

  Router router() {
    return router;
  }

  Face face() {
    return face;
  }

  NodeFacts facts() {
    return facts;
  }

  /** The connections of this face. */
  public Clients clients() {
    return clients;
  }

  /** Where answers are counted that clients have not read yet. */
  public ReplyMemory replies() {
    return router.replies();
  }

  SlowLog slowLog() {
    return slowLog;
  }

  /** Random numbers of all 64 bits. */
  LongSupplier random() {
    return random;
  }

  /** Where RANDOMKEY goes on; null: at the start. */
  AtomicReference<ScanPosition> randomPosition() {
    return randomPosition;
  }

  /** The command that these words name, if there is one; of {@code CAIRN WITH}, the one it does. */
  public Optional<Command> find(List<byte[]> words) {
    return Optional.ofNullable(CommandTable.find(words.get(RequestOptions.commandAt(words))));
  }

  /**
   * Runs one command. Returns at once.
   *
   * @param found what {@link #find} found
   * @param client the connection's state; this is called on its thread
   * @param words one or more; never modified afterwards
   * @param done takes the reply, exactly once, on any thread
   */
  public void run(
      Optional<Command> found, ClientState client, List<byte[]> words, Consumer<RespValue> done) {
    int commandAt = RequestOptions.commandAt(words);
    if (commandAt == 0) {
      run(found, client, words, RequestOptions.NONE, done);
      return;
    }
    RequestOptions options;
    try {
      options = RequestOptions.of(words);
    } catch (IllegalArgumentException malformed) {
      done.accept(RespValue.error(ErrorCode.ERR, malformed.getMessage()));
      return;
    }
    run(found, client, words.subList(commandAt, words.size()), options, done);
  }

  private void run(
      Optional<Command> found,
      ClientState client,
      List<byte[]> words,
      RequestOptions options,
      Consumer<RespValue> done) {
    if (found.isEmpty()) {
      done.accept(rejected(client, false, unknownCommand(words)));
      return;
    }
    Command command = found.get();
    boolean exec = command.name().equals("exec");
    String name = command.nameAs(words.get(0));
    if (!command.subcommands().isEmpty() && words.size() > 1) {
      Command subcommand = CommandTable.find(command, words.get(1));
      if (subcommand == null) {
        String text =
            "unknown subcommand '%s'. Try %s HELP."
                .formatted(quoted(words.get(1)), command.name().toUpperCase(Locale.ROOT));
        done.accept(rejected(client, exec, new Refusal(text).reply()));
        return;
      }
      command = subcommand;
      name = name + "|" + subcommand.name();
    }
    if (!command.accepts(words.size())) {
      done.accept(rejected(client, exec, Refusal.arity(name).reply()));
      return;
    }
    long startedNanos = facts.nanoTime().getAsLong();
    client.runs(name, startedNanos);
    clients.commandRun();
    Optional<String> unfit = options.unfitFor(command);
    if (unfit.isPresent()) {
      done.accept(rejected(client, exec, new Refusal(unfit.get()).reply()));
      return;
    }
    Consumer<RespValue> timed =
        reply -> {
          long nanos = facts.nanoTime().getAsLong() - startedNanos;
          slowLog.ran(client, words, nanos, facts.clock());
          done.accept(reply);
        };
    Call call = new Call(this, command, client, words, options, timed);
    boolean queues = client.transaction().open() && !command.runsAtOnce();
    RespValue.ErrorReply refusal = refusal(call);
    if (refusal != null) {
      done.accept(rejected(client, exec, refusal));
      return;
    }
    try {
      if (queues) {
        TransactionCommands.queue(call);
      } else {
        command.handler().run(call);
      }
    } catch (Refusal wrong) {
      done.accept(queues ? rejected(client, false, wrong.reply()) : wrong.reply());
    }
  }

  /**
   * The reply of a command that is not even tried. A transaction that it was meant for will not be
   * carried out either.
   */
  private RespValue rejected(ClientState client, boolean exec, RespValue.ErrorReply why) {
    client.transaction().spoil();
    if (!exec) {
      return why;
    }
    clients.end(client);
    return Refusal.aborted("of: " + why.message()).reply();
  }

  /** What a command does to data now: queued, it does nothing yet. */
  public Command.Access access(Command command, ClientState client) {
    return client.transaction().open() && !command.runsAtOnce()
        ? Command.Access.NONE
        : command.access();
  }

  static String lower(byte[] word) {
    return new String(word, StandardCharsets.ISO_8859_1).toLowerCase(Locale.ROOT);
  }

  /** Why a command with keys is not for this node, or null. */
  private RespValue.ErrorReply refusal(Call call) {
    Command command = call.command();
    if (command.keys().first() == 0) {
      return null;
    }
    boolean fromOne =
        command.access() == Command.Access.READ
            && call.readLevel() == Consistency.ONE
            && !call.client().transaction().open();
    return refusal(command.keys().of(call.words()), fromOne);
  }

  /**
   * Why a request with these keys is not for this node, or null.
   *
   * @param fromOne whether this node's own replica will do
   */
  RespValue.ErrorReply refusal(List<byte[]> keys, boolean fromOne) {
    int slot = -1;
    boolean oneSlot = true;
    for (byte[] key : keys) {
      if (key.length < Limits.KEY_BYTES_MIN || key.length > Limits.KEY_BYTES_MAX) {
        return RespValue.error(
            ErrorCode.ERR,
            "key must be %d to %d bytes, this one has %d"
                .formatted(Limits.KEY_BYTES_MIN, Limits.KEY_BYTES_MAX, key.length));
      }
      if (face == Face.CLUSTER) {
        int slotOfKey = Slots.of(key);
        oneSlot &= slot < 0 || slot == slotOfKey;
        slot = slotOfKey;
      }
    }
    if (!oneSlot) {
      return RespValue.error(ErrorCode.CROSSSLOT, "Keys in request don't hash to the same slot");
    }
    return slot < 0 ? null : redirection(slot, fromOne);
  }

  /**
   * Cluster port: where the slot is led if not here, or null if it is served here.
   *
   * @param fromOne whether this node's own replica will do
   */
  private RespValue.ErrorReply redirection(int slot, boolean fromOne) {
    OptionalInt partition = router.partitionOfSlot(slot);
    if (partition.isPresent()
        && (router.leads(partition.getAsInt())
            || (fromOne && router.servesOwn(partition.getAsInt())))) {
      return null;
    }
    Topology topology = router.topology();
    Optional<Topology.Node> leader =
        topology
            .partitionOfSlot(slot)
            .flatMap(Topology.Partition::leaderId)
            .flatMap(topology::node);
    if (leader.isEmpty() || leader.get().id().equals(router.nodeId())) {
      return null; // between two leaders: it waits for the next one, and answers CLUSTERDOWN if
      // none comes
    }
    if (leader.get().clusterPort() == 0) {
      return null; // nowhere to send the client to: forward, as the client port does
    }
    return RespValue.error(
        ErrorCode.MOVED,
        "%d %s:%d".formatted(slot, leader.get().host(), leader.get().clusterPort()));
  }

  private static RespValue.ErrorReply unknownCommand(List<byte[]> words) {
    StringBuilder arguments = new StringBuilder();
    for (int i = 1; i < words.size() && arguments.length() < QUOTED_BYTES_MAX; i++) {
      String word = shown(words.get(i));
      int room = QUOTED_BYTES_MAX - arguments.length();
      arguments.append('\'').append(word, 0, Math.min(room, word.length())).append("' ");
    }
    return RespValue.error(
        ErrorCode.ERR,
        "unknown command '%s', with args beginning with: %s"
            .formatted(quoted(words.get(0)), arguments));
  }

  /** A word as errors repeat it: as text, up to the first 0 as in Redis. */
  static String shown(byte[] word) {
    String text = new String(word, StandardCharsets.UTF_8);
    int end = text.indexOf(0);
    return end < 0 ? text : text.substring(0, end);
  }

  private static String quoted(byte[] word) {
    String text = shown(word);
    return text.substring(0, Math.min(text.length(), QUOTED_BYTES_MAX));
  }
}
