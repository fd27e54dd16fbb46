// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The demo as a process with real nodes: it ends as it must and leaves nothing behind. */
@Tag("nightly")
final class DemoProcessTest {
  private static final List<Integer> PORT_OFFSETS = List.of(0, 10_000, 20_000);
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  @TempDir private Path folder;
  private final List<Integer> ports = freePorts();
  private Process demo;

  @AfterEach
  void endDemo() {
    if (demo != null) {
      demo.descendants().forEach(ProcessHandle::destroyForcibly);
      demo.destroyForcibly();
    }
  }

  @Test
  @Timeout(300)
  void everyCheckHoldsAndNothingIsLeft() throws Exception {
    int status = start().waitFor();

    assertThat(status).as(output()).isZero();
    assertThat(output())
        .contains("> PUT mykey myvalue", " VALUE myvalue", "SIGKILL", "All checks held");
    assertNothingIsLeft();
  }

  @Test
  @Timeout(300)
  void anAcknowledgedWriteThatIsMissingIsNoticedOverTlsToo() throws Exception {
    int status = start("--tls", "--plant-lost-write").waitFor();

    assertThat(status).as(output()).isEqualTo(1);
    assertThat(output())
        .contains("All ports speak TLS", "never sent: acknowledged, but missing", "FAILED: 3 of");
  }

  @Test
  @Timeout(300)
  void aSignalInTheMiddleEndsEverything() throws Exception {
    start();
    await().atMost(PATIENCE).until(() -> output().contains("Healthy after"));

    demo.destroy();
    demo.waitFor();
    assertNothingIsLeft();
  }

  private Process start(String... options) throws IOException {
    List<String> words = new ArrayList<>();
    words.addAll(java("dev.cairn.tools.ToolsMain"));
    words.addAll(List.of("demo", "--ports=" + portList()));
    for (String word : java("dev.cairn.server.node.NodeMain")) {
      words.add("--program=" + word);
    }
    words.addAll(List.of(options));
    ProcessBuilder builder = new ProcessBuilder(words);
    builder.redirectInput(Path.of("/dev/null").toFile());
    builder.redirectErrorStream(true);
    builder.redirectOutput(folder.resolve("output").toFile());
    demo = builder.start();
    return demo;
  }

  private List<String> java(String mainClass) {
    String classPath =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    return List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-Xss512k",
        "-Xmx512m",
        // What a failed demo keeps goes with the test.
        "-Djava.io.tmpdir=" + folder,
        "-cp",
        classPath,
        mainClass);
  }

  private String output() throws IOException {
    return Files.readString(folder.resolve("output"));
  }

  private void assertNothingIsLeft() throws IOException {
    assertThat(demo.descendants()).isEmpty();
    assertThat(ports).allMatch(DemoProcessTest::free);
    String first = output().lines().filter(line -> line.contains("data in ")).findFirst().get();
    String path = first.replaceFirst(".*data in (\\S+) .*", "$1");
    assertThat(Path.of(path)).doesNotExist();
  }

  private String portList() {
    return String.join(",", ports.stream().map(String::valueOf).toList());
  }

  private static List<Integer> freePorts() {
    Random random = new Random();
    return Stream.generate(() -> 20_000 + random.nextInt(12_000))
        .filter(port -> PORT_OFFSETS.stream().allMatch(offset -> free(port + offset)))
        .distinct()
        .limit(3)
        .toList();
  }

  private static boolean free(int port) {
    try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getByName("127.0.0.1"))) {
      return socket.isBound();
    } catch (IOException taken) {
      return false;
    }
  }
}
