// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import static dev.cairn.server.command.Row.plain;

import dev.cairn.protocol.RespValue;
import dev.cairn.server.routing.Router;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** Commands about the server: INFO, TIME, WAIT and others. */
final class ServerCommands {
  private static final Set<String> SHUTDOWN_OPTIONS =
      Set.of("SAVE", "NOSAVE", "NOW", "FORCE", "ABORT");

  /** The longest WAIT, which Redis lets last for ever: half a minute. */
  private static final long WAIT_MILLIS_MAX = 30_000;

  static final List<Row.Written> ROWS =
      Row.group(
          "server",
          Row.answered(
              "TIME",
              "2.6.0",
              "Returns the node's time: seconds since 1970 and microseconds.",
              ServerCommands::time),
          Row.report(
              "INFO [section ...]",
              "1.0.0",
              "What the node is, uses and has counted: section after section.",
              Info::run),
          plain(
                  "ROLE",
                  "2.8.12",
                  "Returns master: any node answers any key.",
                  call ->
                      call.reply(
                          RespValue.array(
                              RespValue.bulk("master"), new RespValue.Int(0), RespValue.array())))
              .with(Command.Trait.ADMIN),
          Row.report(
                  "SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE] [ABORT]",
                  "1.0.0",
                  "Stops the node in order, as SIGTERM does; answers OK before. By default only from the"
                      + " node's own machine: `--enable-shutdown`.",
                  ServerCommands::shutdown)
              .with(Command.Trait.ADMIN)
              .with(Command.Trait.AUDITED)
              .slow("O(1)"),
          Row.whole(
                  "WAIT numreplicas timeout",
                  "3.0.0",
                  "Waits, at most half a minute, until the connection's last write is on disk on"
                      + " every live full replica; returns on how many others it is.",
                  Command.Access.READ,
                  ServerCommands::wait)
              .slow("O(1)"));

  private ServerCommands() {}

  private static Plan time(Call call) {
    Instant now = call.port().facts().clock().instant();
    return new Plan.Answer(
        RespValue.array(
            RespValue.bulk(Long.toString(now.getEpochSecond())),
            RespValue.bulk(Long.toString(now.getNano() / 1000))));
  }

  private static Plan wait(Call call) {
    call.integer(1);
    long timeoutMillis = call.integer(2, "timeout is not an integer or out of range");
    if (timeoutMillis < 0) {
      throw new Refusal("timeout is negative");
    }
    long bounded = timeoutMillis == 0 ? WAIT_MILLIS_MAX : Math.min(timeoutMillis, WAIT_MILLIS_MAX);
    return new Plan.Own(Effect.READS, started -> awaitReplicas(started, bounded));
  }

  /** How many other live replicas have this connection's last write on disk. */
  private static void awaitReplicas(Call call, long timeoutMillis) {
    ClientState.Write write = call.client().lastWrite();
    if (write == null) {
      call.reply(new RespValue.Int(0));
      return;
    }
    call.port().clients().blocks();
    call.router()
        .awaitReplicas(
            write.partition(),
            write.done(),
            timeoutMillis,
            states -> {
              call.port().clients().unblocks();
              long others =
                  states.stream()
                      .filter(state -> !state.nodeId().equals(write.done().nodeId()))
                      .filter(Router.ReplicaState::durable)
                      .count();
              call.reply(new RespValue.Int(others));
            });
  }

  /** The error is Redis' of DEBUG, with our name of the setting. */
  private static void shutdown(Call call) {
    if (!call.port().facts().shutdown().by().allows(call.client().address())) {
      throw new Refusal(
          "SHUTDOWN command not allowed. If the enable-shutdown option is set to \"local\", you can"
              + " run it from a local connection, otherwise you need to set this option in the"
              + " configuration file, and then restart the server.");
    }
    Set<String> said = new HashSet<>();
    for (int i = 1; i < call.count(); i++) {
      said.add(call.text(i).toUpperCase(Locale.ROOT));
    }
    if (!SHUTDOWN_OPTIONS.containsAll(said)
        || said.containsAll(Set.of("SAVE", "NOSAVE"))
        || (said.contains("ABORT") && said.size() > 1)) {
      throw Refusal.syntax();
    }
    if (said.contains("ABORT")) {
      throw new Refusal("No shutdown in progress.");
    }
    call.client().close();
    call.ok();
    call.port().facts().shutdown().begin().run();
  }
}
