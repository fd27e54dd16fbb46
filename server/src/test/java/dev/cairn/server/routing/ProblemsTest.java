// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.routing;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A second is a look: set after five, gone after five. */
class ProblemsTest {
  private final Problems problems = new Problems();
  private long second = 100;

  @Test
  void aProblemIsPendingThenSetThenClearingThenGone() {
    assertThat(look("n")).isEqualTo("pending 0");
    assertThat(looks(4, "n")).isEqualTo("pending 4");
    assertThat(look("n")).isEqualTo("set 5");
    assertThat(look()).isEqualTo("clearing 6");
    assertThat(looks(3)).isEqualTo("clearing 9");
    assertThat(look()).as("not found since five seconds").isEmpty();
  }

  @Test
  void aMomentsTroubleIsNeverSet() {
    assertThat(looks(5, "n")).isEqualTo("pending 4");
    assertThat(look()).isEmpty();
    assertThat(look("n")).as("it begins anew").isEqualTo("pending 0");
  }

  @Test
  void aMomentsLuckClearsNothing() {
    looks(10, "n");
    assertThat(looks(4)).isEqualTo("clearing 13");
    assertThat(look("n")).as("with its whole age").isEqualTo("set 14");
    assertThat(looks(4)).isEqualTo("clearing 18");
  }

  @Test
  void whatIsKnownToHaveLastedCounts() {
    List<Finding> found = List.of(new Finding(ProblemKind.COPY_BEHIND, "n", 5_000, "x"));
    assertThat(told(problems.observe(found, 0))).isEqualTo("set 5");
  }

  @Test
  void problemsStandInTheOrderInWhichTheyAreToBeRead() {
    List<Finding> found =
        Stream.of(ProblemKind.NO_MAJORITY, ProblemKind.NODE_UNREACHED, ProblemKind.NODE_DOWN)
            .map(kind -> new Finding(kind, "n", 0, "x"))
            .toList();
    assertThat(problems.observe(found, 0).stream().map(problem -> problem.kind().slug()))
        .containsExactly("node-down", "node-unreached", "no-majority");
  }

  private String looks(int times, String... subjects) {
    String last = "";
    for (int i = 0; i < times; i++) {
      last = look(subjects);
    }
    return last;
  }

  private String look(String... subjects) {
    List<Finding> found =
        Stream.of(subjects).map(s -> new Finding(ProblemKind.NODE_DOWN, s, 0, "x")).toList();
    return told(problems.observe(found, TimeUnit.SECONDS.toNanos(second++)));
  }

  private static String told(List<Problems.Problem> told) {
    return told.isEmpty() ? "" : told.get(0).state().slug() + " " + told.get(0).ageMillis() / 1_000;
  }
}
