// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.planted;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.testkit.ProcessCluster;
import dev.cairn.testkit.fault.Faults;
import dev.cairn.testkit.longrun.LongRun;
import dev.cairn.testkit.longrun.Report;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Each bug is found by the suite as it is, which asserts nothing made for it; the same seeds pass
 * without the bug. {@code -Dcairn.planted.seeds=5} runs five seeds of each, and all bugs, {@code
 * -Dcairn.planted.first=4} begins with the fourth; without it the one that needs least time is run
 * once.
 */
@Tag("long")
@Tag("loaded")
class PlantedBugsTest {
  private static final int SEEDS = Integer.getInteger("cairn.planted.seeds", 0);
  private static final int FIRST = Integer.getInteger("cairn.planted.first", 1);
  private static final List<Bug> QUICK = List.of(Bug.STALE_FOLLOWER_READ);

  @TempDir private Path folder;

  @Test
  void whatIsChangedIsThere() {
    for (Bug bug : Bug.values()) {
      assertThat(bug.points()).as("%s", bug).isNotEmpty();
      for (Bug.Point point : bug.points()) {
        assertThat(methods(point.type()))
            .as("%s in %s", bug, point.type())
            .contains(point.method());
      }
    }
  }

  private static Stream<String> methods(String type) {
    try {
      return Stream.concat(
          Stream.of(Bug.Point.CONSTRUCTOR),
          Arrays.stream(Class.forName(type).getDeclaredMethods()).map(method -> method.getName()));
    } catch (ClassNotFoundException e) {
      throw new AssertionError(e);
    }
  }

  private static Stream<Arguments> bugs() {
    List<Bug> bugs = SEEDS == 0 ? QUICK : List.of(Bug.values());
    String only = System.getProperty("cairn.planted.only", "");
    return bugs.stream()
        .filter(bug -> only.isEmpty() || List.of(only.split(",")).contains(bug.name()))
        .flatMap(
            bug ->
                LongStream.rangeClosed(FIRST, Math.max(FIRST, SEEDS))
                    .mapToObj(i -> Arguments.of(bug, i)));
  }

  @ParameterizedTest
  @MethodSource("bugs")
  @Timeout(400)
  void isFound(Bug bug, long seed) throws IOException {
    whatIsChangedIsThere();
    ProcessCluster.Builder described =
        ProcessCluster.of(3)
            .withNetwork()
            .javaOptions("-javaagent:" + PlantAgent.jar(folder) + "=" + bug);
    Report report = run(described, seed, cluster -> assertPlanted(bug, cluster));
    System.out.println(
        "%s, seed %d, %d operations: %s"
            .formatted(bug, seed, report.operations(), report.violations()));
    assertThat(report.violations()).isNotEmpty();
  }

  /** Nodes without the bug, or with another one, may be found wanting as well. */
  private static void assertPlanted(Bug bug, ProcessCluster cluster) {
    String logs =
        cluster.indexes().stream()
            .map(node -> cluster.node(node).log())
            .collect(Collectors.joining());
    assertThat(logs).doesNotContain(PlantAgent.NOT_PLANTED);
    for (Bug.Point point : bug.points()) {
      assertThat(logs.contains(PlantAgent.said(point.type())))
          .as("%s is planted in %s", bug, point.type())
          .isTrue();
    }
  }

  private static Stream<Long> seeds() {
    return LongStream.rangeClosed(FIRST, SEEDS).boxed();
  }

  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("seeds")
  @Timeout(400)
  void withoutABugTheSameSeedsPass(long seed) {
    assertThat(run(ProcessCluster.of(3).withNetwork(), seed, cluster -> {}).violations()).isEmpty();
  }

  private static Report run(
      ProcessCluster.Builder described, long seed, Consumer<ProcessCluster> afterwards) {
    try (ProcessCluster cluster = described.start()) {
      LongRun.Plan plan =
          LongRun.Plan.of(seed, Faults.withoutRights())
              .rounds(2)
              .atMost(Duration.ofMinutes(4))
              .windows(Duration.ofSeconds(4));
      Report report = LongRun.run(cluster, plan, System.out);
      afterwards.accept(cluster);
      return report;
    }
  }
}
