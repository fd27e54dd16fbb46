// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.protocol.Consistency;
import dev.cairn.protocol.ErrorCode;
import dev.cairn.protocol.Limits;
import dev.cairn.protocol.RespValue;
import dev.cairn.protocol.Slots;
import dev.cairn.protocol.Topology;
import dev.cairn.server.metrics.Metrics;
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
import java.util.function.LongSupplier;

/**
 * From words to a command that is ready to run: looks it up, checks what the table can check
 * (arity, length of keys), redirects what a Redis Cluster node would redirect, and has its row plan
 * it. Error texts are Redis 7's, since clients and people know them.
 *
 * <p>Immutable and shared by all connections of a face; whoever calls brings the connection's state
 * and thread.
 */
public final class Commands implements AutoCloseable {
  /** The family of a request whose command does not exist. */
  private static final String UNKNOWN = "unknown";

  private static final int QUOTED_BYTES_MAX = 128;

  private final Router router;
  private final Face face;
  private final NodeFacts facts;
  private final Metrics metrics;
  private final CommandCounts counts;
  private final Clients clients = new Clients();
  private final SlowLog slowLog;
  private final Searches searches = new Searches();
  private final LongSupplier random = new SecureRandom()::nextLong;
  private final AtomicReference<ScanPosition> randomPosition = new AtomicReference<>();

  /** Commands of one face of one node. */
  public Commands(Router router, Face face, NodeFacts facts, SlowLog slowLog, Metrics metrics) {
    this.router = router;
    this.face = face;
    this.facts = facts;
    this.metrics = metrics;
    this.counts = new CommandCounts(metrics.commands());
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

  /** What the node measures. */
  Metrics metrics() {
    return metrics;
  }

  CommandCounts counts() {
    return counts;
  }

  /** Counts the reply to what could not be run: a request that is none, or that comes too late. */
  public RespValue.ErrorReply rejected(RespValue.ErrorReply why) {
    return counts.rejected(null, why);
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

  /** Where keys are compared with patterns. */
  Searches searches() {
    return searches;
  }

  /** Ends all searches; for when no connection is left that waits for one. */
  @Override
  public void close() {
    searches.close();
  }

  /** Random numbers of all 64 bits. */
  LongSupplier random() {
    return random;
  }

  /** Where RANDOMKEY goes on; null: at the start. */
  AtomicReference<ScanPosition> randomPosition() {
    return randomPosition;
  }

  /**
   * Looks a request up, checks it, and plans what it will do. Changes nothing: that is for {@link
   * Ready#start}, once what must be before it was answered. To be called when all requests before
   * it were started, since what they did to the connection counts.
   *
   * @param client the connection's state; this is called on its thread
   * @param words one or more; never modified afterwards
   * @param refusal why it cannot be carried out although it could be read; empty for nearly all
   */
  public Ready plan(ClientState client, List<byte[]> words, String refusal) {
    int commandAt = RequestOptions.commandAt(words);
    List<byte[]> own = commandAt == 0 ? words : words.subList(commandAt, words.size());
    Command found = CommandTable.find(own.get(0));
    Ready ready = new Ready(this, client, found == null ? UNKNOWN : found.name());
    try {
      if (!refusal.isEmpty()) {
        throw new Refusal(refusal);
      }
      RequestOptions options = commandAt == 0 ? RequestOptions.NONE : options(words);
      return plan(ready, client, found, own, options);
    } catch (Refusal wrong) {
      return ready.reject(wrong.reply());
    }
  }

  private static RequestOptions options(List<byte[]> words) {
    try {
      return RequestOptions.of(words);
    } catch (IllegalArgumentException malformed) {
      throw new Refusal(malformed.getMessage());
    }
  }

  /**
   * As above, of a command with its options.
   *
   * @throws Refusal where it is not even tried
   */
  private Ready plan(
      Ready ready, ClientState client, Command found, List<byte[]> words, RequestOptions options) {
    if (found == null) {
      return ready.reject(unknownCommand(words));
    }
    Command command = found;
    String name = found.nameAs(words.get(0));
    if (!found.subcommands().isEmpty() && words.size() > 1) {
      command = CommandTable.find(found, words.get(1));
      if (command == null) {
        throw new Refusal(
            "unknown subcommand '%s'. Try %s HELP."
                .formatted(quoted(words.get(1)), found.name().toUpperCase(Locale.ROOT)));
      }
      name = name + "|" + command.name();
    }
    ready.names(command);
    if (!command.accepts(words.size())) {
      throw Refusal.arity(name);
    }
    ready.called(name, words, options);
    Optional<String> unfit = options.unfitFor(command);
    if (unfit.isPresent()) {
      throw new Refusal(unfit.get());
    }
    RespValue.ErrorReply refusal = refusal(ready.call());
    if (refusal != null) {
      return ready.reject(refusal);
    }
    if (client.transaction().open() && !command.runsAtOnce()) {
      return ready.queue();
    }
    return ready.will(plan(ready.call()));
  }

  private static Plan plan(Call call) {
    try {
      return call.command().planner().plan(call);
    } catch (Refusal wrong) {
      return new Plan.Answer(wrong.reply());
    } catch (RuntimeException bug) {
      return new Plan.Own(
          Effect.NOTHING,
          started -> {
            throw bug; // whoever starts it knows what to do about bugs
          });
    }
  }

  /** A command begins, at the time that is returned. */
  long started(ClientState client, String name) {
    long nanos = facts.nanoTime().getAsLong();
    client.runs(name, nanos);
    return nanos;
  }

  /** A command that began then has its reply; one that is queued counts when EXEC has run it. */
  void ran(Call call, RespValue reply, long startedNanos, boolean queued) {
    long nanos = facts.nanoTime().getAsLong() - startedNanos;
    ShownWords words = new ShownWords(call.command(), call.words());
    slowLog.ran(call.client(), words, nanos, facts.clock());
    if (!queued) {
      counts.answered(call.command(), reply, nanos);
    }
  }

  /**
   * The reply of a command that is not even tried. A transaction that it was meant for will not be
   * carried out either.
   */
  RespValue rejected(ClientState client, boolean exec, RespValue.ErrorReply why) {
    client.transaction().spoil();
    if (!exec) {
      return why;
    }
    clients.end(client);
    return Refusal.aborted("of: " + why.message()).reply();
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
