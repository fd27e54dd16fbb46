// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cairn.testkit.ProcessCluster;
import dev.cairn.testkit.RespConnection;
import java.io.IOException;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;

/** Client libraries, all of them at one cluster: they work on both ports. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
abstract class LibrariesAtWork {
  static final Duration GOES_ON_MAX = Duration.ofSeconds(60);

  /** What the libraries are connected to; node 0 is their seed. */
  ProcessCluster cluster;

  List<Library> libraries;

  /** Three nodes. */
  abstract ProcessCluster described();

  /** The libraries. */
  abstract List<Library> connect();

  @BeforeAll
  void start() {
    cluster = described();
    cluster.awaitHealthy();
    awaitPreferredLeaders();
    libraries = connect();
  }

  @AfterAll
  void stop() {
    if (libraries != null) {
      libraries.forEach(Library::close);
    }
    cluster.close();
  }

  @Order(1)
  @TestFactory
  Stream<DynamicTest> eachWorksOnTheClientPort() {
    return each(libraries, Library::worksOnTheClientPort);
  }

  @Order(2)
  @TestFactory
  Stream<DynamicTest> eachWorksInClusterMode() {
    return each(withClusterMode(), Library::worksInClusterMode);
  }

  /** What is done with a library. */
  interface Step {
    void of(Library library);
  }

  /** A test for each, which begins without a key. */
  Stream<DynamicTest> each(List<Library> some, Step step) {
    return some.stream()
        .map(library -> DynamicTest.dynamicTest(library.name(), () -> fromEmpty(library, step)));
  }

  /** Begins without a key; a failure names the library and the keys that there are. */
  void fromEmpty(Library library, Step step) throws IOException {
    empty();
    try {
      step.of(library);
    } catch (AssertionError e) {
      throw new AssertionError("%s, where the keys are %s".formatted(library.name(), keys()), e);
    }
  }

  private String keys() throws IOException {
    try (RespConnection connection = cluster.connect(0)) {
      return RespConnection.text(connection.call("KEYS", "*"));
    }
  }

  void empty() throws IOException {
    try (RespConnection connection = cluster.connect(0)) {
      assertThat(RespConnection.text(connection.call("FLUSHALL"))).isEqualTo("OK");
    }
  }

  List<Library> withClusterMode() {
    return libraries.stream().filter(Library::hasClusterMode).toList();
  }

  /** Each node leads two of the six partitions. */
  void awaitPreferredLeaders() {
    await("each node to lead what it is preferred for")
        .atMost(GOES_ON_MAX)
        .ignoreExceptions()
        .until(
            () ->
                cluster.indexes().stream()
                    .allMatch(node -> Collections.frequency(cluster.leaders(), node) == 2));
  }
}
