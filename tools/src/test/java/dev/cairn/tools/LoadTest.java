// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.protocol.RespValue;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Loading files: formats, what is malformed, what fails, what is unknown. */
final class LoadTest {
  @TempDir private Path folder;
  private FakeCluster cluster;

  @BeforeEach
  void start() throws IOException {
    cluster = new FakeCluster();
  }

  @AfterEach
  void stop() throws IOException {
    cluster.close();
  }

  @Test
  void tabSeparatedWithItsKeysNoted() throws IOException {
    Path keys = folder.resolve("keys");
    ToolRun run = load("a\t1\r\n\nb\tx\ty\nc\t", "--acknowledged", keys.toString());

    assertThat(run.exitStatus()).isZero();
    assertThat(run.out()).startsWith("Stored 3, failed 0, unknown 0 in ");
    assertThat(cluster.values).containsEntry("a", RespValue.bulk("1"));
    assertThat(cluster.values).containsEntry("b", RespValue.bulk("x\ty"));
    assertThat(cluster.values).containsEntry("c", RespValue.bulk(""));
    assertThat(Files.readAllLines(keys)).containsExactlyInAnyOrder("a", "b", "c");
  }

  @Test
  void jsonLinesPackedWithGzip() throws IOException {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(packed)) {
      gzip.write(bytes("{\"key\":\"a\",\"value\":\"1\\n\"}\n{\"value\":\"2\",\"key\":\"b\"}\n"));
    }
    Path file = folder.resolve("pairs");
    Files.write(file, packed.toByteArray());
    ToolRun run = ToolRun.of("", "load", "--nodes", cluster.nodes(), file.toString());

    assertThat(run.exitStatus()).isZero();
    assertThat(cluster.values).containsEntry("a", RespValue.bulk("1\n"));
    assertThat(cluster.values).containsEntry("b", RespValue.bulk("2"));
  }

  @Test
  void malformedLinesAreReportedWithTheirNumbersAndTheRestIsStored() {
    ToolRun tsv = load("a\t1\nnothing here\n\tno key\nb\t2\n");
    assertThat(tsv.exitStatus()).isEqualTo(1);
    assertThat(tsv.err()).contains("line 2: no tab", "line 3: the key is empty");
    assertThat(tsv.out()).startsWith("Stored 2, failed 0, unknown 0, lines without a pair 2");

    ToolRun json = load("{\"key\":\"a\",\"value\":\"1\"}\n{\"key\":\"a\"}\n{\"key\n[]\n");
    assertThat(json.exitStatus()).isEqualTo(1);
    assertThat(json.err()).contains("line 2: no {\"key\"", "line 3: not JSON", "line 4: no {");
  }

  @Test
  void ofTwoLinesWithOneKeyTheLaterWins() {
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < 2000; i++) {
      lines.append("k").append(i % 3).append('\t').append(i).append('\n');
    }
    assertThat(load(lines.toString()).exitStatus()).isZero();
    assertThat(cluster.values).containsEntry("k0", RespValue.bulk("1998"));
    assertThat(cluster.values).containsEntry("k1", RespValue.bulk("1999"));
    assertThat(cluster.values).containsEntry("k2", RespValue.bulk("1997"));
  }

  @Test
  void anUnknownPairIsStoredAgainUnlessToldNotTo() {
    AtomicInteger cuts = new AtomicInteger();
    cluster.first(
        words ->
            words.get(0).equals("SET") && cuts.incrementAndGet() == 1
                ? Optional.of(FakeCluster.CUT)
                : Optional.empty());
    assertThat(load("a\t1\n").exitStatus()).isZero();
    assertThat(cuts).hasValue(2);

    cuts.set(0);
    ToolRun run = load("a\t1\n", "--no-retry-unknown");
    assertThat(run.exitStatus()).isEqualTo(3);
    assertThat(run.out()).startsWith("Stored 0, failed 0, unknown 1");
    assertThat(run.err()).contains("line 1: outcome unknown");
  }

  @Test
  void aRefusedPairIsCountedAndTheRestIsStored() {
    cluster.first(
        words ->
            words.contains("b")
                ? Optional.of(new RespValue.ErrorReply("OOM free some room"))
                : Optional.empty());
    ToolRun run = load("a\t1\nb\t2\nc\t3\n");

    assertThat(run.exitStatus()).isEqualTo(1);
    assertThat(run.out()).startsWith("Stored 2, failed 1, unknown 0");
    assertThat(run.err()).contains("line 2: ", "free some room");
  }

  @Test
  void goesOnWhereItWasInterrupted() {
    assertThat(load("a\t1\nb\t2\nc\t3\n", "--skip", "2").exitStatus()).isZero();
    assertThat(cluster.values).containsOnlyKeys("c");
  }

  @Test
  void theRateIsHeld() {
    long startNanos = System.nanoTime();
    load("a\t1\nb\t2\nc\t3\nd\t4\n", "--rate", "10");
    assertThat(System.nanoTime() - startNanos).isGreaterThan(290_000_000L);
  }

  @Test
  void noNodeAndNoFileAreErrors() throws IOException {
    assertThat(ToolRun.of("", "load", "--nodes", cluster.nodes(), "/no/such").err())
        .contains("no file to read");
    cluster.close();
    ToolRun run = load("a\t1\n");
    assertThat(run.exitStatus()).isEqualTo(2);
    assertThat(run.err()).contains("No node reachable");
  }

  @Test
  void aLineThatIsTooLongIsSkipped() throws IOException {
    ByteLines lines = new ByteLines(new ByteArrayInputStream(bytes("abc\nabcd\r\nabcde\nx")), 4);
    List<String> read = new ArrayList<>();
    for (var line = lines.next(); line.isPresent(); line = lines.next()) {
      read.add(new String(line.get().bytes(), StandardCharsets.UTF_8) + line.get().tooLong());
    }
    assertThat(read).isEqualTo(Arrays.asList("abcfalse", "abcdfalse", "abcdtrue", "xfalse"));
  }

  @Test
  void theProgressTellsRateAndRemainingTime() {
    assertThat(LoadProgress.text("stored", 1234, 500, 0.5, 10, true))
        .isEqualTo("[###############...............] 50 %  1,234 stored  500/s  ETA 0:10");
    assertThat(LoadProgress.text("stored", 1234, 500, -1, 10, false))
        .isEqualTo("1,234 stored  500/s");
  }

  private ToolRun load(String input, String... options) {
    List<String> arguments = new ArrayList<>(List.of("load", "--nodes", cluster.nodes(), "-"));
    arguments.addAll(List.of(options));
    arguments.addAll(List.of("--timeout", "0.5"));
    return ToolRun.of(input, arguments.toArray(new String[0]));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
