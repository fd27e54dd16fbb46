// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import static dev.cairn.server.command.Replies.entry;
import static dev.cairn.server.command.Row.plain;
import static dev.cairn.server.command.Row.report;

import dev.cairn.protocol.RespValue;
import dev.cairn.server.access.AccessLog;
import dev.cairn.server.access.Catalog;
import dev.cairn.server.access.RightsWriter;
import dev.cairn.server.access.User;
import dev.cairn.server.access.UserRules;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** ACL: users and what they may do, in the whole cluster. */
final class AclCommands {
  static final List<Row.Written> ROWS =
      Row.group(
          "server",
          Row.container(
              "ACL",
              "6.0.0",
              "Users and what they may do, in the whole cluster.",
              plain(
                      "ACL CAT [category]",
                      "6.0.0",
                      "Names the categories of commands, or the commands of one.",
                      AclCommands::cat)
                  .slow("O(1)"),
              report(
                      "ACL DELUSER username [username ...]",
                      "6.0.0",
                      "Takes users away, and ends their connections.",
                      AclCommands::delete)
                  .slow("O(1)")
                  .with(Command.Trait.ADMIN)
                  .with(Command.Trait.AUDITED),
              plain(
                      "ACL DRYRUN username command [arg ...]",
                      "7.0.0",
                      "Says whether a user may run a command, and does not run it.",
                      AclCommands::dryRun)
                  .slow("O(1)")
                  .with(Command.Trait.ADMIN),
              plain(
                      "ACL GENPASS [bits]",
                      "6.0.0",
                      "Makes a password of 256 random bits, or of as many as are asked for.",
                      AclCommands::generate)
                  .slow("O(1)"),
              plain(
                      "ACL GETUSER username",
                      "6.0.0",
                      "Returns what a user may do.",
                      AclCommands::get)
                  .slow("O(N) where N is the number of rules of the user")
                  .with(Command.Trait.ADMIN),
              plain(
                      "ACL LIST",
                      "6.0.0",
                      "Returns all users as lines of a users' file, passwords as hashes.",
                      AclCommands::list)
                  .slow("O(N) where N is the number of users")
                  .with(Command.Trait.ADMIN),
              report(
                      "ACL LOG [count | RESET]",
                      "6.0.0",
                      "Returns what this node refused lately, or forgets it.",
                      AclCommands::log)
                  .slow("O(N) where N is the number of entries")
                  .with(Command.Trait.ADMIN)
                  .with(Command.Trait.AUDITED),
              report(
                      "ACL SETUSER username [rule ...]",
                      "6.0.0",
                      "Makes a user, or changes one; a new one is off and may do nothing.",
                      AclCommands::set)
                  .slow("O(N) where N is the number of rules")
                  .with(Command.Trait.ADMIN)
                  .with(Command.Trait.AUDITED),
              plain("ACL USERS", "6.0.0", "Names all users.", AclCommands::users)
                  .slow("O(N) where N is the number of users")
                  .with(Command.Trait.ADMIN),
              plain(
                      "ACL WHOAMI",
                      "6.0.0",
                      "Returns the name of the connection's user.",
                      call -> call.reply(bulk(call.client().rights().name())))
                  .slow("O(1)")));

  private static final int LOG_DEFAULT = 10;
  private static final int BITS_DEFAULT = 256;
  private static final int BITS_MAX = 4096;

  private AclCommands() {}

  /** Names and patterns are kept a byte a character. */
  private static RespValue bulk(String bytes) {
    return new RespValue.Bulk(bytes.getBytes(StandardCharsets.ISO_8859_1));
  }

  private static RespValue bulks(List<String> texts) {
    return new RespValue.Array(texts.stream().map(AclCommands::bulk).toList());
  }

  private static String name(Call call, int index) {
    return Authentication.bytes(call.word(index));
  }

  private static void cat(Call call) {
    if (call.count() > 3) {
      throw Refusal.subcommand(call.words());
    }
    if (call.count() == 2) {
      call.reply(bulks(Catalog.CATEGORIES));
      return;
    }
    List<String> named =
        call.port().access().catalog().named(call.text(2).toLowerCase(Locale.ROOT));
    if (named == null) {
      throw new Refusal("Unknown category '" + Words.quoted(call.word(2)) + "'");
    }
    call.reply(bulks(named));
  }

  private static void dryRun(Call call) {
    User user =
        call.port()
            .access()
            .users()
            .user(name(call, 2))
            .orElseThrow(() -> new Refusal("User '" + Words.quoted(call.word(2)) + "' not found"));
    List<byte[]> words = call.words().subList(3, call.count());
    Command command = CommandTable.find(words.get(0));
    if (command != null && !command.subcommands().isEmpty() && words.size() > 1) {
      command = CommandTable.find(command, words.get(1));
    }
    if (command == null) {
      throw new Refusal("Command '" + Words.quoted(words.get(0)) + "' not found");
    }
    if (!command.accepts(words.size())) {
      throw Refusal.arity(command.fullName());
    }
    User.Denial denial = Permission.denial(call.port(), user, command, words);
    if (denial == null) {
      call.ok();
    } else if (denial.ofCommand()) {
      call.reply(
          RespValue.bulk(
              "This user has no permissions to run the '" + command.fullName() + "' command"));
    } else {
      String key = Authentication.bytes(command.keys().of(words).get(denial.key()));
      call.reply(bulk("This user has no permissions to access the '" + key + "' key"));
    }
  }

  private static void generate(Call call) {
    if (call.count() > 3) {
      throw Refusal.subcommand(call.words());
    }
    long bits = call.count() == 3 ? call.integer(2) : BITS_DEFAULT;
    if (bits < 1 || bits > BITS_MAX) {
      throw new Refusal(
          "ACL GENPASS argument must be the number of bits for the output password, a positive"
              + " number up to "
              + BITS_MAX);
    }
    int digits = (int) (bits + 3) / 4;
    byte[] random = new byte[(digits + 1) / 2];
    new SecureRandom().nextBytes(random);
    call.reply(RespValue.bulk(HexFormat.of().formatHex(random).substring(0, digits)));
  }

  private static void get(Call call) {
    Optional<User> found = call.port().access().users().user(name(call, 2));
    if (found.isEmpty()) {
      call.reply(RespValue.NIL);
      return;
    }
    User user = found.get();
    List<User.Told> told = user.told();
    List<RespValue.Entry> entries = new ArrayList<>();
    entries.add(
        entry(
            "flags",
            new RespValue.Collection(
                user.flagWords().stream().<RespValue>map(RespValue.SimpleString::new).toList())));
    entries.add(entry("passwords", bulks(user.passwords())));
    entries.addAll(entries(told.get(0)));
    entries.add(
        entry(
            "selectors",
            new RespValue.Array(
                told.subList(1, told.size()).stream()
                    .<RespValue>map(one -> new RespValue.Dictionary(entries(one)))
                    .toList())));
    call.reply(new RespValue.Dictionary(entries));
  }

  private static List<RespValue.Entry> entries(User.Told told) {
    return List.of(
        entry("commands", bulk(told.commands())),
        entry("keys", bulk(told.keys())),
        entry("channels", bulk(told.channels())));
  }

  private static void list(Call call) {
    call.reply(bulks(call.port().access().users().all().stream().map(User::line).toList()));
  }

  private static void users(Call call) {
    call.reply(bulks(call.port().access().users().all().stream().map(User::name).toList()));
  }

  private static void log(Call call) {
    if (call.count() > 3) {
      throw Refusal.subcommand(call.words());
    }
    AccessLog log = call.port().access().log();
    if (call.count() == 3 && call.wordIs(2, "RESET")) {
      log.reset();
      call.ok();
      return;
    }
    long count = call.count() == 3 ? Math.max(0, call.integer(2)) : LOG_DEFAULT;
    long nowMillis = call.port().facts().clock().millis();
    call.reply(
        new RespValue.Array(
            log.latest((int) Math.min(count, AccessLog.LENGTH_MAX)).stream()
                .map(entry -> told(entry, nowMillis))
                .toList()));
  }

  private static RespValue told(AccessLog.Entry one, long nowMillis) {
    AccessLog.Refused refused = one.refused();
    return new RespValue.Dictionary(
        List.of(
            entry("count", new RespValue.Int(one.count())),
            entry("reason", RespValue.bulk(refused.reason().name().toLowerCase(Locale.ROOT))),
            entry("context", RespValue.bulk(refused.context())),
            entry("object", bulk(refused.object())),
            entry("username", bulk(refused.user())),
            entry(
                "age-seconds",
                new RespValue.Decimal(Math.max(0, nowMillis - one.atMillis()) / 1000.0)),
            entry("client-info", RespValue.bulk(refused.client()))));
  }

  private static void set(Call call) {
    String user = name(call, 2);
    String unfit = UserRules.unfitName(user);
    if (unfit != null) {
      throw new Refusal(unfit);
    }
    long bytes = call.words().stream().mapToLong(word -> word.length).sum();
    if (bytes > UserRules.BYTES_MAX) {
      throw new Refusal(
          "the rules of a user have at most %d bytes, these have %d"
              .formatted(UserRules.BYTES_MAX, bytes));
    }
    List<String> rules =
        call.words().subList(3, call.count()).stream().map(Authentication::bytes).toList();
    RightsChange.run(
        call, new RightsWriter.Change.Set(user, UserRules.hashed(rules)), applied -> RespValue.OK);
  }

  private static void delete(Call call) {
    List<String> names =
        call.words().subList(2, call.count()).stream().map(Authentication::bytes).toList();
    RightsChange.run(
        call,
        new RightsWriter.Change.Delete(names),
        applied -> new RespValue.Int(applied.removed()));
  }
}
