// SPDX-License-Identifier: Apache-2.0
package dev.cairn.state;

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
 * Shows that the simulation finds mistakes: each of these is planted, one at a time, and must be
 * found within 500 seeds.
 */
@Tag("nightly")
class PlantedStateBugsTest {
  private static final Path SOURCES = Path.of("src/main/java/dev/cairn/state");
  private static final int SEEDS = 500;
  private static final int STEPS = 600;

  /**
   * A mistake.
   *
   * @param name what is done wrongly
   * @param changes pairs: what stands in the file, once, and what is put in its place
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
              "a flush of several batches gives each the last one's row",
              "Flush.java",
              "            frozen.applied()));",
              "            applied()));"),
          new Bug(
              "a row is behind its data",
              "State.java",
              "layers.beginFlush(applied)",
              """
              layers.beginFlush(new Applied(applied.index() - 1, applied.term(), applied.counter(),
                  applied.keys(), applied.timeMillis(), 0, applied.configuration()))\
              """),
          new Bug(
              "a flush that was begun before an install writes after it",
              "Writer.java",
              "    if (of != generation) {\n      return false;\n    }\n    database.write",
              "    database.write"),
          new Bug(
              "a flush that was begun before an install ends after it",
              "State.java",
              "    if (flush.generation() != generation) {\n      return; // a copy took the place of all that it wrote\n    }\n",
              ""),
          new Bug(
              "a flush that ends while a copy is in place reads it",
              "Writer.java",
              "return of == generation ? new SharedView(database.view()) : null;",
              "return new SharedView(database.view());"),
          new Bug(
              "an install leaves what was in memory",
              "Layers.java",
              "    waiting.clear();\n    begin(new Table(seed, false));\n",
              "    begin(active);\n"),
          new Bug(
              "a tombstone is forgotten",
              "Layers.java",
              "      if (found != null) {\n        return found;\n      }\n      if (table",
              "      if (found != null && found != Table.REMOVED) {\n        return found;\n      }\n      if (table"),
          new Bug(
              "a tombstone is forgotten in ranges",
              "Merge.java",
              "if (keys[i] != null && Arrays.equals(keys[i], key)) {",
              "if (keys[i] != null && Arrays.equals(keys[i], key) && (i == newest || value != null)) {"),
          new Bug(
              "a tombstone of an id is lost by a clear",
              "Layers.java",
              "        to.put(rows.key(), rows.value());\n",
              "        if (rows.value() != null) {\n          to.put(rows.key(), rows.value());\n        }\n"),
          new Bug("request ids are lost by a snapshot", "State.java", "    ids.load();\n", ""),
          new Bug(
              "request ids are lost by a clear",
              "Layers.java",
              "    moveWhatStays(active, cleared);\n",
              ""),
          new Bug(
              "request ids that wait are lost by a clear",
              "Layers.java",
              "    waiting.forEach(each -> moveWhatStays(each.table(), cleared));\n",
              ""),
          new Bug(
              "an id that may have gone is taken for a new one",
              "RequestIds.java",
              "    floorMillis = Math.max(floorMillis, oldest.getLong());\n",
              "    oldest.getLong();\n"),
          new Bug(
              "an increment is repeated by a replay",
              "State.java",
              "entryIndex <= applied.index()",
              "entryIndex < applied.index()",
              " || entryIndex != applied.index() + 1",
              ""),
          new Bug(
              "a read is answered from a state that is older than it may be",
              "Layers.java",
              "tables.set(0, active.snapshot());",
              "tables.set(0, new Table(seed, false));"),
          new Bug(
              "a read of one key asks the database first",
              "Layers.java",
              "    if (inMemory == null) {\n",
              "    if (inMemory == null || base.get(row) != null) {\n"),
          new Bug(
              "what was fetched counts although a flush has ended",
              "Layers.java",
              "return of == base && fetched.add(fetch);",
              "return fetched.add(fetch);"),
          new Bug(
              "what was fetched stays when a flush ends",
              "Layers.java",
              "    fetched.clear();\n",
              ""),
          new Bug(
              "what was fetched counts before what was changed",
              "Layers.java",
              "    byte[] found = inMemory(newestFirst, row, ask);\n    if (found == null && !fetched.isEmpty()) {\n      found = fetched(row);\n    }\n",
              "    byte[] found = fetched(row);\n    if (found == null) {\n      found = inMemory(newestFirst, row, ask);\n    }\n"),
          new Bug(
              "what the base knows counts before what was changed",
              "Layers.java",
              "    byte[] found = inMemory(newestFirst, row, ask);\n    if (found == null && !fetched.isEmpty()) {\n",
              "    byte[] found = base.view().known(row);\n    if (found == null) {\n      found = inMemory(newestFirst, row, ask);\n    }\n    if (found == null && !fetched.isEmpty()) {\n"),
          new Bug(
              "what the base knows hides what was removed",
              "Layers.java",
              "    return found == null ? base.view().known(row) : found;",
              """
                  byte[] known = base.view().known(row);
                  return found == null || found == Table.REMOVED && known != null ? known : found;\
              """),
          new Bug(
              "ids that go are not fetched",
              "Fetch.java",
              "    going.walk(key -> read(Spaces.own(key)));\n",
              ""),
          new Bug(
              "a put is not among what expires",
              "State.java",
              "        firstExpiryMillis = Math.min(firstExpiryMillis, expiresAtMillis);\n",
              ""),
          new Bug(
              "an install keeps since when nothing expires",
              "State.java",
              "    firstExpiryMillis = 0;\n",
              ""),
          new Bug(
              "a full sweep counts as a whole one",
              "State.java",
              "if (due.size() < keysMax) {",
              "if (due.size() <= keysMax) {"),
          new Bug(
              "a view goes on with the state",
              "Table.java",
              "slots = of.slots.clone();",
              "slots = of.slots;"),
          new Bug(
              "what was applied during a flush goes with it",
              "Layers.java",
              "    flushing = List.of();\n    begin(active);\n",
              "    flushing = List.of();\n    begin(new Table(seed, false));\n"),
          new Bug(
              "a flush counts as durable before it is synced",
              "Flush.java",
              "return synced || overtaken;",
              "return synced || overtaken || written == tables.size();",
              "  boolean isSynced() {\n    return synced;",
              "  boolean isSynced() {\n    return !overtaken;",
              "    return synced;\n  }\n\n  boolean",
              "    return !overtaken;\n  }\n\n  boolean"),
          new Bug(
              "batches are written newest first",
              "Layers.java",
              "waiting.addLast(new Frozen(active, applied));",
              "waiting.addFirst(new Frozen(active, applied));"),
          new Bug(
              "a clear leaves what is in the database",
              "Flush.java",
              "            table.isCleared(),\n",
              "            false,\n"),
          new Bug(
              "a cleared range shows what lies under it",
              "Layers.java",
              "        return new Merge(layers);\n      }\n    }\n",
              "        layers.size();\n      }\n    }\n"),
          new Bug(
              "a cleared key shows what lies under it",
              "Layers.java",
              "if (table.isCleared() && Spaces.isCleared(row)) {",
              "if (table.isCleared() && row.length == 0) {"),
          new Bug(
              "a key that is put again expires when it did",
              "State.java",
              "      removeExpiry(expiredBefore, key);\n",
              ""),
          new Bug(
              "keys are not counted on after a start",
              "State.java",
              "    keys = row.keys();\n",
              ""),
          new Bug(
              "partition time begins anew after a start",
              "State.java",
              "    timeMillis = row.timeMillis();\n",
              ""));

  @TestFactory
  Stream<DynamicTest> eachIsFound() {
    return BUGS.stream().map(bug -> DynamicTest.dynamicTest(bug.name(), () -> isFound(bug)));
  }

  private static void isFound(Bug bug) throws Exception {
    ClassLoader classes = MutatedClasses.with(SOURCES, bug.file(), bug.changes());
    Method failureOf =
        classes
            .loadClass("dev.cairn.state.Simulation")
            .getMethod("failureOf", long.class, int.class);
    Object failure = null;
    for (long seed = 1; failure == null && seed <= SEEDS; seed++) {
      failure = failureOf.invoke(null, seed, STEPS);
    }
    System.out.println(bug.name() + ": " + String.valueOf(failure).lines().findFirst().orElse(""));
    assertThat(failure).as("%s, within %d seeds", bug.name(), SEEDS).isNotNull();
  }
}
