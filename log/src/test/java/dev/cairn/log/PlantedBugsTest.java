// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/**
 * Shows that the tests find mistakes: each of these is planted, one at a time, and must be found by
 * the simulation within 500 seeds, or by the test that is named.
 */
@Tag("nightly")
class PlantedBugsTest {
  private static final int SEEDS = 500;
  private static final int STEPS = 400;
  private static final String FLIPS = "DamageTest.everyFlippedBitThatMattersIsFound";
  private static final String SIMULATION = "";

  /**
   * A mistake.
   *
   * @param name what the log does wrongly
   * @param by the class and method that must find it; empty for the simulation
   * @param file of the module's sources
   * @param original what stands there, once
   * @param planted what is put in its place
   */
  private record Bug(String name, String by, String file, String original, String planted) {}

  private static final List<Bug> BUGS =
      List.of(
          new Bug(
              "an append is acknowledged before it is synced",
              SIMULATION,
              "Log.java",
              "    active.file().sync();\n",
              ""),
          new Bug(
              "an append is carried out before it is whole",
              SIMULATION,
              "Recovery.java",
              "if (batch.endsAppend(i)) {",
              "if (batch.size() > 0) {"),
          new Bug(
              "the last batch of a segment in use is not checked",
              "SegmentCheckTest.aFlippedBitOfAnyKindOfRecordIsFound",
              "SegmentCheck.java",
              "number > part.last();",
              "number >= part.last();"),
          new Bug(
              "a file that was used again is taken for damage",
              "SegmentCheckTest.aFileThatIsUsedAgainJustBeforeItIsReadIsNoDamage",
              "Log.java",
              "if (problem != null && counts(part.segment())) {",
              "if (problem != null) {"),
          new Bug(
              "a part that a crash left goes on in the next run",
              SIMULATION,
              "Recovery.java",
              "      append.clear();\n      places.clear();\n      parts.clear();\n    }\n",
              "    }\n"),
          new Bug(
              "a part that a crash leaves stands beside what counts",
              SIMULATION,
              "Log.java",
              "boolean fits = buffer.isEmpty() || pending.bytes <= buffer.room();",
              "boolean fits = true;"),
          new Bug(
              "a segment goes while an append that it has in part is not whole",
              SIMULATION,
              "Log.java",
              "oldest = begunIn == 0 ? oldest : Math.min(oldest, begunIn);",
              ""),
          new Bug(
              "replay begins in the middle of an append",
              SIMULATION,
              "Log.java",
              "while (first != null && first.begunIn() != 0) {",
              "while (first != null && first.begunIn() < 0) {"),
          new Bug(
              "a segment that an append goes on from is copied before that is known",
              "CopyingTest.anAppendThatIsNotWholeIsNotLostWhenItsSegmentCouldBeCopied",
              "Copying.java",
              "begunIn != 0 && segment.ordinal() >= begunIn",
              "begunIn < 0"),
          new Bug(
              "a segment is used again while it counts",
              SIMULATION,
              "Log.java",
              "chain.headMap(opening.oldest());",
              "chain.headMap(opening.oldest() + 1);"),
          new Bug(
              "a copied file is not counted",
              SIMULATION,
              "Log.java",
              "usedCopies().headSet(oldest, false)",
              "new TreeSet<Long>()"),
          new Bug(
              "a copied file is not synced",
              SIMULATION,
              "Copying.java",
              "      file.sync();\n",
              ""),
          new Bug(
              "a copied entry comes back after a truncation",
              SIMULATION,
              "GroupState.java",
              "    positions.truncateTo(base.index(), at.last);\n",
              ""),
          new Bug(
              "a removed group comes back from a copied file",
              "CopyingTest.aGroupThatIsRemovedStaysAwayThoughItsCopyIsThere",
              "Recovery.java",
              "      groups.keySet().retainAll(named);\n",
              ""),
          new Bug(
              "an older copy wins",
              SIMULATION,
              "GroupState.java",
              "    if (index <= last) {\n      last = index - 1;",
              "    if (index <= last && !positions.isEmpty()) {\n      return;\n    }\n    if (index <= last) {\n      last = index - 1;"),
          new Bug(
              "what a file held before is taken for what it holds now",
              SIMULATION,
              "BatchReader.java",
              "            && header.epoch() == segment.epoch()\n            && header.ordinal() == segment.ordinal()\n            && (number < 0 || header.number() == number);",
              ";"),
          new Bug(
              "an entry that was replaced is read",
              "LogFaultsTest.thinPositionsStillTellWhatWasReplaced",
              "Positions.java",
              "      end--;\n    }\n    replacing = true;",
              "      end--;\n    }"),
          new Bug(
              "the first of two entries of one batch is read",
              SIMULATION,
              "EntryReader.java",
              "found.get(found.size() - 1).index() >= entry.index()",
              "found.get(found.size() - 1).index() > entry.index()"),
          new Bug(
              "a base has a configuration from behind it",
              SIMULATION,
              "GroupState.java",
              "configurations.floorEntry(index)",
              "configurations.lastEntry()"),
          new Bug(
              "a commit index goes back",
              SIMULATION,
              "GroupState.java",
              "case Change.COMMIT -> commit = Math.max(commit, change.index());",
              "case Change.COMMIT -> commit = 0;"),
          new Bug(
              "a removal is not carried out when the log is opened",
              SIMULATION,
              "Recovery.java",
              "        groups.remove(change.group());\n",
              "        assert !groups.isEmpty();\n"),
          new Bug(
              "a later batch proves nothing",
              FLIPS,
              "Recovery.java",
              "header.number() > lastNumber + 1",
              "header.number() < 0"),
          new Bug(
              "the mark proves nothing",
              FLIPS,
              "Recovery.java",
              "lastNumber < mark.get().number()",
              "mark.get().number() < 0"),
          new Bug(
              "a checksum does not cover whose record it is",
              FLIPS,
              "Batch.java",
              "position(at + 8)",
              "position(at + RECORD_BYTES)"),
          new Bug(
              "a tail is called damage",
              FLIPS,
              "Recovery.java",
              "if (until < Long.MAX_VALUE) {",
              "if (until > 0) {"),
          new Bug(
              "what was read ahead is taken for damage",
              "LogFaultsTest.whatIsWrittenWhileOneReadsIsNotTakenForDamage",
              "EntryReader.java",
              "    readAhead = null;\n",
              ""),
          new Bug(
              "after a failed sync the log goes on",
              "LogFaultsTest.afterAFailedSyncNothingIsAcknowledgedAnyMore",
              "Log.java",
              "        failure = told;\n",
              ""),
          new Bug(
              "entries are taken on a full disk",
              "LogFaultsTest.aFullDiskRefusesEntriesBeforeItWritesAndGoesOnOnceThereIsRoom",
              "Log.java",
              "if (noRoom && hasEntries) {",
              "if (noRoom && closed) {"));

  @TestFactory
  Stream<DynamicTest> eachIsFound() {
    String only = System.getProperty("cairn.log.bug", "");
    return BUGS.stream()
        .filter(bug -> bug.name().contains(only))
        .map(bug -> DynamicTest.dynamicTest(bug.name(), () -> isFound(bug)));
  }

  private static void isFound(Bug bug) throws Exception {
    ClassLoader classes = MutatedClasses.with(bug.file(), bug.original(), bug.planted());
    boolean found =
        bug.by().equals(SIMULATION) ? simulationFails(classes) : testFails(classes, bug.by());
    assertThat(found).as(bug.name()).isTrue();
  }

  private static boolean simulationFails(ClassLoader classes) throws Exception {
    Method failureOf =
        classes
            .loadClass("dev.cairn.log.Simulation")
            .getDeclaredMethod("failureOf", long.class, int.class);
    failureOf.setAccessible(true);
    for (long seed = 1; seed <= SEEDS; seed++) {
      if (failureOf.invoke(null, seed, STEPS) != null) {
        return true;
      }
    }
    return false;
  }

  private static boolean testFails(ClassLoader classes, String test) throws Exception {
    String[] names = test.split("\\.");
    var constructor = classes.loadClass("dev.cairn.log." + names[0]).getDeclaredConstructor();
    constructor.setAccessible(true);
    Object instance = constructor.newInstance();
    Method method = instance.getClass().getDeclaredMethod(names[1]);
    method.setAccessible(true);
    try {
      method.invoke(instance);
      return false;
    } catch (InvocationTargetException e) {
      return true;
    }
  }
}
