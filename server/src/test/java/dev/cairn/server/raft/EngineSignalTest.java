// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import static org.assertj.core.api.Assertions.assertThat;

import com.alipay.sofa.jraft.core.NodeImpl;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EngineSignalTest {
  /** JDK 17 sees one or two of these seconds' hundred looks. */
  private static final int SECONDS_MAX = 30;

  @TempDir private Path folder;

  @Test
  void theJvmCanProfileANode() throws Exception {
    Class.forName(JRaftEngine.GroupOptions.class.getName()); // what comes before any group
    Class.forName(NodeImpl.class.getName());
    long files = enginesFiles();
    boolean sampled = false;
    try (Recording recording = new Recording()) {
      recording.enable("jdk.ExecutionSample").withPeriod(Duration.ofMillis(10));
      recording.start();
      for (int second = 0; second < SECONDS_MAX && !sampled; second++) {
        work();
        Path profile = folder.resolve("profile-" + second + ".jfr");
        recording.dump(profile);
        sampled =
            RecordingFile.readAllEvents(profile).stream()
                .anyMatch(event -> event.getEventType().getName().equals("jdk.ExecutionSample"));
      }
    }

    assertThat(sampled).as("the profile has a thread in it").isTrue();
    assertThat(enginesFiles()).as("descriptions in the current folder").isEqualTo(files);
  }

  /** For a second, so that the profiler has something to see. */
  private static void work() {
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(1);
    double sum = 0;
    for (int i = 1; System.nanoTime() - until < 0; i++) {
      sum += Math.sqrt(i);
    }
    assertThat(sum).isPositive();
  }

  private static long enginesFiles() throws IOException {
    try (Stream<Path> here = Files.list(Path.of(""))) {
      return here.map(Path::toString)
          .filter(name -> name.matches("(node|thread_pool)_.*\\.log.*"))
          .count();
    }
  }
}
