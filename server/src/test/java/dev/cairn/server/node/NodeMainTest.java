// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.server.storage.DurableFiles;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NodeMainTest {
  @TempDir Path folder;

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @Test
  void helpTellsOptionsAndStatuses() {
    assertThat(run("node", "--help")).isZero();
    assertThat(captured()).contains("--replication-factor=N", "Exit status", "could not start");
  }

  @Test
  void versionIsTheBuilds() {
    assertThat(Release.version()).matches("\\d+\\.\\d+\\.\\d+.*");
    assertThat(run("node", "--version")).isZero();
    assertThat(captured()).startsWith("cairn " + Release.version() + " ");
  }

  @Test
  void unknownOptionIsOneLineAndAHint() {
    assertThat(run("node", "5000", "--dat", "x")).isEqualTo(2);
    assertThat(err.toString(UTF_8))
        .contains("Unknown option", "--data", "./cairn node --help")
        .doesNotContain("\tat ");
  }

  @ParameterizedTest
  @CsvSource({
    "node 5000 --clustr x, --cluster",
    "node 5000 --replicaton-factor=1, --replication-factor",
    "node --insecur, --insecure",
    "log --dta x, --data",
    "log --dat=x, --data"
  })
  void whatIsMistypedIsAnsweredWithWhatWasMeant(String typed, String meant) {
    assertThat(run(typed.split(" "))).isEqualTo(2);
    assertThat(err.toString(UTF_8)).containsPattern("Unknown option(.|\n)*" + meant);
  }

  @Test
  void aSettingThatMakesNoSenseIsOneLine() {
    assertThat(run("node", "5003")).isEqualTo(2);
    assertThat(err.toString(UTF_8)).startsWith("cairn: port 5003").hasLineCount(1);
  }

  @Test
  void aPortInUseIsOneLineThatNamesIt() throws IOException {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
      int port = taken.getLocalPort();
      int[] free = freePorts(2);

      assertThat(node(port, free[0], free[1])).isEqualTo(2);
      assertThat(node(free[0], port, free[1])).isEqualTo(2);
      assertThat(node(free[0], free[1], port)).isEqualTo(2);

      assertThat(err.toString(UTF_8).lines())
          .hasSize(3)
          .satisfiesExactly(
              line -> assertThat(line).contains("port " + port, "another PORT"),
              line -> assertThat(line).contains("peer port " + port, "--peer-port"),
              line -> assertThat(line).contains("cluster port " + port, "--cluster-port"));
      assertThat(folder.resolve("data")).doesNotExist();
    }
  }

  @Test
  void aFolderInUseIsOneLine() throws Exception {
    int[] ports = freePorts(3);
    try (DataFolder held = DataFolder.open(folder.resolve("data"))) {
      assertThat(node(ports[0], ports[1], ports[2])).isEqualTo(2);
      assertThat(err.toString(UTF_8)).contains(held.path().toString(), "in use").hasLineCount(1);
    }
  }

  @Test
  void aLogThatIsNotThereIsOneLine() {
    assertThat(run("log", "--data", "none")).isEqualTo(2);
    assertThat(err.toString(UTF_8)).contains("no write-ahead log").hasLineCount(1);
    assertThat(run("log")).isEqualTo(2);
  }

  @Test
  void aNodeTellsItsFolderAndEndsWithZeroOnSigterm() throws Exception {
    Path output = folder.resolve("output");
    Process process = start(output);
    try {
      awaitIn(output, "data folder " + folder.resolve("data"));
      awaitIn(output, "started; Ctrl-C");
      assertThat(folder.resolve("data/node.yaml")).exists();
      Awaitility.await() // the log of a node that runs can be printed too
          .atMost(60, TimeUnit.SECONDS)
          .until(() -> run("log", "--data", "data") == 0 && captured().contains("  index 1  "));
      out.reset();
      process.destroy();

      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(process.exitValue()).as(Files.readString(output)).isZero();
      itsLogIsPrintedToWhoeverReadsIt();
    } finally {
      process.destroyForcibly();
    }
  }

  @Test
  void aLogOfTheFormerFormIsRefusedAndNamesTheWayOver() throws Exception {
    Path log = folder.resolve("data").resolve(NodeRuntime.LOG);
    Path output = folder.resolve("output");
    Process written = start(output);
    try {
      awaitIn(output, "started; Ctrl-C");
    } finally {
      written.destroyForcibly();
    }
    assertThat(written.waitFor(60, TimeUnit.SECONDS)).isTrue();
    DurableFiles.deleteTree(log);
    Files.createDirectories(log);
    Files.writeString(log.resolve("CURRENT"), "MANIFEST-000005\n"); // a RocksDB has one
    Map<String, Long> before = logFiles();

    Process refused = start(output);
    try {
      assertThat(refused.waitFor(60, TimeUnit.SECONDS)).isTrue();
      String said = Files.readString(output);
      assertThat(refused.exitValue()).as(said).isEqualTo(NodeMain.STATUS_NOT_STARTED);
      assertThat(said.lines().filter(line -> line.startsWith("cairn: ")))
          .singleElement()
          .asString()
          .contains("another form of Cairn", "./cairn export", "./cairn import")
          .contains(log.toString());
      assertThat(said).doesNotContain("\tat ");
      assertThat(logFiles()).isEqualTo(before);
    } finally {
      refused.destroyForcibly();
    }
    assertThat(run("log", "--data", "data")).isEqualTo(NodeMain.STATUS_NOT_STARTED);
    assertThat(err.toString(UTF_8))
        .contains("another form of Cairn", "./cairn export", log.toString())
        .hasLineCount(1);
  }

  private Process start(Path output) throws IOException {
    return new ProcessBuilder(command(freePorts(3)))
        .redirectErrorStream(true)
        .redirectOutput(output.toFile())
        .start();
  }

  private static void awaitIn(Path output, String text) {
    Awaitility.await()
        .atMost(60, TimeUnit.SECONDS)
        .until(() -> Files.readString(output).contains(text));
  }

  /** The log's files and their lengths. */
  private Map<String, Long> logFiles() throws IOException {
    try (Stream<Path> files = Files.list(folder.resolve("data").resolve(NodeRuntime.LOG))) {
      return files.collect(
          Collectors.toMap(file -> file.getFileName().toString(), file -> file.toFile().length()));
    }
  }

  private void itsLogIsPrintedToWhoeverReadsIt() {
    assertThat(run("log", "--data", "data")).isZero();
    assertThat(captured()).contains("group ", "  index 1  ");
    assertThat(logTo("Broken pipe")).isEqualTo(141);
    assertThat(err.toString(UTF_8)).isEmpty();
    assertThat(logTo("No space left on device")).isEqualTo(2);
    assertThat(err.toString(UTF_8)).contains("cannot write the output: No space left on device");
  }

  private int logTo(String failure) {
    OutputStream unread =
        new OutputStream() {
          @Override
          public void write(int octet) throws IOException {
            throw new IOException(failure);
          }
        };
    return new NodeMain(unread, new PrintStream(err, true, UTF_8), Map.of(), folder)
        .run("log", "--data", "data");
  }

  private List<String> command(int[] ports) {
    return List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-Xmx256m",
        "-cp",
        System.getProperty("java.class.path"),
        NodeMain.class.getName(),
        "node",
        Integer.toString(ports[0]),
        "--cluster=127.0.0.1:" + ports[0] + "/" + ports[1],
        "--cluster-port=" + ports[2],
        "--data=" + folder.resolve("data"));
  }

  private int node(int port, int peerPort, int clusterPort) {
    return run(
        "node",
        Integer.toString(port),
        "--cluster=127.0.0.1:" + port + "/" + peerPort,
        "--cluster-port=" + clusterPort,
        "--data=" + folder.resolve("data"));
  }

  private int run(String... arguments) {
    return new NodeMain(
            new PrintStream(out, true, UTF_8), new PrintStream(err, true, UTF_8), Map.of(), folder)
        .run(arguments);
  }

  private String captured() {
    return out.toString(UTF_8);
  }

  private static int[] freePorts(int count) throws IOException {
    List<ServerSocket> sockets = new ArrayList<>();
    try {
      for (int i = 0; i < count; i++) {
        sockets.add(new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1")));
      }
      return sockets.stream().mapToInt(ServerSocket::getLocalPort).toArray();
    } finally {
      for (ServerSocket socket : sockets) {
        socket.close();
      }
    }
  }
}
