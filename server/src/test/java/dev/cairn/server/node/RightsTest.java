// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cairn.server.access.RightsWriter.Change;
import dev.cairn.server.access.RightsWriter.Outcome;
import dev.cairn.server.access.User;
import dev.cairn.server.access.Users;
import dev.cairn.server.partition.LogLimits;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Rights in a cluster: what one node was told, all act on; they never go back. */
final class RightsTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  @TempDir Path folder;

  private static Outcome change(RuntimeCluster cluster, int node, Change change) throws Exception {
    CompletableFuture<Outcome> outcome = new CompletableFuture<>();
    cluster.rights(node).change(change, outcome::complete);
    return outcome.get(20, TimeUnit.SECONDS);
  }

  private static Outcome set(RuntimeCluster cluster, int node, String user, String... rules)
      throws Exception {
    return change(cluster, node, new Change.Set(user, List.of(rules)));
  }

  private static List<String> lines(Users users) {
    return users.all().stream().map(User::line).toList();
  }

  @Test
  void whatOneNodeWasToldAllActOn() throws Exception {
    try (RuntimeCluster cluster = RuntimeCluster.start(folder, LogLimits.DEFAULT)) {
      for (int node = 0; node < 3; node++) {
        Outcome outcome = set(cluster, node, "u" + node, "on", "nopass", "~a*", "+@read");
        assertThat(outcome).isEqualTo(new Outcome.Applied(0, List.of()));
        for (int other = 0; other < 3; other++) {
          assertThat(lines(cluster.rights(other).users()))
              .as("acted on when it was answered")
              .contains("user u" + node + " on nopass ~a* resetchannels -@all +@read");
        }
      }
      assertThat(set(cluster, 1, "u0", "+nosuch"))
          .isEqualTo(
              new Outcome.Refused(
                  Outcome.Reason.WRONG,
                  "Error in ACL SETUSER modifier '+nosuch': Unknown command or category name in ACL"));
      assertThat(change(cluster, 2, new Change.Delete(List.of("u0", "u1", "nobody"))))
          .isEqualTo(new Outcome.Applied(2, List.of()));
      assertThat(set(cluster, 2, "default", "off"))
          .isInstanceOfSatisfying(
              Outcome.Refused.class,
              refused -> assertThat(refused.message()).contains("nobody could give rights"));
    }
  }

  @Test
  @Tag("long")
  void aNodeThatHearsOfNoRightsSaysForHowLong() throws Exception {
    try (RuntimeCluster cluster = RuntimeCluster.start(folder, LogLimits.DEFAULT)) {
      await().atMost(PATIENCE).until(() -> cluster.rights(0).ageMillis() < 1_000);
      cluster.stop(1);
      cluster.stop(2);
      await().atMost(PATIENCE).until(() -> cluster.rights(0).ageMillis() > 4_000);
      cluster.start(1);
      await().atMost(PATIENCE).until(() -> cluster.rights(0).ageMillis() < 1_000);
    }
  }

  @Test
  void manyChangesAtOnceAreAllMade() throws Exception {
    try (RuntimeCluster cluster = RuntimeCluster.start(folder, LogLimits.DEFAULT)) {
      List<CompletableFuture<Outcome>> outcomes = new ArrayList<>();
      for (int i = 0; i < 30; i++) {
        CompletableFuture<Outcome> outcome = new CompletableFuture<>();
        cluster.rights(i % 3).change(new Change.Set("u" + i, List.of("on")), outcome::complete);
        outcomes.add(outcome);
      }
      for (CompletableFuture<Outcome> outcome : outcomes) {
        assertThat(outcome.get(20, TimeUnit.SECONDS)).isEqualTo(new Outcome.Applied(0, List.of()));
      }
      assertThat(cluster.rights(0).users().all()).hasSize(31);
    }
  }

  /** A node that comes back acts on what it knew, then on what was changed meanwhile. */
  @Test
  @Tag("long")
  void rightsNeverGoBackWhileNodesDie() throws Exception {
    try (RuntimeCluster cluster = RuntimeCluster.start(folder, LogLimits.DEFAULT)) {
      assertThat(set(cluster, 0, "u", "on", "nopass", "+@all")).isInstanceOf(Outcome.Applied.class);
      List<Long> wentBack = new CopyOnWriteArrayList<>();
      for (int round = 0; round < 3; round++) {
        int down = round;
        int up = (round + 1) % 3;
        long before = cluster.rights(down).users().version();
        cluster.stop(down);
        String rules = round % 2 == 0 ? "-@all" : "+@read";
        await()
            .atMost(PATIENCE)
            .until(() -> set(cluster, up, "u", rules) instanceof Outcome.Applied);
        cluster.start(down);
        AtomicLong seen = new AtomicLong(cluster.rights(down).users().version());
        assertThat(seen.get()).as("what it knew").isGreaterThanOrEqualTo(before);
        cluster
            .rights(down)
            .whenChanged(
                () -> {
                  long now = cluster.rights(down).users().version();
                  if (now < seen.getAndSet(now)) {
                    wentBack.add(now);
                  }
                });
        await()
            .atMost(PATIENCE)
            .until(
                () ->
                    lines(cluster.rights(down).users()).equals(lines(cluster.rights(up).users())));
      }
      assertThat(wentBack).isEmpty();
    }
  }

  /** Without a majority nothing is changed, and a node goes on with what it knows. */
  @Test
  @Tag("long")
  void aNodeThatIsAloneGoesOnWithWhatItKnows() throws Exception {
    try (RuntimeCluster cluster = RuntimeCluster.start(folder, LogLimits.DEFAULT)) {
      assertThat(set(cluster, 0, "u", "on", "nopass")).isInstanceOf(Outcome.Applied.class);
      long version = cluster.rights(0).users().version();
      cluster.stop(1);
      cluster.stop(2);
      assertThat(set(cluster, 0, "u", "off")).isNotInstanceOf(Outcome.Applied.class);
      assertThat(cluster.rights(0).users().version()).isEqualTo(version);
      cluster.stop(0);
      cluster.start(0);
      assertThat(cluster.rights(0).users().version()).isEqualTo(version);
      assertThat(cluster.rights(0).users().user("u").orElseThrow().isOn()).isTrue();
    }
  }

  /** Who comes with an empty disk lets nobody in before it knows whom. */
  @Test
  @Tag("long")
  void aNodeWithAnEmptyDiskLetsNobodyInBeforeItHasCaughtUp() throws Exception {
    try (RuntimeCluster cluster = RuntimeCluster.start(folder, LogLimits.DEFAULT)) {
      assertThat(set(cluster, 0, "default", "resetpass", "#" + "a".repeat(64)))
          .isInstanceOf(Outcome.Applied.class);
      List<String> known = lines(cluster.rights(0).users());
      cluster.stop(2);
      cluster.startWiped(2);
      List<Boolean> open = new CopyOnWriteArrayList<>();
      cluster.rights(2).whenChanged(() -> open.add(cluster.rights(2).users().needsNoLogin()));
      await().atMost(PATIENCE).until(() -> lines(cluster.rights(2).users()).equals(known));
      assertThat(open).isNotEmpty().doesNotContain(true);
    }
  }
}
