// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.protocol.ReplicaAttribute;
import dev.cairn.protocol.RespValue;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** put, get, delete and status from a command line: output and exit status. */
final class OneShotTest {
  private static final String STATUS =
      """
      {"clusterId":"c1","epoch":3,"replicationFactor":2,"partitions":2,"healthy":%s,
       "problems":[%s],"answeredBy":"127.0.0.1:5000","somethingNew":{},
       "nodes":[{"name":"127.0.0.1:5000","id":"a","up":true,"heard":true,"reached":true,"heardMillisAgo":0,"leads":1,
                 "replicas":2,"witnesses":0,"version":"0.1.0"},
                {"name":"127.0.0.1:5001","id":"b","up":%s,"heardMillisAgo":61000,"leads":1,
                 "replicas":1,"witnesses":1,"version":null}],
       "partitionList":[{"index":0,"firstSlot":0,"lastSlot":8191,"leader":"127.0.0.1:5000","term":4,
           "replicas":[{"node":"127.0.0.1:5000","up":true,"counts":true,"lag":0},
                       {"node":"127.0.0.1:5001","up":true,"counts":true,"lag":7}],
           "witness":{"node":"127.0.0.1:5002","up":true,"counts":true},"canLose":%s},
         {"index":1,"firstSlot":8192,"lastSlot":16383,"leader":"127.0.0.1:5000","term":4,
           "replicas":[{"node":"127.0.0.1:5000","up":true,"counts":true,"lag":0}],"witness":null,"canLose":1}]}
      """;

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
  void putGetDelete() {
    assertThat(run("put", "k", "v")).isEqualTo(0);
    assertThat(tool("get", "k").out()).isEqualTo("v\n");
    assertThat(tool("get", "--raw", "k").out()).isEqualTo("v");
    assertThat(tool("delete", "k").out()).isEqualTo("[Node 5000] OK\n[Node 5001] OK\n");
    ToolRun missing = tool("get", "k");
    assertThat(missing.exitStatus()).isEqualTo(1);
    assertThat(missing.out()).isEmpty();
    assertThat(missing.err()).isEqualTo("[Node 5000] NOT_FOUND\n");
    assertThat(run("delete", "k")).isEqualTo(1);
  }

  @Test
  void levelsTravelAndAnAgeIsTold() {
    List<List<String>> asked = new java.util.concurrent.CopyOnWriteArrayList<>();
    cluster.first(
        words -> {
          asked.add(words);
          return words.contains("GET")
              ? Optional.of(
                  new ReplicaAttribute("127.0.0.1:5001", List.of(), 12_000)
                      .before(RespValue.bulk("v")))
              : Optional.empty();
        });
    ToolRun get = tool("get", "--consistency", "one", "k");
    assertThat(get.out()).isEqualTo("v\n");
    assertThat(get.err())
        .isEqualTo("[Node 5001] has heard no leader for 12 s: what it answers may be as old\n");
    assertThat(run("put", "--consistency", "ALL", "k", "v")).isZero();
    assertThat(asked)
        .contains(
            List.of("CAIRN", "WITH", "CONSISTENCY", "ONE", "DO", "GET", "k"),
            List.of("CAIRN", "WITH", "CONSISTENCY", "ALL", "DO", "SET", "k", "v"));
    assertThat(tool("put", "--consistency", "one", "k", "v").err())
        .contains("--consistency must be quorum or all, not one");
  }

  @Test
  void aValueFromStandardInputStaysByteForByte() {
    byte[] value = {0, '\n', (byte) 0xff, '\r', '\n'};
    assertThat(ToolRun.of(value, "put", "--nodes", cluster.nodes(), "k", "-").exitStatus())
        .isZero();
    assertThat(tool("get", "--raw", "k").outBytes()).isEqualTo(value);
  }

  @Test
  void aValueThatIsTooLongIsNotSent() {
    ToolRun run =
        ToolRun.of(new byte[16 * 1024 * 1024 + 1], "put", "--nodes", cluster.nodes(), "k", "-");
    assertThat(run.exitStatus()).isEqualTo(2);
    assertThat(run.err()).contains("16777216");
  }

  @Test
  void anUnknownOutcomeIsStatusThree() {
    cluster.first(
        words -> words.get(0).equals("SET") ? Optional.of(FakeCluster.CUT) : Optional.empty());
    ToolRun run = tool("put", "k", "v");
    assertThat(run.exitStatus()).isEqualTo(3);
    assertThat(run.err()).startsWith("Unknown outcome: ");
  }

  @Test
  void mistakesAreStatusTwoAndSayWhereHelpIs() {
    assertThat(tool("put", "k").err()).contains("VALUE", "cairn put --help");
    assertThat(run("put", "k")).isEqualTo(2);
    assertThat(run("put", "", "v")).isEqualTo(2);
    assertThat(ToolRun.of("", "get", "--nodes", "nonsense", "k").err()).contains("HOST:PORT");
    assertThat(ToolRun.of("", "get", "--timeout", "0", "k").exitStatus()).isEqualTo(2);
    assertThat(ToolRun.of("", "frobnicate").exitStatus()).isEqualTo(2);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"shell", "put", "get", "delete", "status", "load", "export", "import", "demo"})
  void everyHelpTellsTheExitStatus(String command) {
    ToolRun run = ToolRun.of("", command, "--help");
    assertThat(run.exitStatus()).isZero();
    assertThat(run.out()).contains("Exit status:").contains("--help");
  }

  @Test
  void theTopLevelNamesEveryCommand() {
    assertThat(ToolRun.of("", "--help").out())
        .contains(
            "shell", "put", "get", "delete", "status", "load", "export", "import", "demo", "node",
            "log");
    assertThat(ToolRun.of("", "--version").out()).startsWith("cairn ");
  }

  @Test
  void aHealthyCluster() {
    cluster.status(STATUS.formatted("true", "", "true", "1"));
    ToolRun run = tool("status");
    assertThat(run.exitStatus()).isZero();
    assertThat(run.out())
        .startsWith("HEALTHY: 2 of 2 nodes up")
        .contains("Nothing to do.")
        .contains("can lose any node")
        .contains("127.0.0.1:5001 behind 7");
  }

  @Test
  void aNodeThatServesNothingSaysSoAndNothingOfTheCluster() {
    cluster.status(
        """
        {"answeredBy":"127.0.0.1:5000","clusterId":"","epoch":0,"healthy":false,
         "problems":[{"name":"node-closed","subject":"127.0.0.1:5000","state":"pending",
           "ageMillis":1200,"text":"Node 127.0.0.1:5000 serves nothing just now: it is full."}]}""");
    ToolRun run = tool("status");
    assertThat(run.exitStatus()).isEqualTo(1);
    assertThat(run.out())
        .isEqualTo(
            """
            NOT KNOWN: 127.0.0.1:5000 cannot tell how the cluster is.
            - Node 127.0.0.1:5000 serves nothing just now: it is full. (node-closed for 1 s, pending)
            """);
  }

  @Test
  void aClusterWithAProblemSaysWhatToDo() {
    String problem =
        """
        {"name":"node-down","subject":"127.0.0.1:5001","state":"%s","ageMillis":%s,
         "text":"127.0.0.1:5001 is down: start it"}""";
    cluster.status(STATUS.formatted("false", problem.formatted("pending", "1999"), "false", "0"));
    assertThat(tool("status").out())
        .contains("- 127.0.0.1:5001 is down: start it (node-down for 1 s, pending)\n");
    cluster.status(STATUS.formatted("false", problem.formatted("set", "61000"), "false", "0"));
    ToolRun run = tool("status");
    assertThat(run.exitStatus()).isEqualTo(1);
    assertThat(run.out().lines().toList().subList(0, 3))
        .containsExactly(
            "NOT HEALTHY: 1 of 2 nodes up, 1 problem.",
            "- 127.0.0.1:5001 is down: start it (node-down for 61 s)",
            "It cannot lose another node of partition 0 and go on.");
    assertThat(run.out()).contains("61 s ago");
  }

  @Test
  void aNodeThatIsHeardAndNotReachedIsNotCalledUpAndNotCalledDown() {
    cluster.status(
        STATUS
            .formatted("false", "", "false,\"heard\":true,\"reached\":false", "0")
            .replace("\"5001\",\"up\":true", "\"5001\",\"up\":false"));
    assertThat(tool("status").out())
        .startsWith("NOT HEALTHY: 1 of 2 nodes up")
        .contains("127.0.0.1:5001  NOT REACHED");
  }

  @Test
  void statusAsJsonAndFromNobody() throws IOException {
    String document = STATUS.formatted("true", "", "true", "1");
    cluster.status(document);
    assertThat(tool("status", "--json").out()).isEqualTo(document + "\n");
    cluster.close();
    ToolRun nobody = tool("status", "--timeout", "0.3");
    assertThat(nobody.exitStatus()).isEqualTo(2);
    assertThat(nobody.err()).contains("No node reachable");
  }

  private int run(String command, String... arguments) {
    return tool(command, arguments).exitStatus();
  }

  private ToolRun tool(String command, String... arguments) {
    String[] all = new String[arguments.length + 3];
    all[0] = command;
    all[1] = "--nodes";
    all[2] = cluster.nodes();
    System.arraycopy(arguments, 0, all, 3, arguments.length);
    return ToolRun.of("", all);
  }
}
