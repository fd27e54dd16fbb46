// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.awaitility.Awaitility.await;

import dev.cairn.testkit.ProcessCluster;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/**
 * What every client library goes through, all of them at one cluster and in this order: they work
 * on both ports, a node is killed under them, it is back and leaders change, and at last the node
 * is killed that they were seeded with.
 */
abstract class LibrariesStory extends LibrariesAtWork {
  /** The goal: from then on 99 of 100 requests go straight to their leader. */
  private static final Duration FOLLOWS_MAX = Duration.ofSeconds(5);

  private static final int REQUESTS = 400;

  /** The libraries, in the clear and as nobody. */
  abstract List<Library> connect(Seed seed);

  @Override
  final ProcessCluster described() {
    return ProcessCluster.of(3).start();
  }

  @Override
  final List<Library> connect() {
    return connect(Seed.of(cluster, 0, Optional.empty()));
  }

  @Order(3)
  @Test
  void eachGoesOnByItselfWhenANodeIsKilled() {
    libraries.forEach(Library::begin);
    libraries.forEach(library -> awaitRounds(library, 2));
    cluster.kill(1);
    libraries.forEach(library -> awaitRounds(library, library.rounds() + 2));
    SoftAssertions all = new SoftAssertions();
    for (Library library : libraries) {
      Map<String, Long> errors = library.finish();
      System.out.println(library.name() + " met, while a node was killed: " + errors);
      all.assertThat(errors.keySet())
          .as("errors of " + library.name())
          .allMatch(error -> error.matches(library.expectedErrors()));
    }
    all.assertAll();
  }

  /**
   * The node is back and is given back what it led: leaders change, and nothing fails.
   *
   * <p>Measured is each library by itself, one after the other, since the nodes count the requests
   * of all clients together. Its clock begins with its first request after all leaderships were
   * moved, not at the move: until then it asks nothing and so can learn nothing. Within five
   * seconds there must be 400 requests in a row of which at most four were passed on by a node or
   * answered MOVED.
   */
  @Order(4)
  @Test
  void afterLeadershipsWereMovedRequestsGoStraightToTheLeaders() throws IOException {
    List<Integer> others = cluster.leaders();
    cluster.start(1);
    cluster.awaitHealthy();
    awaitPreferredLeaders();
    assertThat(cluster.leaders()).isNotEqualTo(others);
    Directness directness = new Directness(cluster);
    for (Library library : withClusterMode()) {
      long before = directness.indirect();
      await(library.name() + " to ask the leaders")
          .atMost(FOLLOWS_MAX)
          .until(
              () -> {
                long indirect = directness.indirect();
                library.requests(REQUESTS);
                return directness.indirect() - indirect <= REQUESTS / 100;
              });
      System.out.printf(
          "%s asked %d times elsewhere before it knew the new leaders%n",
          library.name(), directness.indirect() - before);
    }
    // Lettuce sends a write that it had given up, when it reaches the node again. Each has by now.
    for (Library library : withClusterMode()) {
      fromEmpty(library, Library::worksInClusterMode); // counts and scans each key once
    }
  }

  @Order(5)
  @Test
  void inClusterModeEachOutlivesTheNodeItWasSeededWith() {
    cluster.kill(0);
    withClusterMode().forEach(LibrariesStory::awaitRequests);
  }

  private static void awaitRequests(Library library) {
    await(library.name() + " to reach every partition")
        .atMost(GOES_ON_MAX)
        .untilAsserted(
            () -> assertThatCode(() -> library.requests(REQUESTS)).doesNotThrowAnyException());
  }

  private static void awaitRounds(Library library, long rounds) {
    await(library.name() + " to write and read every key without an error")
        .atMost(GOES_ON_MAX)
        .until(() -> library.rounds() >= rounds);
  }
}
