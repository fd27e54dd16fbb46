// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The demo where it cannot begin. The tour itself is tested with real nodes in testkit. */
final class DemoTest {
  @Test
  void aPortInUseIsNamedAndNothingIsStarted() throws IOException {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
      int port = taken.getLocalPort();
      // The demo's ports end at 45535; a higher one may serve as a peer port.
      int clientPort = port > 45_535 ? port - 20_000 : port;
      ToolRun run = ToolRun.of("", "demo", "--ports", clientPort + "," + free(1) + "," + free(2));

      assertThat(run.exitStatus()).isEqualTo(2);
      assertThat(run.err()).contains("Port " + port + " is in use", "--ports");
      assertThat(run.out()).isEmpty();
    }
  }

  @Test
  void threeDifferentPortsAreNeeded() {
    assertThat(ToolRun.of("", "demo", "--ports", "1,2").err()).contains("three different ports");
    assertThat(ToolRun.of("", "demo", "--ports", "1,2,2").exitStatus()).isEqualTo(2);
    assertThat(ToolRun.of("", "demo", "--ports", "1,2,60000").exitStatus()).isEqualTo(2);
  }

  @Test
  void aNodeThatEndsAtOnceShowsItsLogAndTheFolderIsKept() throws IOException {
    ToolRun run =
        ToolRun.of(
            "",
            "demo",
            "--ports=" + free(3) + "," + free(4) + "," + free(5),
            "--program=/bin/sh",
            "--program=-c",
            "--program=echo the disk is on fire; exit 3");

    assertThat(run.exitStatus()).isEqualTo(2);
    assertThat(run.err()).contains("ended by itself", "the disk is on fire", "are kept in ");
    String kept = run.err().lines().reduce((first, last) -> last).orElseThrow();
    remove(Path.of(kept.substring(kept.indexOf("kept in ") + 8)));
  }

  @Test
  void theFileOfTheDemoHoldsPairsOnly() throws IOException {
    try (PairReader reader =
        new PairReader(
            DemoTour.class.getResourceAsStream("packages.tsv.gz"), PairReader.Format.TSV)) {
      int pairs = 0;
      for (var entry = reader.next(); entry.isPresent(); entry = reader.next()) {
        assertThat(entry.get()).isInstanceOf(PairReader.Pair.class);
        pairs++;
      }
      assertThat(pairs).isBetween(4_000, 6_000);
    }
  }

  @Test
  void aRecordTellsCertainFromUnknown() {
    DemoRecord record = new DemoRecord();
    record.acknowledged(bytes("a"), bytes("1"));
    record.unknown(bytes("b"), bytes("2"));
    assertThat(record.acknowledged()).isEqualTo(1);
    assertThat(record.unknown()).isEqualTo(1);
    assertThat(record.all()).extracting(DemoRecord.Expected::certain).contains(true, false);
  }

  /** A port that was free a moment ago, with those that the demo adds. */
  private static int free(int salt) {
    return Stream.iterate(20_000 + salt * 1000 + (int) (System.nanoTime() % 900), port -> port + 1)
        .filter(port -> DemoCluster.portInUse(List.of(port)).isEmpty())
        .findFirst()
        .orElseThrow();
  }

  private static void remove(Path folder) throws IOException {
    try (Stream<Path> paths = Files.walk(folder)) {
      for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
