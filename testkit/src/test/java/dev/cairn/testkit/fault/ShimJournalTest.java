// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.fault;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What is left of a file that is written in place, as the write-ahead log's segments are. */
@Tag("faults")
@Timeout(60)
class ShimJournalTest {
  private static final int POWER_LOSSES = 12;

  @TempDir Path folder;
  private final ShimmedDisk disk = ShimmedDisk.build();

  @Test
  void whatWasFsyncedStays() throws Exception {
    assertThat(leftAfter("A")).containsExactly("A");
    assertThat(leftAfter("aB")).containsExactly("B");
  }

  @Test
  void aDescriptorThatSyncsEachWriteNeedsNoFsync() throws Exception {
    assertThat(leftAfter("1")).containsExactly("1");
    assertThat(leftAfter("a2")).containsExactly("2");
  }

  @Test
  void ofWhatWasNotFsyncedSomeSectorsStay() throws Exception {
    assertThat(leftAfter("a")).contains("0").contains("0a").isSubsetOf("0", "0a", "a");
    assertThat(leftAfter("Ab")).contains("A").contains("Ab").isSubsetOf("A", "Ab", "b");
    assertThat(leftAfter("1b")).contains("1").contains("1b").isSubsetOf("1", "1b", "b");
  }

  @Test
  void aSectorThatWasWrittenTwiceMayHaveAnyOfTheThree() throws Exception {
    assertThat(leftAfter("ab")).contains("0").anyMatch(letters -> letters.contains("a"));
  }

  /** Each set of letters that a file consisted of after a power loss; 0 for what was first. */
  private Set<String> leftAfter(String letters) throws Exception {
    Set<String> left = new TreeSet<>();
    for (int seed = 0; seed < POWER_LOSSES; seed++) {
      Path data = Files.createDirectory(folder.resolve(letters + seed));
      ProcessBuilder writer =
          new ProcessBuilder(
              Path.of(System.getProperty("java.home"), "bin", "java").toString(),
              "-Xshare:auto",
              "-XX:TieredStopAtLevel=1",
              "-cp",
              System.getProperty("java.class.path"),
              Overwrites.class.getName(),
              data.resolve("file").toString(),
              letters);
      disk.prepare(seed, data, writer);
      assertThat(writer.inheritIO().start().waitFor()).isZero();
      disk.losePower(seed, new Random(seed * 0x9E3779B97F4A7C15L)); // small seeds begin alike
      left.add(lettersOf(data.resolve("file")));
    }
    return left;
  }

  private static String lettersOf(Path file) throws IOException {
    Set<Character> letters = new TreeSet<>();
    for (byte each : Files.readAllBytes(file)) {
      letters.add(each == 0 ? '0' : (char) each);
    }
    StringBuilder all = new StringBuilder();
    letters.forEach(all::append);
    return all.toString();
  }
}
