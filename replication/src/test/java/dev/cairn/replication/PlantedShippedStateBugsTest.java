// SPDX-License-Identifier: Apache-2.0
package dev.cairn.replication;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.consensus.MutatedClasses;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/**
 * Shows that the simulated cluster finds mistakes of the state: each of these is planted, one at a
 * time, and must be found within 500 seeds.
 */
@Tag("nightly")
class PlantedShippedStateBugsTest {
  private static final Path STATE = Path.of("../state/src/main/java/dev/cairn/state");
  private static final int SEEDS = 500;
  private static final int STEPS = 5_000;

  /**
   * A mistake.
   *
   * @param name what is done wrongly
   * @param file among the sources
   * @param changes pairs: what stands there, once, and what is put in its place
   */
  private record Bug(String name, String file, String... changes) {}

  private static final List<Bug> BUGS =
      List.of(
          new Bug(
              "a row is ahead of its data",
              "Writer.java",
              "    database.write(batch);\n",
              """
                  database.write(new Database.Batch(false,
                      () -> new Table(0, false).rows(Spaces.clearedFrom(), Spaces.end()), batch.applied()));
                  database.write(batch);
              """),
          new Bug(
              "increments are repeated by a replay: a row is behind its data",
              "State.java",
              "layers.beginFlush(applied)",
              """
              layers.beginFlush(new Applied(applied.index() - 1, applied.term(), applied.counter(),
                  applied.keys(), applied.timeMillis(), applied.configurationIndex(),
                  applied.configuration()))\
              """),
          new Bug(
              "a tombstone is forgotten",
              "Layers.java",
              "      if (found != null) {\n        return found;\n      }\n      if (table",
              "      if (found != null && found != Table.REMOVED) {\n        return found;\n      }\n      if (table"),
          new Bug("request ids are lost by a snapshot", "State.java", "    ids.load();\n", ""),
          new Bug(
              "request ids are lost by a clear",
              "Layers.java",
              "    moveWhatStays(active, cleared);\n",
              ""),
          new Bug(
              "a read is answered from a state that is older than its confirmation",
              "Layers.java",
              "    if (inMemory == null) {\n",
              "    if (inMemory == null || base.get(row) != null) {\n"),
          new Bug(
              "a view is of a state that is older than it says",
              "Layers.java",
              "tables.set(0, active.snapshot());",
              "tables.set(0, new Table(seed, false));"),
          new Bug(
              "durable is told before it is",
              "State.java",
              "    flushing = true;\n",
              "    flushing = true;\n    durableIndex = applied.index();\n"));

  @TestFactory
  Stream<DynamicTest> eachIsFound() {
    return BUGS.stream().map(bug -> DynamicTest.dynamicTest(bug.name(), () -> isFound(bug)));
  }

  private static void isFound(Bug bug) throws Exception {
    ClassLoader classes = MutatedClasses.with(STATE, bug.file(), bug.changes());
    Method failureOf =
        classes
            .loadClass("dev.cairn.replication.ShippedStates")
            .getMethod("failureOf", long.class, int.class);
    Object failure = null;
    for (long seed = 1; failure == null && seed <= SEEDS; seed++) {
      failure = failureOf.invoke(null, seed, STEPS);
    }
    System.out.println(bug.name() + ": " + String.valueOf(failure).lines().findFirst().orElse(""));
    assertThat(failure).as("%s, within %d seeds", bug.name(), SEEDS).isNotNull();
  }
}
