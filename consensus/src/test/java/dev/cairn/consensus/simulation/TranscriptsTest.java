// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * What the members of a group say to each other, message by message, as it stands in the files of
 * {@code transcripts}. {@code -Dcairn.transcripts.rewrite=true} writes them anew: read the
 * difference.
 *
 * <p>Most tell one of etcd-io/raft's data-driven scenarios with our messages, our asynchronous
 * writes and our witnesses; {@link Script} says what the commands mean.
 */
class TranscriptsTest {
  private static final Path FOLDER = Path.of("src/test/resources/transcripts");
  private static final boolean REWRITE = Boolean.getBoolean("cairn.transcripts.rewrite");

  @TestFactory
  Stream<DynamicTest> eachGoesAsWritten() throws IOException {
    try (Stream<Path> files = Files.list(FOLDER)) {
      return files.sorted().toList().stream()
          .map(file -> DynamicTest.dynamicTest(file.getFileName().toString(), () -> compare(file)));
    }
  }

  private static void compare(Path file) throws IOException {
    List<String> written = Files.readAllLines(file);
    List<String> told = Script.rewritten(written);
    if (REWRITE) {
      Files.write(file, told);
    } else {
      assertThat(told).as(file.getFileName().toString()).isEqualTo(written);
    }
  }
}
