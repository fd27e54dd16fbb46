// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.protocol.Consistency;
import dev.cairn.protocol.ErrorCode;
import dev.cairn.protocol.RespValue;
import dev.cairn.server.access.AccessControl;
import dev.cairn.server.access.Audit;
import dev.cairn.server.access.ClientAddress;
import dev.cairn.server.access.Login;
import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.routing.ReplyMemory;
import dev.cairn.server.routing.Router;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * From words to a command that is ready to run: looks it up, checks what the table can check
 * (arity, whether its user may, length of keys), redirects what a Redis Cluster node would
 * redirect, and has its row plan it. Error texts are Redis 7's, since clients and people know them.
 *
 * <p>Immutable and shared by all connections of a port; whoever calls brings the connection's state
 * and thread.
 */
public final class Commands implements AutoCloseable {
  /** The family of a request whose command does not exist. */
  private static final String UNKNOWN = "unknown";

  private final Port port;

  /** Commands of one port of one node. */
  public Commands(
      Router router,
      PortKind kind,
      NodeFacts facts,
      SlowLog slowLog,
      Metrics metrics,
      AccessControl access) {
    this.port =
        new Port(
            router,
            kind,
            facts,
            slowLog,
            metrics,
            access,
            new KeyDirections(CommandTable.byNumber()),
            CommandTable::planner);
    access.whenChanged(this::endWhoMayNoMore);
  }

  /** A connection has opened. On its event loop. */
  public void opened(ClientState client) {
    client.rights().begin(port.access());
    port.clients().opened(client);
  }

  /**
   * Its client has shown a certificate: it is that user, where certificates are. On its event loop.
   *
   * @param name the certificate's common name
   */
  public void showed(ClientState client, String name) {
    if (!port.access().certificatesAreUsers()) {
      return;
    }
    String user = Login.bytes(name);
    boolean in = client.rights().shows(port.access(), user).isPresent();
    port.access()
        .audit()
        .add(
            new Audit.Event(
                Audit.Kind.LOGIN,
                in ? Audit.Outcome.DONE : Audit.Outcome.REFUSED,
                user,
                ClientAddress.of(client.address()).host(),
                "by certificate"));
  }

  /** It has closed. On its event loop. */
  public void closed(ClientState client) {
    port.clients().closed(client);
    client.rights().close(port.access());
  }

  private void endWhoMayNoMore() {
    for (ClientState client : port.clients().open()) {
      if (client.rights().isToEnd(port.access())) {
        client.kill();
      }
    }
  }

  /** Counts the reply to what could not be run: a request that is none, or that comes too late. */
  public RespValue.ErrorReply rejected(RespValue.ErrorReply why) {
    return port.counts().rejected(null, why);
  }

  /** The connections of this port. */
  public Clients clients() {
    return port.clients();
  }

  /** Where answers are counted that clients have not read yet. */
  public ReplyMemory replies() {
    return port.router().replies();
  }

  /** Ends all searches; for when no connection is left that waits for one. */
  @Override
  public void close() {
    port.searches().close();
  }

  /**
   * Looks a request up, checks it, and plans what it will do. Changes nothing: that is for {@link
   * PlannedRequest#start}, once what must be before it was answered. To be called when all requests
   * before it were started, since what they did to the connection counts.
   *
   * @param client the connection's state; this is called on its thread
   * @param words one or more; never modified afterwards
   * @param refusal why it cannot be carried out although it could be read; empty for nearly all
   */
  public PlannedRequest plan(ClientState client, List<byte[]> words, String refusal) {
    int commandAt = RequestOptions.commandAt(words);
    List<byte[]> own = commandAt == 0 ? words : words.subList(commandAt, words.size());
    Command found = find(client, own.get(0));
    PlannedRequest ready = new PlannedRequest(port, client, found == null ? UNKNOWN : found.name());
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

  private static Command find(ClientState client, byte[] name) {
    Command found = client.known(name);
    if (found == null) {
      found = CommandTable.find(name);
      if (found != null) {
        client.knows(name, found);
      }
    }
    return found;
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
  private PlannedRequest plan(
      PlannedRequest ready,
      ClientState client,
      Command found,
      List<byte[]> words,
      RequestOptions options) {
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
                .formatted(Words.quoted(words.get(1)), found.name().toUpperCase(Locale.ROOT)));
      }
      name = name + "|" + command.name();
    }
    ready.names(command);
    if (!command.accepts(words.size())) {
      throw Refusal.arity(name);
    }
    ready.called(name, words, options);
    RespValue.ErrorReply forbidden = Permission.refusal(ready.call());
    if (forbidden != null) {
      return ready.reject(forbidden);
    }
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
      return CommandTable.planner(call.command()).plan(call);
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
    return call.port().redirection().of(command.keys().of(call.words()), fromOne);
  }

  private static RespValue.ErrorReply unknownCommand(List<byte[]> words) {
    StringBuilder arguments = new StringBuilder();
    for (int i = 1; i < words.size() && arguments.length() < Words.QUOTED_BYTES_MAX; i++) {
      String word = Words.shown(words.get(i));
      int room = Words.QUOTED_BYTES_MAX - arguments.length();
      arguments.append('\'').append(word, 0, Math.min(room, word.length())).append("' ");
    }
    return RespValue.error(
        ErrorCode.ERR,
        "unknown command '%s', with args beginning with: %s"
            .formatted(Words.quoted(words.get(0)), arguments));
  }
}
