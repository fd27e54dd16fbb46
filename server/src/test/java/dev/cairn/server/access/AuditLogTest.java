// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The file of what happened: whole lines, bounded, and honest about what it lacks. */
final class AuditLogTest {
  private static final Audit.Event LOGIN =
      new Audit.Event(Audit.Kind.LOGIN, Audit.Outcome.REFUSED, "ada", "10.0.0.7", "by a password");

  @TempDir Path folder;
  private final AtomicLong now = new AtomicLong(1_000_000);

  private static Audit.Event command(String what) {
    return new Audit.Event(Audit.Kind.COMMAND, Audit.Outcome.DONE, "ada", "10.0.0.7", what);
  }

  private AuditLog open(int fileBytesMax) {
    return AuditLog.open(folder, "127.0.0.1:5000", now::get, fileBytesMax);
  }

  private List<JsonNode> lines(String file) throws IOException {
    List<JsonNode> lines = new ArrayList<>();
    for (String line : Files.readAllLines(folder.resolve(file))) {
      lines.add(new ObjectMapper().readTree(line));
    }
    return lines;
  }

  @Test
  void aLineIsAnObjectThatTellsWhoDidWhat() throws IOException {
    try (AuditLog log = open(AuditLog.FILE_BYTES_MAX)) {
      log.add(command("acl setuser \u00c3\u00a4 \"on\"\n"));
    }
    assertThat(Files.readString(folder.resolve(AuditLog.FILE)))
        .isEqualTo(
            "{\"time\":\"1970-01-01T00:16:40.000Z\",\"node\":\"127.0.0.1:5000\",\"event\":\"command\","
                + "\"outcome\":\"done\",\"user\":\"ada\",\"from\":\"10.0.0.7\","
                + "\"what\":\"acl setuser \u00e4 \\\"on\\\"\\n\"}\n");
    assertThat(
            PosixFilePermissions.toString(
                Files.getPosixFilePermissions(folder.resolve(AuditLog.FILE))))
        .isEqualTo("rw-------");
  }

  @Test
  void whatComesAgainAndAgainIsTwoLines() throws IOException {
    try (AuditLog log = open(AuditLog.FILE_BYTES_MAX)) {
      for (int i = 0; i < 1_000; i++) {
        log.add(LOGIN);
        now.incrementAndGet();
      }
      log.add(command("flushall"));
      log.add(command("flushall"));
    }
    List<JsonNode> lines = lines(AuditLog.FILE);
    assertThat(lines)
        .extracting(line -> line.path("event").asText() + line.path("again"))
        .containsExactly("login", "command", "command", "login999");
    assertThat(lines.get(3).path("since").asText()).isEqualTo("1970-01-01T00:16:40.000Z");
    assertThat(lines.get(3).path("time").asText()).isEqualTo("1970-01-01T00:16:40.999Z");
  }

  /** Whoever makes names and keys up does not write the log full either. */
  @Test
  void manyDifferentOnesAreCountedTogether() throws IOException {
    int events = 5_000;
    try (AuditLog log = open(AuditLog.FILE_BYTES_MAX)) {
      for (int i = 0; i < events; i++) {
        log.add(
            new Audit.Event(
                Audit.Kind.LOGIN, Audit.Outcome.REFUSED, "u" + i, "10.0.0.7", "by a password"));
      }
    }
    List<JsonNode> lines = lines(AuditLog.FILE);
    assertThat(lines).hasSize(AuditLog.SUMMED_MAX + 2);
    JsonNode last = lines.get(lines.size() - 1);
    assertThat(last.path("what").asText()).startsWith("others");
    assertThat(last.path("again").asInt()).isEqualTo(events - AuditLog.SUMMED_MAX - 1);
  }

  @Test
  void aMinuteLaterItIsToldHowOftenItCame() {
    try (AuditLog log = open(AuditLog.FILE_BYTES_MAX)) {
      log.add(LOGIN);
      log.add(LOGIN);
      await().until(() -> lines(AuditLog.FILE).size() == 1);
      now.addAndGet(60_001);
      await().until(() -> lines(AuditLog.FILE).size() == 2);
      log.add(LOGIN);
      await().until(() -> lines(AuditLog.FILE).size() == 3);
    }
  }

  @Test
  void filesAreBoundedInSizeAndNumber() throws IOException {
    for (int i = 0; i < 100; i++) {
      try (AuditLog log = open(1_000)) {
        for (int j = 0; j < 5; j++) {
          log.add(command("config set n " + (5 * i + j)));
        }
      }
    }
    List<String> told = new ArrayList<>();
    for (String file : List.of("audit.log.4", "audit.log.3", "audit.log.2", "audit.log.1")) {
      assertThat(Files.size(folder.resolve(file))).isLessThanOrEqualTo(1_000);
      lines(file).forEach(line -> told.add(line.path("what").asText()));
    }
    lines(AuditLog.FILE).forEach(line -> told.add(line.path("what").asText()));
    assertThat(told).hasSizeGreaterThan(15).endsWith("config set n 499");
    int first = Integer.parseInt(told.get(0).substring("config set n ".length()));
    for (int i = 0; i < told.size(); i++) {
      assertThat(told.get(i)).isEqualTo("config set n " + (first + i));
    }
    assertThat(folder.resolve("audit.log.5")).doesNotExist();
  }

  @Test
  void aPartOfALineIsNotGoneOnWith() throws IOException {
    try (AuditLog log = open(AuditLog.FILE_BYTES_MAX)) {
      log.add(command("flushall"));
    }
    Files.writeString(folder.resolve(AuditLog.FILE), "{\"time\":\"1970", StandardOpenOption.APPEND);
    try (AuditLog log = open(AuditLog.FILE_BYTES_MAX)) {
      log.add(command("flushdb"));
    }
    assertThat(lines(AuditLog.FILE))
        .extracting(line -> line.path("what").asText())
        .containsExactly("flushall", "flushdb");
  }

  @Test
  void whatCouldNotBeWrittenIsCountedAndToldOnceItCan() throws IOException {
    Path file = folder.resolve(AuditLog.FILE);
    Files.createDirectory(file);
    try (AuditLog log = open(AuditLog.FILE_BYTES_MAX)) {
      log.add(command("flushall"));
      await().until(() -> log.lost() == 1);
      assertThat(log.losesEvents()).isTrue();
      Files.delete(file);
      await().until(() -> Files.isRegularFile(file) && Files.size(file) > 0);
      assertThat(lines(AuditLog.FILE).get(0).path("event").asText()).isEqualTo("lost");
      assertThat(lines(AuditLog.FILE).get(0).path("events").asInt()).isEqualTo(1);
      assertThat(log.lost()).isEqualTo(1);
      now.addAndGet(AuditLog.LOSS_TOLD_MILLIS);
      assertThat(log.losesEvents()).isFalse();
    }
  }
}
