// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.protocol.ErrorCode;
import dev.cairn.protocol.RespValue;
import dev.cairn.server.access.Audit;
import dev.cairn.server.access.ClientAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * A request that {@link Commands#plan} looked up, checked and planned, and that has not begun. What
 * it will do is known, and so what must be answered before it begins; that is for the connection to
 * await. Refused requests are ready too: their reply is known.
 *
 * <p>Thread: the connection's event loop; its reply comes on any.
 */
public final class PlannedRequest implements Consumer<RespValue> {
  private final Port port;
  private final ClientState client;
  private final String family;
  private Command command; // null: there is no such command
  private String name; // null: it was refused before it was known to be whole
  private Call call;
  private Plan plan;
  private boolean queues; // until EXEC
  private boolean rejected; // a transaction that it was meant for will not be carried out
  private Consumer<RespValue> done;
  private long startedNanos;

  /**
   * A request of which nothing is known but its command.
   *
   * @param family the name of its row in the table
   */
  PlannedRequest(Port port, ClientState client, String family) {
    this.port = port;
    this.client = client;
    this.family = family;
  }

  /** There is such a command. */
  void names(Command found) {
    command = found;
  }

  /** It is a command, whole, with so many words that it accepts. */
  void called(String fullName, List<byte[]> words, RequestOptions options) {
    name = fullName;
    call = new Call(port, command, client, words, options, this);
  }

  Call call() {
    return call;
  }

  /** What it will do. */
  PlannedRequest will(Plan planned) {
    plan = planned;
    return this;
  }

  /** It is queued until EXEC, if it may be. */
  PlannedRequest queue() {
    queues = true;
    return will(TransactionCommands.QUEUE);
  }

  /** It is not even tried. */
  PlannedRequest reject(RespValue.ErrorReply why) {
    rejected = true;
    return will(new Plan.Answer(why));
  }

  /** The name by which it is counted. */
  public String family() {
    return family;
  }

  /** What it will do to keys, and so what it must wait for. */
  public Effect effect() {
    return plan.effect();
  }

  /**
   * Begins. Returns at once.
   *
   * @param reply takes the reply, exactly once, on any thread
   */
  public void start(Consumer<RespValue> reply) {
    done = reply;
    if (name != null) {
      startedNanos = started();
    }
    if (rejected) {
      RespValue.ErrorReply why = (RespValue.ErrorReply) ((Plan.Answer) plan).value();
      done.accept(rejected(family.equals("exec"), port.counts().rejected(command, why)));
      return;
    }
    RespValue.ErrorReply forbidden = forbiddenSince();
    if (forbidden != null) {
      done.accept(rejected(family.equals("exec"), port.counts().rejected(command, forbidden)));
      return;
    }
    try {
      Fanout.run(call, plan);
    } catch (Refusal wrong) {
      if (queues) {
        RespValue.ErrorReply why = port.counts().rejected(command, wrong.reply());
        done.accept(rejected(false, why));
      } else {
        accept(wrong.reply());
      }
    }
  }

  /** Why it may not be run any more: rights have changed while it waited for its turn. */
  private RespValue.ErrorReply forbiddenSince() {
    return call == null || client.rights().seen() == port.access().users()
        ? null
        : Permission.refusal(call);
  }

  /** The reply of a command that was tried. */
  @Override
  public void accept(RespValue reply) {
    long nanos = port.facts().nanoTime().getAsLong() - startedNanos;
    port.slowLog().ran(client, new ShownWords(command, call.words()), nanos, port.facts().clock());
    if (!queues) { // one that is queued counts when EXEC has run it
      port.counts().answered(command, reply, nanos);
    }
    if (command.isAudited()) {
      audit(reply);
    }
    done.accept(reply);
  }

  private void audit(RespValue reply) {
    String what =
        new ShownWords(command, call.words())
            .audited().stream()
                .map(word -> new String(word, StandardCharsets.ISO_8859_1))
                .collect(Collectors.joining(" "));
    Audit.Outcome outcome =
        !(reply instanceof RespValue.ErrorReply error)
            ? Audit.Outcome.DONE
            : error.code().equals(ErrorCode.UNKNOWN.name())
                    || error.code().equals(ErrorCode.NOTALL.name())
                ? Audit.Outcome.UNKNOWN
                : Audit.Outcome.REFUSED;
    String from = ClientAddress.of(client.address()).host();
    port.access()
        .audit()
        .add(new Audit.Event(Audit.Kind.COMMAND, outcome, client.rights().name(), from, what));
  }

  private long started() {
    long nanos = port.facts().nanoTime().getAsLong();
    client.runs(name, nanos);
    return nanos;
  }

  /**
   * The reply of a command that is not even tried. A transaction that it was meant for will not be
   * carried out either.
   */
  private RespValue rejected(boolean exec, RespValue.ErrorReply why) {
    client.transaction().spoil();
    if (!exec) {
      return why;
    }
    port.clients().end(client);
    return Refusal.aborted("of: " + (why.code().equals("ERR") ? why.message() : why.text()))
        .reply();
  }
}
