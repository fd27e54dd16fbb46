// SPDX-License-Identifier: Apache-2.0
package dev.cairn.replication;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.consensus.MutatedClasses;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/**
 * Shows that the simulated cluster finds mistakes of the log and of what stands between: each of
 * these is planted, one at a time, and must be found within 500 seeds. {@code
 * -Dcairn.planted=WORDS} runs those whose names have these words.
 */
@Tag("nightly")
class PlantedLogBugsTest {
  private static final Path HERE = Path.of("src/main/java/dev/cairn/replication");
  private static final Path LOG = Path.of("../log/src/main/java/dev/cairn/log");
  private static final int SEEDS = 500;
  private static final int STEPS = 5_000;

  /**
   * A mistake.
   *
   * @param name what is done wrongly
   * @param folder of the sources
   * @param file among them
   * @param changes pairs: what stands there, once, and what is put in its place
   */
  private record Bug(String name, Path folder, String file, String... changes) {}

  private static final List<Bug> BUGS =
      List.of(
          new Bug(
              "an append is acknowledged before it is synced",
              HERE,
              "ShardLog.java",
              "handed.peekFirst().sequence() <= synced",
              "handed.peekFirst().sequence() <= synced + 1"),
          new Bug(
              "an append that is held back counts as durable",
              HERE,
              "ShardLog.java",
              "      durable = handed.pollFirst().number();\n    }\n",
              "      durable = handed.pollFirst().number();\n    }\n    durable = handed.isEmpty() ? number : durable;\n"),
          new Bug(
              "an append overtakes one that is held back",
              HERE,
              "ShardLog.java",
              "if (holdsBack() || !take(number, append)) {",
              "if (!take(number, append)) {"),
          new Bug(
              "a truncation is forgotten: an entry that the log has at its index stays",
              HERE,
              "ShardLog.java",
              "      add(append, part);\n",
              """
                    long last = log.group(part.group()).map(Group::last).orElse(0L);
                    Write write = part.write();
                    List<Entry> kept =
                        write.entries().stream().filter(each -> each.index() > last).toList();
                    add(append.compact(part.group(), 0), new Part(part.group(), part.marker(),
                        new Write(write.sequence(), write.hardState(), write.reset(),
                            write.compactedTo(), kept)));
              """),
          new Bug(
              "the hard state is written after the entries, a round later",
              HERE,
              "ShardLog.java",
              "      append.hardState(group, state.term(), voteBytes(state.votedFor()));\n",
              "      assert state != null;\n",
              "    return hand(append);\n",
              """
                  Append late = owed;
                  owed = null;
                  for (Part part : parts) {
                    append.compact(part.group(), 0);
                    HardState state = part.write().hardState();
                    if (state != null) {
                      owed = owed == null ? new Append() : owed;
                      owed.hardState(part.group(), state.term(), voteBytes(state.votedFor()));
                    }
                  }
                  long first = hand(append);
                  if (late != null) {
                    hand(late);
                  }
                  return first;
                }

                private Append owed;

                private void nothing() {
              """),
          new Bug(
              "a vote is not written",
              HERE,
              "ShardLog.java",
              "voteBytes(state.votedFor())",
              "NOTHING"),
          new Bug(
              "the marker is not written",
              HERE,
              "ShardLog.java",
              "append.remove(group).marker(group, Codec.bytesOf(part.marker()));",
              "append.remove(group);"),
          new Bug(
              "a placed replica keeps what an earlier one left",
              HERE,
              "ShardLog.java",
              "append.remove(group).marker(",
              "append.marker("),
          new Bug(
              "another incarnation's log is taken for one's own",
              HERE,
              "ShardLog.java",
              "Codec.peer(each.marker()).equals(self)",
              "Codec.peer(each.marker()).node().equals(self.node())"),
          new Bug(
              "a base has the configuration of its own index",
              HERE,
              "ShardLog.java",
              "        base.configurationIndex());",
              "        base.index());"),
          new Bug(
              "a log is opened with the terms of later entries",
              HERE,
              "RestoredEntries.java",
              "terms.get(middle).first() <= index",
              "terms.get(middle).first() <= index + 1"),
          new Bug(
              "a leader's first entry is read as data",
              HERE,
              "ShardLog.java",
              "case EMPTY -> new Entry(entry.index(), entry.term(), null, null);",
              "case EMPTY -> new Entry(entry.index(), entry.term(), entry.data(), null);"),
          new Bug(
              "a compaction drops one entry more than it should",
              HERE,
              "ShardLog.java",
              "      append.compact(group, write.compactedTo());",
              "      append.compact(group, write.compactedTo() + (write.entries().isEmpty() ? 0 : 1));"),
          new Bug("a batch is not synced", LOG, "Log.java", "    active.file().sync();\n", ""),
          new Bug(
              "a segment is let go of while a follower needs its entries",
              LOG,
              "Log.java",
              "chain.headMap(opening.oldest());",
              "chain.headMap(opening.oldest() + 1);"),
          new Bug(
              "a copied file is not counted",
              LOG,
              "Log.java",
              "usedCopies().headSet(oldest, false)",
              "new TreeSet<Long>()"),
          new Bug(
              "a marker is lost with its segment",
              LOG,
              "GroupState.java",
              "    marker = at.marker;\n",
              ""),
          new Bug(
              "what a file held before is taken for what it holds now",
              LOG,
              "BatchReader.java",
              "            && header.epoch() == segment.epoch()\n            && header.ordinal() == segment.ordinal()\n            && (number < 0 || header.number() == number);",
              ";"));

  @TestFactory
  Stream<DynamicTest> eachIsFound() {
    List<String> words = Arrays.asList(System.getProperty("cairn.planted", "").split(" "));
    return BUGS.stream()
        .filter(bug -> words.stream().allMatch(bug.name()::contains))
        .map(bug -> DynamicTest.dynamicTest(bug.name(), () -> isFound(bug)));
  }

  private static void isFound(Bug bug) throws Exception {
    ClassLoader classes = MutatedClasses.with(bug.folder(), bug.file(), bug.changes());
    Method failureOf =
        classes
            .loadClass("dev.cairn.replication.ShippedLogs")
            .getMethod("failureOf", long.class, int.class);
    Object failure = null;
    for (int seed = 1; failure == null && seed <= SEEDS; seed++) {
      failure = failureOf.invoke(null, seed, STEPS);
    }
    System.out.println(bug.name() + ": " + String.valueOf(failure).lines().findFirst().orElse(""));
    assertThat(failure).as("%s, within %d seeds", bug.name(), SEEDS).isNotNull();
  }
}
