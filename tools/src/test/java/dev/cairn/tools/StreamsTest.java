// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.protocol.RespValue;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Input and output as a shell connects them: real processes with pipes, FIFOs, files and none. */
@Tag("nightly")
final class StreamsTest {
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

  /** Each way to give a command its input, and each kind of it. */
  @ParameterizedTest
  @CsvSource({
    "pipe, 0", "pipe, 5", "pipe, 16777216",
    "file, 0", "file, 5", "file, 16777216",
    "fifo, 5", "fifo, 1000000"
  })
  void aValueFromStandardInputAndBackToTheByte(String kind, int length) throws Exception {
    byte[] value = new byte[length];
    new Random(length).nextBytes(value);
    Path file = folder.resolve("value");
    Path back = folder.resolve("back");
    Files.write(file, value);
    String from =
        switch (kind) {
          case "pipe" -> "cat value | %s put k - --timeout 30 --nodes %s";
          case "file" -> "%s put k - --timeout 30 --nodes %s < value";
          default ->
              "mkfifo f; cat value > f & %s put k - --timeout 30 --nodes %s < f; s=$?; wait; exit $s";
        };
    Ran put = shell(from);
    assertThat(put.status).as(put.err).isZero();
    Ran get = shell("%s get k --raw --timeout 30 --nodes %s | cat > back");
    assertThat(get.status).as(get.err).isZero();
    assertThat(Files.readAllBytes(back)).isEqualTo(value);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "cat in | %s load - --nodes %s",
        "%s load - --nodes %s < in",
        "%s load in --nodes %s",
        "mkfifo f; cat in > f & %s load f --nodes %s; s=$?; wait; exit $s",
        "gzip < in | %s load - --nodes %s",
        "gzip < in > p; mkfifo f; cat p > f & %s load f --nodes %s; s=$?; wait; exit $s",
        "sed s/^/PUT' '/ in | %s shell --nodes %s",
      })
  void linesFromWhereverTheyCome(String command) throws Exception {
    Files.writeString(folder.resolve("in"), "a\tone\nb\ttwo\n");
    Ran run = shell(command);
    assertThat(run.status).as(run.err).isZero();
    assertThat(cluster.values)
        .containsEntry("a", RespValue.bulk("one"))
        .containsEntry("b", RespValue.bulk("two"));
  }

  /** Whoever reads may leave: a command that only prints ends quietly, as SIGPIPE would end it. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "export - --nodes %s",
        "get big --nodes %s",
        "shell --nodes %s < lines",
        "--help",
        "bench --help"
      })
  void anOutputThatNobodyReadsEndsTheCommandQuietly(String arguments) throws Exception {
    cluster.values.put("big", new RespValue.Bulk(new byte[4 << 20]));
    Files.writeString(folder.resolve("lines"), "GET a\n".repeat(20_000));
    // The reader is gone before anything is printed.
    Ran run =
        shell(
            "mkfifo f; { exec 3> f; "
                + "%s "
                + arguments
                + " >&3; echo $? > status; } & exec 4< f; exec 4<&-; wait");
    assertThat(run.err).isEmpty();
    assertThat(Files.readString(folder.resolve("status"))).isEqualTo("141\n");
  }

  /** What was done is done, whoever reads of it. */
  @ParameterizedTest
  @CsvSource({"put k v, 0", "delete big, 0", "delete none, 1", "load in, 0"})
  void anOutputThatNobodyReadsChangesNothingOfWhatIsDone(String command, int status)
      throws Exception {
    cluster.values.put("big", RespValue.bulk("x"));
    Files.writeString(folder.resolve("in"), "k\tv\n");
    Ran run =
        shell(
            "mkfifo f; { exec 3> f; %s "
                + command
                + " --nodes %s >&3; echo $? > status; } & exec 4< f; exec 4<&-; wait");
    assertThat(run.err).isEmpty();
    assertThat(Files.readString(folder.resolve("status"))).isEqualTo(status + "\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"get k", "export -"})
  void anOutputThatIsFullIsAnError(String command) throws Exception {
    cluster.values.put("k", RespValue.bulk("v"));
    Ran run = shell("%s " + command + " --nodes %s > /dev/full");
    assertThat(run.status).isIn(1, 2);
    assertThat(run.err).contains("No space left on device");
  }

  /** A pipe has nothing at hand at the moment when a member of gzip ends. */
  @Test
  void membersOfGzipThatComeOneAfterTheOther() throws IOException {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    for (String line : List.of("a\t1\n", "b\t2\n", "c\t3\n")) {
      GZIPOutputStream member = new GZIPOutputStream(packed);
      member.write(line.getBytes(UTF_8));
      member.finish();
    }
    InputStream slow =
        new FilterInputStream(new ByteArrayInputStream(packed.toByteArray())) {
          @Override
          public int read(byte[] buffer, int offset, int length) throws IOException {
            return super.read(buffer, offset, Math.min(1, length));
          }

          @Override
          public int available() {
            return 0;
          }
        };
    List<String> keys = new ArrayList<>();
    try (Pairs pairs = new PairReader(slow, PairReader.Format.AUTO)) {
      for (var entry = pairs.next(); entry.isPresent(); entry = pairs.next()) {
        keys.add(new String(((Pairs.Pair) entry.get()).key(), UTF_8));
      }
    }
    assertThat(keys).containsExactly("a", "b", "c");
  }

  @Test
  void aPackedFileThatIsCutIsStoredAsFarAsItGoes() throws IOException {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (GZIPOutputStream out = new GZIPOutputStream(packed)) {
      Random random = new Random(1);
      for (int i = 0; i < 2000; i++) {
        out.write(("k" + i + "\t" + random.nextLong() + "\n").getBytes(UTF_8));
      }
    }
    byte[] cut = Arrays.copyOf(packed.toByteArray(), packed.size() / 2);
    ToolRun run = ToolRun.of(cut, "load", "--nodes", cluster.nodes(), "-");
    assertThat(run.exitStatus()).isEqualTo(1);
    assertThat(run.err()).contains("cannot be read, nor what follows it: ");
    assertThat(cluster.values).containsKey("k0");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "stauts | cairn status",
        "nod | cairn node",
        "lgo | cairn log",
        "exprot | cairn export",
        "imoprt | cairn import",
        "put --nodess x k v | --nodes",
        "put --ndoes x k | --nodes",
        "get --consistncy=one k | --consistency",
        "load --formt TSV x | --format",
        "export --prefx a - | --prefix",
        "bench --loda | --load",
        "shell --tiemout 2 | --timeout"
      })
  void whatIsMistypedIsAnsweredWithWhatWasMeant(String typed, String meant) {
    ToolRun run = ToolRun.of("", typed.split(" "));
    assertThat(run.exitStatus()).isEqualTo(2);
    assertThat(run.err()).contains("Did you mean: " + meant + "?");
  }

  @Test
  void whatIsLikeNothingIsAnsweredWithNothing() {
    assertThat(ToolRun.of("", "frobnicate").err()).doesNotContain("Did you mean");
    assertThat(ToolRun.of("", "get", "--zzzzzzzz", "k").err()).doesNotContain("Did you mean");
  }

  private record Ran(int status, String err) {}

  /** Runs a line of sh in the folder; the command and the nodes stand in for its two %s. */
  private Ran shell(String line) throws IOException, InterruptedException {
    String tool =
        "'%s' -Xmx256m -XX:TieredStopAtLevel=1 -cp '%s' %s"
            .formatted(
                Path.of(System.getProperty("java.home"), "bin", "java"),
                System.getProperty("java.class.path"),
                ToolsMain.class.getName());
    File err = folder.resolve("err").toFile();
    Process process =
        new ProcessBuilder("sh", "-c", line.formatted(tool, cluster.nodes()))
            .directory(folder.toFile())
            .redirectError(err)
            .redirectOutput(folder.resolve("out").toFile())
            .start();
    process.getOutputStream().close();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    return new Ran(process.exitValue(), Files.readString(err.toPath()));
  }
}
