// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.fault;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a process that was told to end has left on the machine. */
@Tag("faults")
@Timeout(60)
class AtExitTest {
  private static final int FIRST_NODE = 0;
  private static final int MEBIBYTES = 1;

  @Test
  void namespacesAndDisksOfAProcessThatIsToldToEndGoWithIt(@TempDir Path folder) throws Exception {
    Process child =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Child.class.getName(),
                folder.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (BufferedReader out = child.inputReader(StandardCharsets.UTF_8)) {
      String address = out.readLine();
      assertThat(Tools.run("ip", "-o", "addr")).contains(networkOf(address));
      assertThat(mounts()).contains(folder.toString());
      child.destroy();
      assertThat(child.waitFor(30, TimeUnit.SECONDS)).isTrue();
      assertThat(Tools.run("ip", "-o", "addr")).doesNotContain(networkOf(address));
      assertThat(mounts()).doesNotContain(folder.toString());
    } finally {
      child.destroyForcibly();
    }
  }

  private static String networkOf(String address) {
    return address.substring(0, address.lastIndexOf('.') + 1);
  }

  private static String mounts() throws IOException {
    return Files.readString(Path.of("/proc/self/mounts"));
  }

  /** Makes a network and a disk, says where the first node is, and waits. */
  static final class Child {
    private Child() {}

    public static void main(String[] arguments) throws InterruptedException {
      Namespaces network = Namespaces.of(1);
      SmallDisks.of(MEBIBYTES)
          .prepare(FIRST_NODE, Path.of(arguments[0], "disk", "data"), new ProcessBuilder());
      System.out.println(network.host(FIRST_NODE));
      Thread.currentThread().join();
    }
  }
}
