// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cairn.client.Security;
import dev.cairn.protocol.RespValue;
import dev.cairn.protocol.RespWriter;
import dev.cairn.testkit.RightsCheck.Change;
import dev.cairn.testkit.RightsCheck.Outcome;
import dev.cairn.testkit.RightsCheck.Seen;
import dev.cairn.testkit.RightsCheck.Up;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * The rights of a user change on one node after the other while nodes are killed, one, two or all,
 * and each node is asked all the time what it allows. A state is a number in the pattern of the
 * user's keys; {@link RightsCheck} decides. A node is asked twice, and between the two the user
 * itself reads a key of that state and one of another: what is told is what is allowed.
 *
 * <p>{@code -Dcairn.rights.seconds=600} says for how long, {@code -Dcairn.seed} with which choices.
 */
@Tag("nightly")
class RightsUnderFaultsTest {
  private static final long SECONDS = Long.getLong("cairn.rights.seconds", 40);
  private static final String USER = "changing";
  private static final String PASSWORD = "a-password-of-whom-rights-change";
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  @RegisterExtension final Clusters clusters = Clusters.ofEachTest();
  @TempDir Path folder;

  private final List<Change> changes = Collections.synchronizedList(new ArrayList<>());
  private final List<Seen> seen = Collections.synchronizedList(new ArrayList<>());
  private final List<String> wrong = new CopyOnWriteArrayList<>();
  private volatile boolean over;

  @Test
  @Timeout(value = 2, unit = TimeUnit.HOURS)
  void rightsNeverGoBackAndWhatWasAnsweredOkIsAllowedWhereverANodeIsUp() throws Exception {
    Secured secured = Secured.in(folder, "user %s on >%s ~v0:* +get".formatted(USER, PASSWORD));
    ProcessCluster cluster = clusters.startHealthy(ProcessCluster.of(3).in(secured));
    Security user = secured.as(USER, PASSWORD);
    long seed = Long.getLong("cairn.seed", System.nanoTime());
    List<Thread> threads = new ArrayList<>();
    threads.add(new Thread(() -> write(cluster), "rights-writer"));
    for (int node : cluster.indexes()) {
      threads.add(new Thread(() -> read(cluster, node, user), "rights-reader-" + node));
    }
    threads.forEach(Thread::start);
    List<Up> up;
    try {
      up = killAndStart(cluster, new Random(seed));
    } finally {
      over = true;
      for (Thread thread : threads) {
        thread.join();
      }
    }
    System.out.printf("seed %d: %s, %d times seen%n", seed, outcomes(), seen.size());
    assertThat(wrong).as("seed %d", seed).isEmpty();
    assertThat(RightsCheck.violations(changes, seen, up)).as("seed %d", seed).isEmpty();
    showsSomething();
    allActOnTheLast(cluster, changes.size() + 1);
  }

  private String outcomes() {
    StringBuilder text = new StringBuilder();
    for (Outcome outcome : Outcome.values()) {
      text.append(count(outcome)).append(' ').append(outcome).append(' ');
    }
    return text.toString().strip();
  }

  private long count(Outcome outcome) {
    return changes.stream().filter(change -> change.outcome() == outcome).count();
  }

  /** A run in which hardly anything was changed or seen decides nothing. */
  private void showsSomething() {
    assertThat(count(Outcome.OK)).isGreaterThan(SECONDS);
    assertThat(seen.stream().map(Seen::state).distinct().count()).isGreaterThan(SECONDS);
  }

  // ---- the faults ----

  private List<Up> killAndStart(ProcessCluster cluster, Random random) {
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
    List<Up> up = new ArrayList<>();
    long[] since = new long[cluster.size()];
    Arrays.fill(since, System.nanoTime());
    for (int round = 0; System.nanoTime() < until; round++) {
      pause(500 + random.nextInt(1_500));
      List<Integer> victims = new ArrayList<>(cluster.indexes());
      Collections.shuffle(victims, random);
      victims = victims.subList(0, round % 4 == 3 ? 2 + round / 4 % 2 : 1);
      long killedAt = System.nanoTime();
      cluster.kill(victims);
      for (int victim : victims) {
        up.add(new Up(victim, since[victim], killedAt));
      }
      pause(300 + random.nextInt(1_500));
      victims.forEach(cluster::start);
      cluster.awaitHealthy();
      for (int victim : victims) {
        since[victim] = System.nanoTime();
      }
    }
    for (int node : cluster.indexes()) {
      up.add(new Up(node, since[node], Long.MAX_VALUE));
    }
    return up;
  }

  private static void pause(long millis) {
    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(millis));
  }

  // ---- who changes ----

  private void write(ProcessCluster cluster) {
    for (int state = 1; !over; state++) {
      long asked = System.nanoTime();
      Outcome outcome = change(cluster, state % cluster.size(), state);
      changes.add(new Change(state, asked, System.nanoTime(), outcome));
      pause(outcome == Outcome.OK ? 5 : 50);
    }
  }

  private Outcome change(ProcessCluster cluster, int node, int state) {
    boolean sent = false;
    try (RespConnection connection = cluster.connect(node)) {
      sent = true;
      return outcome(
          RespConnection.text(
              connection.call("ACL", "SETUSER", USER, "resetkeys", "~v" + state + ":*")));
    } catch (IOException e) {
      if (!sent) {
        noteRefusedLogin(node, e);
      }
      return sent ? Outcome.UNKNOWN : Outcome.REFUSED;
    }
  }

  private Outcome outcome(String reply) {
    if (reply.equals("OK")) {
      return Outcome.OK;
    } else if (reply.startsWith("-NOTALL ")) {
      return Outcome.HOLDS;
    } else if (reply.startsWith("-UNKNOWN ")) {
      return Outcome.UNKNOWN;
    } else if (!reply.startsWith("-CLUSTERDOWN ")) {
      wrong.add("ACL SETUSER was answered " + reply);
    }
    return Outcome.REFUSED;
  }

  /** Nobody has changed the passwords: a node that runs lets both in. */
  private void noteRefusedLogin(int node, IOException e) {
    if (e.getMessage() != null && e.getMessage().startsWith("WRONGPASS")) {
      wrong.add("node %d refused a login: %s".formatted(node, e.getMessage()));
    }
  }

  // ---- who looks ----

  private void read(ProcessCluster cluster, int node, Security user) {
    while (!over) {
      try (RespConnection asking = cluster.connect(node);
          RespConnection reading =
              RespConnection.to(
                  cluster.node(node).listenHost(), cluster.node(node).port(), PATIENCE, user)) {
        while (!over) {
          look(node, asking, reading);
          pause(2);
        }
      } catch (IOException e) {
        noteRefusedLogin(node, e);
        pause(20);
      }
    }
  }

  private void look(int node, RespConnection asking, RespConnection reading) throws IOException {
    int before = state(node, asking);
    reading.send(RespWriter.command("GET", "v" + before + ":key"));
    reading.send(RespWriter.command("GET", "v" + (before - 1) + ":key"));
    boolean allowed = !isRefused(reading.read());
    boolean other = !isRefused(reading.read());
    int after = state(node, asking);
    if (before == after && (!allowed || other)) {
      wrong.add(
          "node %d tells state %d, and %s"
              .formatted(node, before, allowed ? "allows another" : "does not allow it"));
    }
  }

  private static boolean isRefused(RespValue reply) {
    return RespConnection.text(reply).startsWith("-NOPERM ");
  }

  /** The state that a node tells: {@code keys} of ACL GETUSER is {@code ~v17:*}. */
  private int state(int node, RespConnection asking) throws IOException {
    long from = System.nanoTime();
    RespValue.Array told = (RespValue.Array) asking.call("ACL", "GETUSER", USER);
    long to = System.nanoTime();
    List<String> words = told.elements().stream().map(RespConnection::text).toList();
    String keys = words.get(words.indexOf("keys") + 1);
    int state = Integer.parseInt(keys.substring(2, keys.indexOf(':')));
    seen.add(new Seen(node, state, from, to));
    return state;
  }

  private static void allActOnTheLast(ProcessCluster cluster, int last) throws IOException {
    String rule = "~v" + last + ":*";
    await("a last change to hold")
        .atMost(Duration.ofSeconds(30))
        .until(
            () -> {
              try (RespConnection connection = cluster.connect(0)) {
                return RespConnection.text(
                        connection.call("ACL", "SETUSER", USER, "resetkeys", rule))
                    .equals("OK");
              }
            });
    for (int node : cluster.indexes()) {
      try (RespConnection connection = cluster.connect(node)) {
        assertThat(
                RespConnection.text(
                    connection.call("ACL", "DRYRUN", USER, "GET", "v" + last + ":x")))
            .as("node %d", node)
            .isEqualTo("OK");
      }
    }
  }
}
