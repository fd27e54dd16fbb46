// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import dev.cairn.client.Address;
import dev.cairn.client.Answer;
import dev.cairn.client.CairnClient;
import dev.cairn.client.CairnException;
import dev.cairn.client.ClientListener;
import dev.cairn.client.Security;
import dev.cairn.protocol.Consistency;
import dev.cairn.protocol.RespValue;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * PUT, GET, DELETE and STATUS for a person: asks the cluster and prints one line for each node that
 * has something to say. Shell, one-shot commands and demo share it, so that they print alike.
 *
 * <pre>
 * [Node 5000] OK | behind | NOT_FOUND | VALUE value
 * [Node 5000] unavailable, trying [Node 5001]
 * [Node 5000] timeout after 2 s, trying [Node 5001]
 * [Node 5000] has heard no leader for 12 s: what it answers may be as old
 * </pre>
 */
final class Session implements AutoCloseable {
  private CairnClient client; // another view of the same when a level is set
  private final List<Address> nodes;
  private final NodeCommands commands;
  private final Consumer<String> results;
  private final Consumer<String> remarks;

  /**
   * A session; it connects when first used.
   *
   * @param results takes the lines of what was asked for
   * @param remarks takes the lines about failed nodes and failures
   */
  Session(ClusterOptions cluster, Consumer<String> results, Consumer<String> remarks) {
    this(
        cluster.client(), cluster.nodes(), cluster.timeout(), cluster.security(), results, remarks);
  }

  Session(
      CairnClient.Builder client,
      List<Address> nodes,
      Duration timeout,
      Security security,
      Consumer<String> results,
      Consumer<String> remarks) {
    this.nodes = nodes;
    this.results = results;
    this.remarks = remarks;
    commands = new NodeCommands(nodes, timeout, security, results, remarks);
    this.client = client.replicaStates(true).listener(new Remarks()).build();
  }

  /** How much reads wait for from now on. */
  void readConsistency(Consistency level) {
    client = client.reading(level);
    commands.level("READ", level);
  }

  /** How much writes wait for from now on: QUORUM or ALL. */
  void writeConsistency(Consistency level) {
    client = client.writing(level);
    commands.level("WRITE", level);
  }

  /** Whether commands are queued until EXEC. */
  boolean inTransaction() {
    return commands.inTransaction();
  }

  /**
   * Any command that the nodes know, as it is.
   *
   * @return the exit status; empty: they know none of this name
   */
  Optional<Integer> command(List<byte[]> words) {
    return commands.run(
        words,
        levels -> {
          Optional.ofNullable(levels.get("READ")).ifPresent(this::readConsistency);
          Optional.ofNullable(levels.get("WRITE")).ifPresent(this::writeConsistency);
        });
  }

  int put(byte[] key, byte[] value) {
    return attempt(
        () -> {
          printReplicas(client.putAndTell(key, value));
          return ExitStatus.DONE;
        });
  }

  int get(byte[] key) {
    return attempt(
        () -> {
          Answer<Optional<byte[]>> answer = client.getAndTell(key);
          int status = ExitStatus.DONE;
          if (answer.value().isEmpty()) {
            status = notFound(answer.node());
          } else {
            results.accept(
                Printed.node(answer.node()) + " VALUE " + Printed.value(answer.value().get()));
          }
          remarkAge(answer);
          return status;
        });
  }

  /** The value itself is given to a consumer; a missing key is a remark. */
  int get(byte[] key, Consumer<byte[]> value) {
    return attempt(
        () -> {
          Answer<Optional<byte[]>> answer = client.getAndTell(key);
          remarkAge(answer);
          if (answer.value().isEmpty()) {
            remarks.accept(Printed.node(answer.node()) + " NOT_FOUND");
            return ExitStatus.NOT_FOUND;
          }
          value.accept(answer.value().get());
          return ExitStatus.DONE;
        });
  }

  int delete(byte[] key) {
    return attempt(
        () -> {
          Answer<Boolean> answer = client.deleteAndTell(key);
          if (!answer.value()) {
            return notFound(answer.node());
          }
          printReplicas(answer);
          return ExitStatus.DONE;
        });
  }

  int status() {
    return attempt(
        () -> {
          StatusDocument status;
          try {
            status = StatusDocument.parse(client.status());
          } catch (IllegalStateException malformed) {
            remarks.accept(malformed.getMessage());
            return ExitStatus.ERROR;
          }
          StatusText.of(status).forEach(results);
          return status.healthy() ? ExitStatus.DONE : ExitStatus.NOT_FOUND;
        });
  }

  /** What a node says of a command that is none of the shell's. */
  int commandDocs(String name) {
    return attempt(
        () -> {
          Optional<RespValue> docs = client.commandDocs(name);
          if (docs.isEmpty()) {
            remarks.accept("No such command. HELP lists the commands.");
            return ExitStatus.ERROR;
          }
          CommandDocs.lines(name, docs.get()).forEach(results);
          return ExitStatus.DONE;
        });
  }

  @Override
  public void close() {
    commands.close();
    client.close();
  }

  private interface Action {
    int run();
  }

  private int attempt(Action action) {
    try {
      return action.run();
    } catch (CairnException failed) {
      Failure failure = Failure.of(failed, nodes);
      remarks.accept(failure.line());
      return failure.exitStatus();
    }
  }

  private void remarkAge(Answer<?> answer) {
    if (answer.ageMillis() > 0) {
      remarks.accept(
          Printed.node(answer.node())
              + " has heard no leader for "
              + Remarks.seconds(Duration.ofMillis(answer.ageMillis()))
              + " s: what it answers may be as old");
    }
  }

  private int notFound(String node) {
    results.accept(Printed.node(node) + " NOT_FOUND");
    return ExitStatus.NOT_FOUND;
  }

  private void printReplicas(Answer<Boolean> answer) {
    if (answer.replicas().isEmpty()) {
      results.accept(Printed.node(answer.node()) + " OK");
    }
    for (Answer.ReplicaState replica : answer.replicas()) {
      results.accept(Printed.node(replica.node()) + (replica.durable() ? " OK" : " behind"));
    }
  }

  private final class Remarks implements ClientListener {
    @Override
    public void unavailable(Address node, Address next) {
      remarks.accept(Printed.node(node) + " unavailable, trying " + Printed.node(next));
    }

    @Override
    public void timeout(Address node, Duration waited, Address next) {
      remarks.accept(
          Printed.node(node)
              + " timeout after "
              + seconds(waited)
              + " s, trying "
              + Printed.node(next));
    }

    private static String seconds(Duration waited) {
      long tenths = Math.round(waited.toMillis() / 100.0);
      return tenths % 10 == 0 ? String.valueOf(tenths / 10) : tenths / 10 + "." + tenths % 10;
    }
  }
}
