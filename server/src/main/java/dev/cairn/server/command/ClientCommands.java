// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import static dev.cairn.server.command.Row.plain;

import dev.cairn.protocol.RespValue;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** CLIENT: what connections say of themselves, and of each other. */
final class ClientCommands {
  private static final String NO_SPECIAL_CHARACTERS =
      "%s cannot contain spaces, newlines or special characters.";
  private static final Set<String> TYPES = Set.of("normal", "master", "replica", "slave", "pubsub");

  private static final String NO_TRACKING =
      "client-side caching is not there: a node does not remember who read what";

  static final List<Row.Written> ROWS =
      Row.group(
          "connection",
          Row.container(
              "CLIENT",
              "2.4.0",
              "About connections.",
              plain(
                  "CLIENT CACHING <YES | NO>",
                  "6.0.0",
                  "An error: client-side caching is not there.",
                  ClientCommands::caching),
              plain(
                  "CLIENT GETNAME",
                  "2.6.9",
                  "Returns the connection's name.",
                  ClientCommands::getname),
              plain(
                  "CLIENT GETREDIR",
                  "6.0.0",
                  "Returns -1: client-side caching is not there.",
                  call -> call.reply(new RespValue.Int(-1))),
              plain(
                  "CLIENT ID",
                  "5.0.0",
                  "Returns the connection's id.",
                  call -> call.reply(new RespValue.Int(call.client().id()))),
              plain(
                  "CLIENT INFO",
                  "6.2.0",
                  "Describes this connection.",
                  call -> call.reply(lines(call, List.of(call.client())))),
              plain(
                      "CLIENT KILL [host:port] [ID id | ADDR host:port | LADDR host:port"
                          + " | TYPE type | USER name | SKIPME <YES | NO> ...]",
                      "2.4.0",
                      "Closes connections of this port.",
                      ClientCommands::kill)
                  .slow("O(N) where N is the number of connections")
                  .with(Command.Trait.ADMIN)
                  .with(Command.Trait.AUDITED),
              plain(
                      "CLIENT LIST [TYPE type] [ID id ...]",
                      "2.4.0",
                      "Describes the connections of this port.",
                      ClientCommands::list)
                  .slow("O(N) where N is the number of connections")
                  .with(Command.Trait.ADMIN),
              plain(
                      "CLIENT NO-EVICT <ON | OFF>",
                      "7.0.0",
                      "Accepted; changes nothing but a flag in CLIENT LIST.",
                      call -> {
                        onOrOff(call);
                        call.client().noEvict(call.wordIs(2, "ON"));
                      })
                  .with(Command.Trait.ADMIN),
              plain(
                  "CLIENT NO-TOUCH <ON | OFF>",
                  "7.2.0",
                  "Accepted, changes nothing.",
                  ClientCommands::onOrOff),
              plain(
                      "CLIENT PAUSE timeout [WRITE | ALL]",
                      "2.9.50",
                      "Has the commands of this port of this node wait for so many milliseconds,"
                          + " all but CLIENT, QUIT and RESET, or the writes only.",
                      ClientCommands::pause)
                  .with(Command.Trait.ADMIN)
                  .with(Command.Trait.AUDITED),
              plain(
                  "CLIENT REPLY <ON | OFF | SKIP>",
                  "3.2.0",
                  "Whether replies are sent; SKIP leaves out the next one.",
                  ClientCommands::replies),
              plain(
                  "CLIENT SETINFO <LIB-NAME libname | LIB-VER libver>",
                  "7.2.0",
                  "Names the client's library.",
                  ClientCommands::setinfo),
              plain(
                  "CLIENT SETNAME connection-name",
                  "2.6.9",
                  "Names the connection.",
                  ClientCommands::setname),
              plain(
                  "CLIENT TRACKING <ON | OFF> [option ...]",
                  "6.0.0",
                  "Accepts OFF: client-side caching is not there.",
                  ClientCommands::tracking),
              plain(
                  "CLIENT TRACKINGINFO",
                  "6.2.0",
                  "Says that client-side caching is off.",
                  ClientCommands::trackinginfo),
              plain(
                      "CLIENT UNBLOCK client-id [TIMEOUT | ERROR]",
                      "5.0.0",
                      "Returns 0: no command blocks but WAIT, which ends by itself.",
                      ClientCommands::unblock)
                  .with(Command.Trait.ADMIN),
              plain(
                      "CLIENT UNPAUSE",
                      "6.2.0",
                      "Ends CLIENT PAUSE.",
                      call -> {
                        call.port().clients().pause().end();
                        call.ok();
                      })
                  .with(Command.Trait.ADMIN)));

  private ClientCommands() {}

  private static RespValue lines(Call call, Iterable<ClientState> clients) {
    long nowMillis = call.port().facts().clock().millis();
    long nowNanos = call.port().facts().nanoTime().getAsLong();
    StringBuilder lines = new StringBuilder();
    for (ClientState client : clients) {
      lines.append(client.line(nowMillis, nowNanos)).append('\n');
    }
    return new RespValue.Verbatim("txt", lines.toString().getBytes(StandardCharsets.UTF_8));
  }

  private static void list(Call call) {
    Predicate<ClientState> wanted = client -> true;
    if (call.count() == 4 && call.wordIs(2, "TYPE")) {
      wanted = ofType(call.text(3));
    } else if (call.count() > 3 && call.wordIs(2, "ID")) {
      Set<Long> ids = new HashSet<>();
      for (int i = 3; i < call.count(); i++) {
        ids.add(call.integer(i, "Invalid client ID"));
      }
      wanted = client -> ids.contains(client.id());
    } else if (call.count() != 2) {
      throw Refusal.syntax();
    }
    call.reply(lines(call, call.port().clients().open().stream().filter(wanted).toList()));
  }

  private static Predicate<ClientState> ofType(String type) {
    if (!TYPES.contains(type.toLowerCase(Locale.ROOT))) {
      throw new Refusal("Unknown client type '" + type + "'");
    }
    boolean normal = type.equalsIgnoreCase("normal");
    return client -> normal;
  }

  /** The old form names one connection and answers OK; the new one counts what it closed. */
  private static void kill(Call call) {
    if (call.count() == 2) {
      throw Refusal.arity("client|kill");
    }
    boolean old = call.count() == 3;
    Predicate<ClientState> wanted = old ? at(call.text(2)) : client -> true;
    boolean skipMe = !old;
    for (int i = 3; i < call.count() && !old; i += 2) {
      String value = call.text(i);
      switch (call.text(i - 1).toUpperCase(Locale.ROOT)) {
        case "ID" -> {
          long id = call.integer(i, "client-id should be greater than 0");
          if (id < 1) {
            throw new Refusal("client-id should be greater than 0");
          }
          wanted = wanted.and(client -> client.id() == id);
        }
        case "ADDR" -> wanted = wanted.and(at(value));
        case "LADDR" -> wanted = wanted.and(client -> client.localAddress().equals(value));
        case "TYPE" -> wanted = wanted.and(ofType(value));
        case "USER" -> {
          String user = Authentication.bytes(call.word(i));
          if (call.port().access().users().user(user).isEmpty()) {
            throw new Refusal("No such user '" + value + "'");
          }
          wanted = wanted.and(client -> client.rights().name().equals(user));
        }
        case "SKIPME" -> skipMe = skipMe(value);
        default -> throw Refusal.syntax();
      }
    }
    if (!old && call.count() % 2 != 0) {
      throw Refusal.syntax();
    }
    ClientState self = call.client();
    if (skipMe) {
      wanted = wanted.and(client -> client.id() != self.id());
    }
    List<ClientState> found =
        new ArrayList<>(call.port().clients().open().stream().filter(wanted).toList());
    if (old && found.isEmpty()) {
      throw new Refusal("No such client");
    }
    boolean alsoMe = found.removeIf(client -> client.id() == self.id());
    found.forEach(ClientState::kill);
    if (alsoMe) {
      self.close(); // once this is answered
    }
    call.reply(old ? RespValue.OK : new RespValue.Int(found.size() + (alsoMe ? 1 : 0)));
  }

  private static Predicate<ClientState> at(String address) {
    return client -> client.address().equals(address);
  }

  private static boolean skipMe(String value) {
    return switch (value.toUpperCase(Locale.ROOT)) {
      case "YES" -> true;
      case "NO" -> false;
      default -> throw Refusal.syntax();
    };
  }

  private static void pause(Call call) {
    if (call.count() > 4) {
      throw Refusal.subcommand(call.words());
    }
    boolean writesOnly = call.count() == 4 && call.wordIs(3, "WRITE");
    if (call.count() == 4 && !writesOnly && !call.wordIs(3, "ALL")) {
      throw new Refusal("CLIENT PAUSE mode must be WRITE or ALL");
    }
    long millis = call.integer(2, "timeout is not an integer or out of range");
    if (millis < 0) {
      throw new Refusal("timeout is negative");
    }
    long now = call.port().facts().nanoTime().getAsLong();
    long nanos = Math.min(TimeUnit.MILLISECONDS.toNanos(millis), Long.MAX_VALUE / 2);
    call.port().clients().pause().begin(now + nanos, writesOnly);
    call.ok();
  }

  private static void unblock(Call call) {
    if (call.count() > 4) {
      throw Refusal.subcommand(call.words());
    }
    if (call.count() == 4 && !call.wordIs(3, "TIMEOUT") && !call.wordIs(3, "ERROR")) {
      throw new Refusal("CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
    }
    call.integer(2);
    call.reply(new RespValue.Int(0));
  }

  private static void tracking(Call call) {
    if (call.wordIs(2, "ON")) {
      throw new Refusal(NO_TRACKING);
    }
    if (!call.wordIs(2, "OFF") || call.count() > 3) {
      throw Refusal.syntax();
    }
    call.ok();
  }

  private static void caching(Call call) {
    throw new Refusal(
        "CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT"
            + " mode enabled");
  }

  private static void trackinginfo(Call call) {
    call.reply(
        new RespValue.Dictionary(
            List.of(
                Replies.entry("flags", new RespValue.Collection(List.of(RespValue.bulk("off")))),
                Replies.entry("redirect", new RespValue.Int(-1)),
                Replies.entry("prefixes", RespValue.array()))));
  }

  private static void replies(Call call) {
    switch (call.text(2).toUpperCase(Locale.ROOT)) {
      case "ON" -> call.client().repliesOn();
      case "OFF" -> call.client().repliesOff();
      case "SKIP" -> call.client().skipNextReply();
      default -> throw Refusal.syntax();
    }
    call.ok();
  }

  private static void setname(Call call) {
    call.client().name(plainName(call.text(2), "Client names"));
    call.ok();
  }

  private static void getname(Call call) {
    String name = call.client().name();
    call.reply(name.isEmpty() ? RespValue.NIL : RespValue.bulk(name));
  }

  private static void setinfo(Call call) {
    String attribute = call.text(2).toLowerCase(Locale.ROOT);
    if (!attribute.equals("lib-name") && !attribute.equals("lib-ver")) {
      throw new Refusal("Unrecognized option '" + call.text(2) + "'");
    }
    String value = plainName(call.text(3), attribute);
    if (attribute.equals("lib-name")) {
      call.client().libraryName(value);
    } else {
      call.client().libraryVersion(value);
    }
    call.ok();
  }

  private static void onOrOff(Call call) {
    if (!call.wordIs(2, "ON") && !call.wordIs(2, "OFF")) {
      throw Refusal.syntax();
    }
    call.ok();
  }

  /** Redis: printable ASCII without the space. */
  static String plainName(String text, String what) {
    if (!text.chars().allMatch(c -> c >= '!' && c <= '~')) {
      throw new Refusal(NO_SPECIAL_CHARACTERS.formatted(what));
    }
    return text;
  }
}
