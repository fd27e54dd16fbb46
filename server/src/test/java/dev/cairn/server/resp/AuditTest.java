// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.resp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.protocol.RespValue;
import dev.cairn.server.TestLoops;
import dev.cairn.server.access.AccessControl;
import dev.cairn.server.access.Audit;
import dev.cairn.server.access.LocalRights;
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
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is kept of what clients do, and what a node does whose rights are too old. */
final class AuditTest {
  private final List<Audit.Event> events = new CopyOnWriteArrayList<>();
  private final List<AutoCloseable> opened = new ArrayList<>();
  private AccessControl access;
  private RespServer server;

  @BeforeEach
  void start() throws IOException {
    start(AccessControl.Rules.NONE);
  }

  private void start(AccessControl.Rules rules) throws IOException {
    access = LocalRights.of(CommandTable.catalog(), rules, events::add);
    server =
        RespServer.start(
            FrontConfig.of("127.0.0.1", 0, "x", TestLoops.SHARED)
                .with(
                    new FrontConfig.Rules(
                        ClientState.Defaults.QUORUM,
                        new SlowLog(),
                        ShutdownBy.NO,
                        ClientTls.off(),
                        access)),
            new FakeRouter(6, Runnable::run),
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

  private List<String> told() {
    return events.stream()
        .map(
            event ->
                "%s %s by '%s' from %s: %s"
                    .formatted(
                        event.kind(), event.outcome(), event.user(), event.from(), event.what()))
        .toList();
  }

  @Test
  void loginsAndChangesAreKeptWithoutPasswords() throws IOException {
    Transcript.Connection client = connect();
    client.say("ACL SETUSER root on >secret1 ~* +@all");
    client.say("ACL SETUSER u on >secret2 \"(~b +set)\" nonsense");
    client.say("CONFIG SET requirepass secret3");
    client.say("AUTH root secret4");
    client.say("AUTH root secret1");
    client.say("CONFIG SET slowlog-max-len 5");
    client.say("FLUSHALL");
    client.say("SHUTDOWN");
    client.say("ACL DELUSER nobody");
    client.say("GET a");
    assertThat(told())
        .containsExactly(
            "COMMAND DONE by 'default' from 127.0.0.1: ACL SETUSER root on (redacted) ~* +@all",
            "COMMAND REFUSED by 'default' from 127.0.0.1: ACL SETUSER u on (redacted) (~b +set) nonsense",
            "COMMAND DONE by 'default' from 127.0.0.1: CONFIG SET requirepass (redacted)",
            "LOGIN REFUSED by 'root' from 127.0.0.1: by a password that is wrong",
            "LOGIN DONE by 'root' from 127.0.0.1: by password",
            "COMMAND DONE by 'root' from 127.0.0.1: CONFIG SET slowlog-max-len 5",
            "COMMAND DONE by 'root' from 127.0.0.1: FLUSHALL",
            "COMMAND REFUSED by 'root' from 127.0.0.1: SHUTDOWN",
            "COMMAND DONE by 'root' from 127.0.0.1: ACL DELUSER nobody");
    assertThat(told().toString()).doesNotContain("secret");
  }

  @Test
  void everyRefusalIsKept() throws IOException {
    Transcript.Connection admin = connect();
    admin.say("ACL SETUSER u on >p ~ok:*");
    Transcript.Connection client = connect();
    client.say("AUTH u p");
    for (Example example : PermissionExamples.all()) {
      events.clear();
      client.say(example.words());
      assertThat(told())
          .containsExactly("REFUSAL REFUSED by 'u' from 127.0.0.1: command " + example.name());
    }
    admin.say("ACL SETUSER u +@all");
    events.clear();
    client.say("GET other");
    assertThat(told()).containsExactly("REFUSAL REFUSED by 'u' from 127.0.0.1: key other");
    admin.say("CONFIG SET requirepass x");
    events.clear();
    connect().say("GET ok:1");
    assertThat(told())
        .containsExactly("REFUSAL REFUSED by '' from 127.0.0.1: command get before a login");
  }

  /** Whoever adds a command that changes more than keys decides whether that is kept. */
  @Test
  void whatChangesMoreThanKeysIsKept() throws IOException {
    Transcript.Connection client = connect();
    TreeSet<String> kept = new TreeSet<>();
    for (Example example : PermissionExamples.all()) {
      events.clear();
      client.say(example.words());
      if (events.stream().anyMatch(event -> event.kind() == Audit.Kind.COMMAND)) {
        kept.add(example.name());
      }
      if (example.name().equals("multi")) {
        client.say("DISCARD");
      }
    }
    assertThat(kept)
        .containsExactly(
            "acl|deluser",
            "acl|log",
            "acl|setuser",
            "client|kill",
            "client|pause",
            "config|resetstat",
            "config|set",
            "flushall",
            "flushdb",
            "shutdown",
            "slowlog|reset");
    client.say("MULTI");
    for (Example example : PermissionExamples.all()) {
      if (kept.contains(example.name())) {
        assertThat(client.say(example.words()))
            .as("%s is told of when it is done, and so is never queued", example.name())
            .isEqualTo(new RespValue.ErrorReply("ERR Command not allowed inside a transaction"));
      }
    }
  }

  @Test
  void rightsThatAreTooOldJudgeNobody() throws Exception {
    start(new AccessControl.Rules(0, 5_000, false));
    Transcript.Connection client = connect();
    assertThat(client.say("SET a 1")).isEqualTo(RespValue.OK);
    access.heard(System.nanoTime() - 6_000_000_000L);
    assertThat(client.say("GET a"))
        .isEqualTo(
            new RespValue.ErrorReply(
                "TRYAGAIN this node has not heard of the cluster's rights for 6 s, and refuses after"
                    + " 5 s (--rights-age-max-seconds); nothing was done. Ask another node"));
    assertThat(client.say("AUTH default recover")).isEqualTo(RespValue.OK);
    assertThat(client.say("GET a")).as("the way back").isInstanceOf(RespValue.Bulk.class);
    access.heard(System.nanoTime());
    assertThat(connect().say("GET a")).isInstanceOf(RespValue.Bulk.class);
  }
}
