// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.replication;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.cairn.consensus.Configuration;
import dev.cairn.consensus.Member;
import dev.cairn.consensus.Peer;
import dev.cairn.consensus.Role;
import dev.cairn.log.Append;
import dev.cairn.log.LogEntry;
import dev.cairn.replication.Codec;
import dev.cairn.server.metrics.Metrics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code ./cairn log} prints of a log of Cairn's engine. */
class WrittenLogDumpTest {
  private static final Member ONE = new Member(new Peer("5000", 3), Role.REPLICA);
  private static final Member TWO = new Member(new Peer("5001", 1), Role.REPLICA);
  private static final Member THREE = new Member(new Peer("5002", 1), Role.WITNESS);

  @TempDir Path folder;

  private List<String> dump() throws IOException {
    List<String> lines = new ArrayList<>();
    WrittenLogDump.print(folder, lines::add, data -> new String(data, UTF_8));
    return lines;
  }

  @Test
  void eachGroupAndEntryIsALineWhileTheLogIsOpen() throws IOException {
    Configuration stable = Configuration.stable(1, List.of(ONE, TWO, THREE), List.of());
    Configuration joint =
        new Configuration(2, List.of(ONE, TWO), List.of(ONE, THREE), List.of(new Peer("5003", 1)));
    try (WrittenLog log = WrittenLog.open(folder, "5000", damage -> {}, new Metrics())) {
      log.writeIncarnation("c1-p0", 3);
      log.found(GroupNumbers.of("c1-p0"), stable);
      long p0 = GroupNumbers.of("c1-p0");
      long sequence =
          log.log()
              .append(
                  new Append()
                      .hardState(p0, 2, Codec.bytesOf(TWO.peer()))
                      .entry(p0, new LogEntry(1, 2, LogEntry.Kind.EMPTY, new byte[0]))
                      .entry(p0, new LogEntry(2, 2, LogEntry.Kind.DATA, "hello".getBytes(UTF_8)))
                      .entry(p0, configuration(3, stable))
                      .entry(p0, configuration(4, joint))
                      .commit(p0, 3));
      log.writeIncarnation("c1-meta", 1);
      await().until(() -> log.log().durable() >= sequence);
      assertThat(dump())
          .containsExactly(
              "group meta  incarnation 1  term 0  voted for nobody  behind index 0  commit 0",
              "group p0  incarnation 3  term 2  voted for 5001@1  behind index 0  commit 3",
              "group p0  index 1  term 2  NO_OP  0 bytes",
              "group p0  index 2  term 2  DATA  5 bytes  hello",
              "group p0  index 3  term 2  CONFIGURATION  0 bytes  5000@3,5001@1,5002@1 witness",
              "group p0  index 4  term 2  CONFIGURATION  0 bytes  5000@3,5001@1"
                  + "  outgoing 5000@3,5002@1 witness  learners 5003@1");
    }
  }

  private static LogEntry configuration(long index, Configuration configuration) {
    return new LogEntry(index, 2, LogEntry.Kind.CONFIGURATION, Codec.bytesOf(configuration));
  }

  @Test
  void whatCannotBeReadIsToldWithTheFolder() throws IOException {
    assertThatThrownBy(this::dump).hasMessageContaining("no write-ahead log in " + folder);
    WrittenLog.open(folder, "5000", damage -> {}, new Metrics()).close();
    Files.writeString(folder.resolve("durable-mark"), "something else");
    assertThatThrownBy(this::dump)
        .isInstanceOf(IOException.class)
        .hasMessageContaining(folder.toString())
        .hasMessageContaining("durable-mark is damaged");
  }
}
