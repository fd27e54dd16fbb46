// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.resp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cairn.protocol.RespValue;
import dev.cairn.server.TestLoops;
import dev.cairn.server.access.AccessControl;
import dev.cairn.server.access.Audit;
import dev.cairn.server.access.LocalRights;
import dev.cairn.server.access.RightsWriter;
import dev.cairn.server.command.ClientState;
import dev.cairn.server.command.CommandTable;
import dev.cairn.server.command.PermissionExamples;
import dev.cairn.server.command.PermissionExamples.Example;
import dev.cairn.server.command.PortKind;
import dev.cairn.server.command.ShutdownBy;
import dev.cairn.server.command.SlowLog;
import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.tls.ClientTls;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Rights, as a client meets them. What is asked of each command is made from the table. */
final class PermissionTest {
  private static final String NO_KEY =
      "NOPERM this user has no permissions to access one of the keys used as arguments";

  private final FakeRouter router = new FakeRouter(6, Runnable::run);
  private final AccessControl access =
      LocalRights.of(CommandTable.catalog(), new AccessControl.Rules(2, 0, false), Audit.NONE);
  private final SlowLog slowLog = new SlowLog();
  private final List<AutoCloseable> opened = new ArrayList<>();
  private RespServer server;

  @BeforeEach
  void start() throws IOException {
    server =
        RespServer.start(
            FrontConfig.of("127.0.0.1", 0, "x", TestLoops.SHARED)
                .with(
                    new FrontConfig.Rules(
                        ClientState.Defaults.QUORUM,
                        slowLog,
                        ShutdownBy.NO,
                        ClientTls.off(),
                        access)),
            router,
            PortKind.CLIENT,
            new Metrics(),
            () -> {});
    opened.add(access);
    opened.add(server);
  }

  @AfterEach
  void stop() throws Exception {
    for (AutoCloseable one : opened) {
      one.close();
    }
  }

  private Transcript.Connection connect() throws IOException {
    Transcript.Connection connection = new Transcript.Connection(server);
    opened.add(0, connection);
    return connection;
  }

  private static String say(Transcript.Connection connection, String line) throws IOException {
    RespValue value = connection.say(line);
    if (value instanceof RespValue.ErrorReply error) {
      return error.text();
    } else if (value instanceof RespValue.SimpleString simple) {
      return simple.text();
    } else if (value instanceof RespValue.Bulk bulk) {
      return new String(bulk.bytes(), StandardCharsets.UTF_8);
    }
    return value.toString();
  }

  private void users(String... lines) throws IOException {
    try (Transcript.Connection admin = new Transcript.Connection(server)) {
      for (String line : lines) {
        assertThat(say(admin, "ACL SETUSER " + line)).isEqualTo("OK");
      }
    }
  }

  /** EXEC says that it did nothing, and why, as in Redis. */
  private static String refused(Example example, String why) {
    String text = why.formatted(example.name());
    return example.name().equals("exec")
        ? "EXECABORT Transaction discarded because of: " + text
        : text;
  }

  @Test
  void everyCommandNeedsItsRight() throws IOException {
    users("u on >p ~* +@all");
    Transcript.Connection client = connect();
    assertThat(say(client, "AUTH u p")).isEqualTo("OK");
    assertThat(PermissionExamples.all()).hasSizeGreaterThan(140);
    for (Example example : PermissionExamples.all()) {
      users("u +@all -" + example.name());
      int before = router.requests.get();
      assertThat(say(client, example.words()))
          .as(example.words())
          .isEqualTo(
              refused(example, "NOPERM this user has no permissions to run the '%s' command"));
      assertThat(router.requests.get()).as("%s asked nobody", example.name()).isEqualTo(before);
      assertThat(say(client, "CAIRN WITH CONSISTENCY QUORUM DO " + example.words()))
          .as("%s behind CAIRN WITH", example.name())
          .isEqualTo(
              refused(example, "NOPERM this user has no permissions to run the '%s' command"));
    }
  }

  @Test
  void everyKeyMustBeWithinThePatterns() throws IOException {
    users("u on >p ~ok:* +@all");
    Transcript.Connection client = connect();
    assertThat(say(client, "AUTH u p")).isEqualTo("OK");
    int keys = 0;
    for (Example example : PermissionExamples.all()) {
      for (int i = 0; i < example.keys().size(); i++) {
        keys++;
        int before = router.requests.get();
        assertThat(say(client, example.with(i, "other"))).as(example.words()).isEqualTo(NO_KEY);
        assertThat(router.requests.get()).as(example.name()).isEqualTo(before);
      }
      if (!example.keys().isEmpty()) {
        assertThat(say(client, example.words())).as(example.words()).doesNotStartWith("NOPERM");
      }
    }
    assertThat(keys).isGreaterThan(60);
  }

  @Test
  void aKeyIsReadOrWritten() throws IOException {
    users("u on >p %R~in %W~out +@all");
    Transcript.Connection client = connect();
    assertThat(say(client, "AUTH u p")).isEqualTo("OK");
    for (String line :
        List.of(
            "SET out 1",
            "COPY in out REPLACE",
            "GET in",
            "EXISTS out",
            "DEL out",
            "TYPE in",
            "BITFIELD in GET u8 0",
            "MSET out 1",
            "STRLEN out",
            "APPEND out x")) {
      assertThat(say(client, line)).as(line).doesNotStartWith("NOPERM");
    }
    for (String line :
        List.of(
            "SET in 1",
            "COPY out in",
            "GET out",
            "DEL in",
            "SET out 1 GET",
            "GETDEL out",
            "INCR out",
            "INCR in",
            "BITFIELD out GET u8 0",
            "BITFIELD out SET u8 0 1",
            "RENAME in out",
            "MSET out 1 in 1",
            "MGET in out",
            "EXPIRE in 5")) {
      assertThat(say(client, line)).as(line).isEqualTo(NO_KEY);
    }
  }

  @Test
  void whoHasNotLoggedInMayLogIn() throws IOException {
    users("default >p");
    Transcript.Connection client = connect();
    for (Example example : PermissionExamples.all()) {
      assertThat(say(client, example.words()))
          .as(example.words())
          .isEqualTo(refused(example, "NOAUTH Authentication required."));
    }
    assertThat(say(client, "HELLO 3")).startsWith("NOAUTH HELLO must be called with the client");
    assertThat(say(client, "nonsense")).startsWith("ERR unknown command 'nonsense'");
    assertThat(say(client, "AUTH wrong"))
        .isEqualTo("WRONGPASS invalid username-password pair or user is disabled.");
    assertThat(say(client, "HELLO 3 AUTH nobody p")).startsWith("WRONGPASS ");
    assertThat(say(client, "AUTH p")).isEqualTo("OK");
    assertThat(say(client, "ACL WHOAMI")).isEqualTo("default");
    assertThat(say(client, "RESET")).isEqualTo("RESET");
    assertThat(say(client, "GET a")).isEqualTo("NOAUTH Authentication required.");
    assertThat(say(client, "HELLO 3 AUTH default p SETNAME me")).contains("Dictionary");
    assertThat(say(client, "CLIENT GETNAME")).isEqualTo("me");
    assertThat(router.requests.get()).isZero();
  }

  @Test
  void whatStandsBehindAuthIsJudgedAsWhoLoggedIn() throws IOException {
    users("u on >p ~a +get", "default >x");
    Transcript.Connection client = connect();
    assertThat(say(client, "GET a\nAUTH u p\nGET a\nGET b\nACL WHOAMI"))
        .isEqualTo("NOAUTH Authentication required.");
    assertThat(say(client, "PING")).isEqualTo("OK");
    assertThat(say(client, "PING")).isEqualTo("Nil[]");
    assertThat(say(client, "PING")).isEqualTo(NO_KEY);
    assertThat(say(client, "PING")).contains("'acl|whoami'");
  }

  @Test
  void aTransactionIsCheckedWhenItIsQueuedAndWhenItRuns() throws IOException {
    users("u on >p ~a ~b +@all");
    Transcript.Connection client = connect();
    say(client, "AUTH u p");
    say(client, "MULTI");
    assertThat(say(client, "GET other")).isEqualTo(NO_KEY);
    assertThat(say(client, "EXEC"))
        .isEqualTo("EXECABORT Transaction discarded because of previous errors.");
    say(client, "MULTI");
    assertThat(say(client, "SET {x}a 1")).isEqualTo(NO_KEY);
    say(client, "DISCARD");
    users("u ~{x}*");
    say(client, "MULTI");
    assertThat(say(client, "SET {x}a 1")).isEqualTo("QUEUED");
    assertThat(say(client, "GET {x}b")).isEqualTo("QUEUED");
    assertThat(say(client, "INCR {x}c")).isEqualTo("QUEUED");
    users("u resetkeys ~{x}a ~{x}c -incr");
    RespValue.Array replies = (RespValue.Array) client.say("EXEC");
    String changed =
        "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC"
            + " call. This command is no longer allowed for the following reason: ";
    assertThat(replies.elements())
        .containsExactly(
            RespValue.OK,
            new RespValue.ErrorReply(changed + "no permission to touch the specified keys"),
            new RespValue.ErrorReply(
                changed + "no permission to execute the command or subcommand"));
  }

  @Test
  void aConnectionEndsWithWhatItLoggedInBy() throws IOException {
    users("u on >p >q ~* +@all", "v on >p ~* +@all", "w on >p ~* +@all");
    Transcript.Connection byP = connect();
    Transcript.Connection byQ = connect();
    Transcript.Connection off = connect();
    Transcript.Connection gone = connect();
    say(byP, "AUTH u p");
    say(byQ, "AUTH u q");
    say(off, "AUTH v p");
    say(gone, "AUTH w p");
    users("u >r");
    assertThat(say(byP, "ACL WHOAMI")).as("adding one ends nothing").isEqualTo("u");
    users("u <p", "v off");
    try (Transcript.Connection admin = new Transcript.Connection(server)) {
      say(admin, "ACL DELUSER w");
    }
    assertThat(say(byQ, "ACL WHOAMI")).isEqualTo("u");
    for (Transcript.Connection ended : List.of(byP, off, gone)) {
      await().until(() -> isEnded(ended));
    }
  }

  private static boolean isEnded(Transcript.Connection connection) {
    try {
      connection.say("PING");
      return false;
    } catch (IOException | AssertionError closed) {
      return true;
    }
  }

  /** Who takes its own right away is told that it worked, and can do nothing more. */
  @Test
  void whoEndsItselfIsAnsweredFirst() throws IOException {
    users("u on >p ~* +@all");
    Transcript.Connection client = connect();
    say(client, "AUTH u p");
    assertThat(client.say("ACL DELUSER u")).isEqualTo(new RespValue.Int(1));
    assertThat(say(client, "GET a")).isEqualTo("NOAUTH Authentication required.");
    await().until(() -> isEnded(client));
  }

  @Test
  void requirepassIsThePasswordOfDefault() throws IOException {
    Transcript.Connection client = connect();
    assertThat(say(client, "AUTH x")).startsWith("ERR AUTH <password> called without any password");
    assertThat(say(client, "CONFIG SET requirepass secret")).isEqualTo("OK");
    assertThat(say(client, "PING")).as("who was in stays in").isEqualTo("PONG");
    Transcript.Connection other = connect();
    assertThat(say(other, "PING")).startsWith("NOAUTH");
    assertThat(say(other, "AUTH secret")).isEqualTo("OK");
    assertThat(say(other, "CONFIG SET requirepass \"\"")).isEqualTo("OK");
    assertThat(say(connect(), "PING")).isEqualTo("PONG");
  }

  @Test
  void whatWasRefusedIsInTheLog() throws IOException {
    users("u on >p ~a +get +multi", "default >x");
    Transcript.Connection client = connect();
    say(client, "AUTH u wrong");
    say(client, "AUTH u p");
    say(client, "GET b");
    say(client, "GET b");
    say(client, "MULTI");
    say(client, "DEL a");
    Transcript.Connection admin = connect();
    say(admin, "AUTH x");
    String log = admin.say("ACL LOG").toString();
    assertThat(access.log().latest(9))
        .extracting(
            entry ->
                entry.count()
                    + " "
                    + entry.refused().reason()
                    + " "
                    + entry.refused().context()
                    + " "
                    + entry.refused().object()
                    + " "
                    + entry.refused().user())
        .containsExactly("1 COMMAND multi del u", "2 KEY toplevel b u", "1 AUTH toplevel AUTH u");
    assertThat(log).doesNotContain("wrong");
    assertThat(say(admin, "ACL LOG RESET")).isEqualTo("OK");
    assertThat(access.log().latest(9)).isEmpty();
  }

  @Test
  void aUserHasSoManyConnectionsAndNoMore() throws IOException {
    users("u on >p ~* +@all");
    Transcript.Connection first = connect();
    assertThat(say(first, "AUTH u p")).isEqualTo("OK");
    assertThat(say(connect(), "AUTH u p")).isEqualTo("OK");
    assertThat(say(connect(), "AUTH u p")).startsWith("TRYAGAIN this user has 2 connections");
    first.close();
    Transcript.Connection later = connect();
    await().until(() -> say(later, "AUTH u p").equals("OK"));
  }

  @Test
  void theRecoveryPasswordIsDefaultsFromThisMachine() throws IOException {
    users("root on >p +@admin", "default off -@all");
    Transcript.Connection client = connect();
    assertThat(say(client, "PING")).startsWith("NOAUTH");
    assertThat(say(client, "AUTH root recover")).startsWith("WRONGPASS");
    assertThat(say(client, "AUTH default recover")).isEqualTo("OK");
    assertThat(say(client, "SET a 1")).isEqualTo("OK");
    assertThat(say(client, "ACL SETUSER default on >new +@all ~*")).isEqualTo("OK");
  }

  @Test
  void secretsAreInNoLog() throws IOException {
    Transcript.Connection client = connect();
    say(client, "ACL SETUSER u on >topsecret1 ~* +@all");
    say(client, "ACL SETUSER u <topsecret9");
    say(client, "AUTH u topsecret1");
    say(client, "AUTH u topsecret2");
    say(client, "HELLO 3 AUTH u topsecret3");
    say(client, "CONFIG SET requirepass topsecret4");
    say(client, "ACL DRYRUN u AUTH u topsecret5");
    for (String line :
        List.of(
            "SLOWLOG GET 128",
            "ACL LOG",
            "CLIENT LIST",
            "INFO everything",
            "CONFIG GET *",
            "ACL LIST",
            "ACL GETUSER u")) {
      assertThat(say(client, line)).as(line).doesNotContain("topsecret");
    }
    slowLog
        .entries()
        .forEach(
            entry ->
                entry
                    .words()
                    .forEach(
                        word ->
                            assertThat(new String(word, StandardCharsets.UTF_8))
                                .doesNotContain("topsecret")));
  }

  @Test
  void aChangeThatNotAllHaveAppliedSaysSo() throws IOException {
    access.writer(
        (change, done) ->
            done.accept(new RightsWriter.Outcome.Applied(0, List.of("b:5001", "c:5002"))));
    Transcript.Connection client = connect();
    assertThat(say(client, "ACL SETUSER u on"))
        .startsWith(
            "NOTALL the rights have changed, and b:5001 and c:5002 have not applied it yet");
    access.writer((change, done) -> done.accept(new RightsWriter.Outcome.Unknown("who knows")));
    assertThat(say(client, "ACL DELUSER u")).isEqualTo("UNKNOWN who knows");
    access.writer(RightsWriter.NONE);
    assertThat(say(client, "ACL SETUSER u on"))
        .startsWith("CLUSTERDOWN this node takes part in no");
  }
}
