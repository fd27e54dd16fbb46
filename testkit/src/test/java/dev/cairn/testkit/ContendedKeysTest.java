// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cairn.testkit.Linearizability.Violation;
import dev.cairn.testkit.Operation.Outcome;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Several clients fight over a few keys while their leaders are killed and frozen. */
class ContendedKeysTest {
  private static final List<String> KEYS = List.of("mykey", "b", "c");
  private static final Duration BETWEEN_FAULTS = Duration.ofMillis(700);

  @RegisterExtension final Clusters clusters = Clusters.ofEachTest();

  @Test
  @Timeout(300)
  void everyHistoryUnderKillsAndFreezesIsLinearizable() {
    ProcessCluster cluster = clusters.startHealthy(ProcessCluster.of(3));
    History history = new History();
    List<RegisterClient> clients = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      int node = i;
      clients.add(RegisterClient.of(cluster.client().build()));
      clients.add(RegisterClient.of(cluster.clientThrough(node).build()));
      clients.add(RegisterClient.plain(() -> cluster.node(node)));
    }
    long seed = System.nanoTime();
    Contention.during(
        history,
        clients,
        KEYS,
        seed,
        () -> {
          killTheLeader(cluster, KEYS.get(0), history);
          freezeTheLeader(cluster, KEYS.get(1), history);
        });
    System.out.printf(
        "contended keys: %d ok, %d failed, %d unknown, seed %d%n",
        history.count(Outcome.OK),
        history.count(Outcome.FAILED),
        history.count(Outcome.UNKNOWN),
        seed);
    assertThat(Linearizability.check(history.operations())).isEmpty();
    assertThat(history.count(Outcome.OK)).isGreaterThan(800);
  }

  private static void killTheLeader(ProcessCluster cluster, String key, History history) {
    int leader = cluster.leaderOf(key);
    cluster.kill(leader);
    goOn(history);
    cluster.start(leader);
    cluster.awaitHealthy();
    goOn(history);
  }

  /** Long enough for the others to elect another: what wakes up believes that it leads. */
  private static void freezeTheLeader(ProcessCluster cluster, String key, History history) {
    int leader = cluster.leaderOf(key);
    cluster.pause(leader);
    try {
      LockSupport.parkNanos(TimeUnit.SECONDS.toNanos(3));
    } finally {
      cluster.resume(leader);
    }
    goOn(history);
    cluster.awaitHealthy();
    goOn(history);
  }

  /** Lets the clients do something between two faults, however long that takes. */
  private static void goOn(History history) {
    long until = history.count(Outcome.OK) + 200;
    await("the clients to go on")
        .atMost(Duration.ofSeconds(30))
        .pollDelay(BETWEEN_FAULTS)
        .until(() -> history.count(Outcome.OK) >= until);
  }

  /** The checker sees what no assertion of ours looks for. */
  @Test
  void aClientThatAnswersFromACacheIsCaught() {
    ProcessCluster cluster = clusters.startHealthy(ProcessCluster.of(3));
    History history = new History();
    List<RegisterClient> clients = new ArrayList<>();
    clients.add(new Caching(RegisterClient.of(cluster.client().build())));
    for (int i = 0; i < 3; i++) {
      clients.add(RegisterClient.of(cluster.client().build()));
    }
    Contention.during(history, clients, KEYS, 1, () -> goOn(history));
    Violation violation = Linearizability.check(history.operations()).orElseThrow();
    assertThat(violation.witness().size()).as(violation.toString()).isLessThan(12);
    assertThat(violation.witness()).anyMatch(operation -> operation.process() == 0);
  }

  /** A planted bug: one read in three is answered with the last value that it saw. */
  private static final class Caching implements RegisterClient {
    private final RegisterClient client;
    private final Map<String, Action> seen = new ConcurrentHashMap<>();
    private int reads;

    Caching(RegisterClient client) {
      this.client = client;
    }

    @Override
    public Answer ask(String key, Action asked) {
      if (!asked.readOnly()) {
        return client.ask(key, asked);
      }
      Optional<Action> cached = Optional.ofNullable(seen.get(key));
      if (cached.isPresent() && ++reads % 3 == 0) {
        return Answer.ok(cached.get());
      }
      Answer answer = client.ask(key, asked);
      if (answer.outcome() == Outcome.OK) {
        seen.put(key, answer.action());
      }
      return answer;
    }

    @Override
    public void close() {
      client.close();
    }
  }
}
