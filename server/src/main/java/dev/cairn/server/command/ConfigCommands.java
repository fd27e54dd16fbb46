// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import static dev.cairn.server.command.Row.plain;

import dev.cairn.protocol.RespValue;
import dev.cairn.server.access.AccessLog;
import dev.cairn.server.access.Passwords;
import dev.cairn.server.access.RightsWriter;
import dev.cairn.server.access.User;
import dev.cairn.server.access.UserRules;
import dev.cairn.server.value.Glob;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** CONFIG: a small set of Redis' settings, and what they say is so. */
final class ConfigCommands {
  static final List<Row.Written> ROWS =
      Row.group(
          "server",
          Row.container(
              "CONFIG",
              "2.0.0",
              "Settings of the node.",
              plain(
                      "CONFIG GET parameter [parameter ...]",
                      "2.0.0",
                      "Returns settings whose names match glob patterns: a small set.",
                      ConfigCommands::get)
                  .with(Command.Trait.ADMIN),
              Row.report(
                      "CONFIG SET parameter value [parameter value ...]",
                      "2.0.0",
                      "Sets slowlog-log-slower-than and slowlog-max-len until the node stops, and"
                          + " requirepass, the password of the user default, in the whole cluster;"
                          + " all else is fixed.",
                      ConfigCommands::set)
                  .with(Command.Trait.ADMIN)
                  .with(Command.Trait.AUDITED),
              Row.report(
                      "CONFIG RESETSTAT",
                      "2.0.0",
                      "Sets the counters of INFO to 0.",
                      ConfigCommands::resetstat)
                  .with(Command.Trait.ADMIN)
                  .with(Command.Trait.AUDITED),
              plain(
                      "CONFIG REWRITE",
                      "2.8.0",
                      "An error: a node has no file of settings.",
                      call -> call.error("The server is running without a config file"))
                  .with(Command.Trait.ADMIN)));

  private static final String SLOWER_THAN = "slowlog-log-slower-than";
  private static final String SLOWLOG_LENGTH = "slowlog-max-len";
  private static final String REQUIREPASS = "requirepass";
  private static final int SLOWLOG_LENGTH_MAX = 100_000;

  private ConfigCommands() {}

  private static Map<String, String> settings(Call call) {
    NodeFacts facts = call.port().facts();
    SlowLog slowLog = call.port().slowLog();
    Map<String, String> settings = new LinkedHashMap<>();
    settings.put("acllog-max-len", Integer.toString(AccessLog.LENGTH_MAX));
    settings.put("appendfsync", "always");
    settings.put("appendonly", "yes");
    settings.put("cluster-enabled", call.port().kind() == PortKind.CLUSTER ? "yes" : "no");
    settings.put("databases", "1");
    settings.put("enable-shutdown", facts.shutdown().by().lowerName());
    settings.put("io-threads", Integer.toString(facts.loops().count()));
    settings.put("maxclients", Integer.toString(facts.listening().connectionsMax()));
    settings.put("maxmemory", "0");
    settings.put("maxmemory-policy", "noeviction");
    settings.put("port", Integer.toString(facts.listening().port()));
    settings.put("proto-max-bulk-len", Integer.toString(facts.valueBytesMax()));
    settings.put(
        REQUIREPASS, call.port().access().users().needsNoPassword() ? "" : "(is set, not shown)");
    settings.put("save", "");
    settings.put(SLOWER_THAN, Long.toString(slowLog.slowerThanMicros()));
    settings.put(SLOWLOG_LENGTH, Integer.toString(slowLog.lengthMax()));
    settings.put("timeout", "0");
    return settings;
  }

  /** A name that is no pattern comes back as it was written, as in Redis. */
  private static void get(Call call) {
    List<Glob.Matcher> wanted = wanted(call);
    Map<String, String> known = settings(call);
    Map<String, RespValue.Entry> entries = new TreeMap<>();
    for (int i = 2; i < call.count(); i++) {
      String written = call.text(i);
      Glob.Matcher matcher = wanted.get(i - 2);
      known.forEach(
          (name, value) -> {
            if (matcher.matches(name.getBytes(StandardCharsets.US_ASCII))) {
              String shown = name.equalsIgnoreCase(written) ? written : name;
              entries.putIfAbsent(name, Replies.entry(shown, RespValue.bulk(value)));
            }
          });
    }
    call.reply(new RespValue.Dictionary(List.copyOf(entries.values())));
  }

  /** On the event loop: together they have no more bytes than one pattern may have. */
  private static List<Glob.Matcher> wanted(Call call) {
    List<byte[]> patterns = call.words().subList(2, call.count());
    long bytes = patterns.stream().mapToLong(pattern -> pattern.length).sum();
    if (bytes > Glob.BYTES_MAX) {
      throw new Refusal(
          "patterns must be at most %d bytes, these have %d".formatted(Glob.BYTES_MAX, bytes));
    }
    return patterns.stream().map(pattern -> Glob.ignoringCase(pattern).matcher()).toList();
  }

  /**
   * All of them or none. As Redis looks: at all names first, at the values once all names will do.
   */
  private static void set(Call call) {
    if (call.count() % 2 != 0) {
      throw Refusal.syntax();
    }
    Set<String> seen = new HashSet<>();
    Map<String, String> known = settings(call);
    for (int i = 2; i < call.count(); i += 2) {
      String name = call.text(i).toLowerCase(Locale.ROOT);
      if (!known.containsKey(name)) {
        throw new Refusal(
            "Unknown option or number of arguments for CONFIG SET - '" + call.text(i) + "'");
      }
      if (!name.equals(SLOWER_THAN) && !name.equals(SLOWLOG_LENGTH) && !name.equals(REQUIREPASS)) {
        throw failed(call.text(i), "can't set immutable config");
      }
      if (!seen.add(name)) {
        throw failed(call.text(i), "duplicate parameter");
      }
    }
    Optional<byte[]> password = Optional.empty();
    for (int i = 2; i < call.count(); i += 2) {
      String name = call.text(i).toLowerCase(Locale.ROOT);
      if (name.equals(REQUIREPASS)) {
        password = Optional.of(call.word(i + 1));
        continue;
      }
      long min = name.equals(SLOWER_THAN) ? -1 : 0;
      long max = name.equals(SLOWER_THAN) ? Long.MAX_VALUE : SLOWLOG_LENGTH_MAX;
      long value = number(call, i + 1, name);
      if (value < min || value > max) {
        throw failed(name, "argument must be between %d and %d inclusive".formatted(min, max));
      }
    }
    if (password.isPresent()) {
      RightsChange.run(
          call,
          passwordOfDefault(password.get()),
          applied -> {
            apply(call);
            return RespValue.OK;
          });
    } else {
      apply(call);
      call.ok();
    }
  }

  private static RightsWriter.Change passwordOfDefault(byte[] password) {
    if (password.length > UserRules.BYTES_MAX) {
      throw failed(REQUIREPASS, "a password has at most " + UserRules.BYTES_MAX + " bytes");
    }
    return new RightsWriter.Change.Set(
        User.DEFAULT,
        password.length == 0
            ? List.of("nopass")
            : List.of("resetpass", "#" + Passwords.hash(password)));
  }

  private static void apply(Call call) {
    SlowLog slowLog = call.port().slowLog();
    for (int i = 2; i < call.count(); i += 2) {
      if (call.wordIs(i, SLOWER_THAN)) {
        slowLog.slowerThanMicros(call.integer(i + 1));
      } else if (call.wordIs(i, SLOWLOG_LENGTH)) {
        slowLog.lengthMax((int) call.integer(i + 1));
      }
    }
  }

  private static long number(Call call, int index, String name) {
    try {
      return call.integer(index);
    } catch (Refusal none) {
      throw failed(name, "argument couldn't be parsed into an integer");
    }
  }

  private static Refusal failed(String name, String why) {
    return new Refusal("CONFIG SET failed (possibly related to argument '" + name + "') - " + why);
  }

  private static void resetstat(Call call) {
    call.port().metrics().sinceReset().reset();
    call.ok();
  }
}
