// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.protocol.RespValue;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the shell prints, to the letter. */
final class ShellTest {
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
  void theSessionOfTheDesign() {
    ToolRun run = shell("PUT mykey myvalue\nGET mykey\nDELETE mykey\nGET mykey\n");

    assertThat(run.out())
        .isEqualTo(
            """
            [Node 5000] OK
            [Node 5001] OK
            [Node 5000] VALUE myvalue
            [Node 5000] OK
            [Node 5001] OK
            [Node 5000] NOT_FOUND
            """);
    assertThat(run.exitStatus()).isZero();
  }

  @Test
  void aLevelHoldsForWhatFollows() {
    List<String> asked = new java.util.concurrent.CopyOnWriteArrayList<>();
    cluster.first(
        words -> {
          asked.add(String.join(" ", words));
          return Optional.empty();
        });
    ToolRun run =
        shell(
            """
            GET k
            consistency read one
            CONSISTENCY WRITE ALL
            GET k
            PUT k v
            CONSISTENCY WRITE one
            CONSISTENCY SOME one
            """);
    assertThat(asked)
        .contains(
            "GET k",
            "CAIRN WITH CONSISTENCY ONE DO GET k",
            "CAIRN WITH CONSISTENCY ALL DO SET k v");
    assertThat(run.out())
        .endsWith(
            """
            The level must be quorum or all.
            READ or WRITE? Usage: CONSISTENCY READ|WRITE LEVEL
            """);
  }

  @Test
  void aReplicaThatIsBehindAndDeletingWhatIsNotThere() {
    cluster.behind(true);
    assertThat(shell("put a b\ndelete nothing").out())
        .isEqualTo("[Node 5000] OK\n[Node 5001] behind\n[Node 5000] NOT_FOUND\n");
  }

  @Test
  void valuesThatCannotBePrintedAreEscapedAndReadBack() {
    String line = "PUT k \"a\\x00\\n\\xff\\\"\\\\é\"\nGET k\n";
    assertThat(shell(line).out()).endsWith("[Node 5000] VALUE \"a\\x00\\n\\xff\\\"\\\\é\"\n");
  }

  @Test
  void mistakesSayWhatToDoAndTheSessionGoesOn() {
    ToolRun run = shell("FROB\nPUT a\nGET\nGET a b\nPUT \"a\nPUT a 'b'c\n\nHELP x\nGET a\n");

    assertThat(run.out().lines())
        .containsExactly(
            "Unknown command FROB. HELP lists the commands.",
            "Missing argument. Usage: PUT KEY VALUE",
            "Missing argument. Usage: GET KEY",
            "Too many arguments. Usage: GET KEY (quote what has spaces: \"a b\")",
            "A quote is not closed. End it with \".",
            "A closing quote must be followed by a space. Write a quote inside quotes as \\'.",
            "No such command. HELP lists the commands.",
            "[Node 5000] NOT_FOUND");
    assertThat(run.exitStatus()).isEqualTo(2);
  }

  @Test
  void helpAndExit() {
    assertThat(shell("HELP").out()).contains("PUT KEY VALUE", "GET KEY", "DELETE KEY", "EXIT");
    assertThat(shell("help delete").out()).contains("NOT_FOUND");
    assertThat(shell("QUIT\nGET a\n").out()).isEmpty();
  }

  /** As a node's COMMAND DOCS has it. */
  @Test
  void helpAsksANodeOfWhatIsNoneOfItsOwnCommands() {
    cluster.first(
        words ->
            words.equals(List.of("COMMAND", "DOCS", "getex"))
                ? Optional.of(map("getex", GETEX))
                : Optional.empty());
    assertThat(shell("HELP getex\n").out())
        .isEqualTo(
            """
            GETEX key [EX seconds | PERSIST] [other ...] piece [piece ...]  -  Returns the value of a key.
              Since 6.2.0. O(1).
            """);
  }

  @Test
  void helpOfACommandWithSubcommandsListsThem() {
    RespValue id = map("summary", text("Returns the connection's id."));
    RespValue client =
        map(
            "summary", text("About connections."),
            "since", text("2.4.0"),
            "complexity", text("O(1)"),
            "subcommands", map("client|id", id));
    cluster.first(
        words ->
            words.get(0).equals("COMMAND") ? Optional.of(map("client", client)) : Optional.empty());
    assertThat(shell("HELP CLIENT\n").out())
        .isEqualTo(
            """
            CLIENT  -  About connections.
              Since 2.4.0. O(1).
              CLIENT ID  -  Returns the connection's id.
            """);
  }

  private static final RespValue GETEX =
      map(
          "summary",
          text("Returns the value of a key."),
          "since",
          text("6.2.0"),
          "complexity",
          text("O(1)"),
          "arguments",
          RespValue.array(
              map("name", text("key"), "type", text("key")),
              map(
                  "name",
                  text("expiration"),
                  "type",
                  text("oneof"),
                  "flags",
                  flags("optional"),
                  "arguments",
                  RespValue.array(
                      map("name", text("seconds"), "type", text("integer"), "token", text("EX")),
                      map(
                          "name",
                          text("persist"),
                          "type",
                          text("pure-token"),
                          "token",
                          text("PERSIST")))),
              map(
                  "name",
                  text("other"),
                  "type",
                  text("key"),
                  "flags",
                  flags("optional", "multiple")),
              map("name", text("piece"), "type", text("string"), "flags", flags("multiple"))));

  private static RespValue flags(String... words) {
    return new RespValue.Collection(
        Stream.of(words).<RespValue>map(RespValue.SimpleString::new).toList());
  }

  private static RespValue text(String text) {
    return RespValue.bulk(text);
  }

  private static RespValue map(Object... pairs) {
    List<RespValue.Entry> entries = new ArrayList<>();
    for (int i = 0; i < pairs.length; i += 2) {
      entries.add(new RespValue.Entry(text((String) pairs[i]), (RespValue) pairs[i + 1]));
    }
    return new RespValue.Dictionary(entries);
  }

  /** The fake keeps strings; what else a node has is scripted as it answers. */
  @Test
  void everyCommandOfTheNodesRuns() {
    cluster.first(
        words ->
            switch (words.get(0)) {
              case "INCR" -> Optional.of(new RespValue.Int(3));
              case "EXPIRE" -> Optional.of(new RespValue.Int(0));
              case "SCAN" ->
                  Optional.of(
                      RespValue.array(
                          RespValue.bulk("0"),
                          RespValue.array(RespValue.bulk("a"), RespValue.bulk("b c"))));
              case "GETDEL" -> Optional.of(RespValue.NIL);
              case "CONFIG" -> Optional.of(map("save", text("")));
              case "INFO" ->
                  Optional.of(
                      new RespValue.Verbatim(
                          "txt", "# Server\r\na:1\r\n".getBytes(StandardCharsets.UTF_8)));
              case "DEL" -> Optional.of(new RespValue.Int(2));
              case "LPUSH" -> Optional.of(new RespValue.ErrorReply("ERR unknown command 'LPUSH'"));
              case "APPEND" -> Optional.of(new RespValue.ErrorReply("OOM no room"));
              default -> Optional.empty();
            });
    ToolRun run =
        shell(
            "INCR k\nEXPIRE k 1\nSCAN 0\nGETDEL k\nCONFIG GET save\nINFO\nDEL a b\nSET a b EX 5\nLPUSH a"
                + " b\nAPPEND a b\n");
    assertThat(run.out().replace("[Node " + port(cluster.nodes()) + "]", "[Node 5000]"))
        .isEqualTo(
            """
            [Node 5000] (integer) 3
            [Node 5000] (integer) 0
            [Node 5000] 1) "0"
                        2) 1) "a"
                           2) "b c"
            [Node 5000] (nil)
            [Node 5000] 1# "save" => ""
            [Node 5000]
            # Server
            a:1
            [Node 5000] (integer) 2
            [Node 5001] OK
            [Node 5000] OK
            [Node 5001] OK
            Unknown command LPUSH. HELP lists the commands.
            [Node 5000] (error) OOM no room
            """);
    assertThat(run.exitStatus()).isEqualTo(2);
  }

  @Test
  void repliesLookAsRedisCliShowsThem() {
    assertThat(ReplyText.lines(RespValue.array())).containsExactly("(empty array)");
    assertThat(ReplyText.lines(new RespValue.Bool(true))).containsExactly("(true)");
    assertThat(ReplyText.lines(new RespValue.Decimal(1.5))).containsExactly("(double) 1.5");
    assertThat(ReplyText.lines(text("a\"\u0000"))).containsExactly("\"a\\\"\\x00\"");
    assertThat(ReplyText.lines(flags("x"))).containsExactly("1~ x");
    List<RespValue> ten = new ArrayList<>();
    for (int i = 0; i < 9; i++) {
      ten.add(new RespValue.Int(i));
    }
    ten.add(RespValue.array(text("x"), RespValue.NIL));
    assertThat(ReplyText.lines(new RespValue.Array(ten)))
        .startsWith(" 1) (integer) 0", " 2) (integer) 1")
        .endsWith("10) 1) \"x\"", "    2) (nil)");
  }

  /** PUT and GET belong to the connection that said MULTI, and to no other. */
  @Test
  void aTransactionIsOneConnections() {
    List<String> asked = new java.util.concurrent.CopyOnWriteArrayList<>();
    cluster.first(
        words -> {
          asked.add(String.join(" ", words));
          return switch (words.get(0)) {
            case "MULTI" -> Optional.of(RespValue.OK);
            case "SET", "DEL", "GET" ->
                asked.contains("MULTI") && !asked.contains("EXEC")
                    ? Optional.of(new RespValue.SimpleString("QUEUED"))
                    : Optional.empty();
            case "EXEC" -> Optional.of(RespValue.array(RespValue.OK, new RespValue.Int(1)));
            default -> Optional.empty();
          };
        });
    ToolRun run = shell("MULTI\nPUT a b\nDELETE c\nEXEC\nPUT d e\n");
    assertThat(run.out())
        .startsWith("[Node 5000] OK\n[Node 5000] QUEUED\n")
        .contains("[Node 5000] 1) OK\n            2) (integer) 1\n")
        .endsWith("[Node 5000] OK\n[Node 5001] OK\n");
    assertThat(asked).contains("SET a b", "DEL c", "EXEC", "SET d e");
  }

  @Test
  void aNodesCommandThatGotNoReplyIsUnknownAndIsNotSentAgain() {
    AtomicInteger sent = new AtomicInteger();
    cluster.first(
        words ->
            words.get(0).equals("INCR") && sent.incrementAndGet() == 1
                ? Optional.of(FakeCluster.CUT)
                : Optional.empty());
    ToolRun run = shell("INCR k\nCLIENT REPLY OFF\n");
    assertThat(run.out())
        .startsWith("Unknown outcome: [Node ")
        .contains("CLIENT REPLY is for programs");
    assertThat(sent).hasValue(1);
  }

  @Test
  void levelsHoldForTheNodesCommandsToo() {
    List<String> asked = new java.util.concurrent.CopyOnWriteArrayList<>();
    cluster.first(
        words -> {
          asked.add(String.join(" ", words));
          if (words.get(0).equals("READONLY")) {
            return Optional.of(RespValue.OK);
          }
          return words.equals(List.of("CAIRN", "CONSISTENCY"))
              ? Optional.of(map("read", text("one"), "write", text("quorum")))
              : Optional.empty();
        });
    shell("CONSISTENCY READ all\nSTRLEN k\nREADONLY\nGET k\n");
    assertThat(asked)
        .containsSubsequence(
            "CAIRN CONSISTENCY READ ALL",
            "STRLEN k",
            "READONLY",
            "CAIRN WITH CONSISTENCY ONE DO GET k");
  }

  @Test
  void anUnknownOutcomeHasALineAndAStatusOfItsOwn() {
    cluster.first(
        words -> words.get(0).equals("SET") ? Optional.of(FakeCluster.CUT) : Optional.empty());
    ToolRun run = shell("PUT a b\nGET a\n");

    assertThat(run.out()).startsWith("Unknown outcome: ").contains("read the key");
    assertThat(run.exitStatus()).isEqualTo(3);
  }

  @Test
  void noMajorityHasALineOfItsOwn() {
    cluster.first(
        words ->
            words.get(0).equals("SET")
                ? Optional.of(new RespValue.ErrorReply("CLUSTERDOWN no leader"))
                : Optional.empty());
    ToolRun run = ToolRun.of("PUT a b", "shell", "--nodes", cluster.nodes(), "--timeout", "0.3");

    assertThat(run.out()).startsWith("No majority").contains("nothing was changed", "status");
    assertThat(run.exitStatus()).isEqualTo(2);
  }

  @Test
  void noNodeReachableHasALineOfItsOwn() throws IOException {
    cluster.close();
    ToolRun run = ToolRun.of("PUT a b", "shell", "--nodes", cluster.nodes(), "--timeout", "0.3");

    assertThat(run.out()).startsWith("No node reachable (127.0.0.1:").contains("./cairn node");
    assertThat(run.exitStatus()).isEqualTo(2);
  }

  @Test
  void aDeadNodeIsSaidAndTheNextTried() throws IOException {
    String deadNode;
    try (FakeCluster dead = new FakeCluster()) {
      deadNode = dead.nodes();
    }
    ToolRun run = ToolRun.of("PUT a b", "shell", "--nodes", deadNode + "," + cluster.nodes());

    assertThat(run.out())
        .isEqualTo(
            "[Node %s] unavailable, trying [Node %s]\n[Node 5000] OK\n[Node 5001] OK\n"
                .formatted(port(deadNode), port(cluster.nodes())));
    assertThat(run.exitStatus()).isZero();
  }

  @Test
  void historyKeepsNoValuesAndIsPrivate(@TempDir Path home) throws IOException {
    ShellHistory history = new ShellHistory(home.resolve("history"));
    history.add("GET a");
    history.add("PUT a secret");
    history.add(" set a secret");
    history.add("PTU a secret");
    history.add("");

    assertThat(history.load()).containsExactly("GET a");
    assertThat(Files.getPosixFilePermissions(home.resolve("history")))
        .isEqualTo(PosixFilePermissions.fromString("rw-------"));
  }

  private ToolRun shell(String input) {
    return ToolRun.of(input, "shell", "--nodes", cluster.nodes());
  }

  private static String port(String node) {
    return node.substring(node.indexOf(':') + 1);
  }
}
