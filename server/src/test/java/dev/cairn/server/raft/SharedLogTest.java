// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.alipay.sofa.jraft.conf.ConfigurationManager;
import com.alipay.sofa.jraft.entity.LogEntry;
import com.alipay.sofa.jraft.entity.PeerId;
import com.alipay.sofa.jraft.storage.LogStorage;
import com.alipay.sofa.jraft.storage.RaftMetaStorage;
import dev.cairn.server.metrics.Metrics;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SharedLogTest {
  private static final String GROUP = "c1-p0";

  @TempDir Path temporary;
  private Path folder;
  private SharedLog log;

  @BeforeEach
  void open() {
    folder = temporary.resolve("5000").resolve("store.log");
    log = LogFixture.open(folder);
  }

  @AfterEach
  void close() {
    log.close();
  }

  private void reopen() {
    log.close();
    log = LogFixture.open(folder);
  }

  private LogStorage filled(String group, int count) {
    LogStorage storage = LogFixture.storage(log, group);
    List<LogEntry> entries = LongStream.rangeClosed(1, count).mapToObj(LogFixture::data).toList();
    assertThat(storage.appendEntries(entries)).isEqualTo(count);
    return storage;
  }

  @Test
  void aNewGroupIsEmptyAndNotYetOnDisk() {
    LogStorage storage = LogFixture.storage(log, GROUP);
    assertThat(storage.getFirstLogIndex()).isEqualTo(1);
    assertThat(storage.getLastLogIndex()).isZero();
    assertThat(storage.getEntry(0)).isNull();
    assertThat(storage.getEntry(1)).isNull();
    assertThat(log.groups()).isEmpty();
    assertThat(log.incarnation(GROUP)).isZero();
    assertThat(log.firstIndex("unknown")).isEqualTo(1);
    assertThat(log.lastIndex("unknown")).isZero();
    assertThat(log.termAt("unknown", 1)).isEmpty();
  }

  @Test
  void resetLeavesAnEmptyLogThatGoesOnAtNext() {
    LogStorage storage = filled(GROUP, 20);
    assertThat(storage.reset(101)).isTrue();
    for (int round = 0; round < 2; round++) {
      assertThat(log.firstIndex(GROUP)).isEqualTo(101);
      assertThat(log.lastIndex(GROUP)).isEqualTo(100);
      assertThat(LogFixture.storage(log, GROUP).getEntry(100)).isNull();
      assertThat(LogFixture.storage(log, GROUP).getEntry(101)).isNull();
      reopen();
    }
    assertThat(LogFixture.storage(log, GROUP).appendEntry(LogFixture.data(102))).isFalse();
    assertThat(LogFixture.storage(log, GROUP).appendEntry(LogFixture.data(101))).isTrue();
    reopen();
    assertThat(LogFixture.storage(log, GROUP).getEntry(101)).isEqualTo(LogFixture.data(101));
    assertThatThrownBy(() -> LogFixture.storage(log, GROUP).reset(0))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void truncatingPastTheEndLeavesAnEmptyLogThatGoesOnThere() {
    assertThat(filled(GROUP, 5).truncatePrefix(50)).isTrue();
    reopen();
    assertThat(log.firstIndex(GROUP)).isEqualTo(50);
    assertThat(log.lastIndex(GROUP)).isEqualTo(49);
    assertThat(LogFixture.storage(log, GROUP).appendEntry(LogFixture.data(50))).isTrue();
  }

  @Test
  void refusesGapsAndOverwrites() {
    LogStorage storage = filled(GROUP, 5);
    assertThat(storage.appendEntry(LogFixture.data(7))).isFalse();
    assertThat(storage.appendEntry(LogFixture.data(5))).isFalse();
    assertThat(storage.appendEntries(List.of(LogFixture.data(6), LogFixture.data(8)))).isZero();
    assertThat(storage.truncatePrefix(3)).isTrue();
    assertThat(storage.truncateSuffix(1)).isFalse();
    assertThat(storage.getLastLogIndex()).isEqualTo(5);
    assertThat(log.damaged()).isFalse();
    assertThat(storage.appendEntries(List.of(LogFixture.data(6), LogFixture.data(7)))).isEqualTo(2);
  }

  @Test
  void entriesOfSeveralMebibytesComeBack() {
    byte[] data = new byte[17 << 20];
    new Random(7).nextBytes(data);
    LogStorage storage = LogFixture.storage(log, GROUP);
    for (long index = 1; index <= 4; index++) {
      assertThat(storage.appendEntry(LogFixture.data(index, 3, data))).isTrue();
    }
    reopen();
    for (long index = 1; index <= 4; index++) {
      assertThat(LogFixture.storage(log, GROUP).getEntry(index))
          .isEqualTo(LogFixture.data(index, 3, data));
    }
    assertThat(log.entryBytes(GROUP)).isBetween(40L << 20, 80L << 20);
  }

  @Test
  void configurationsAreFedBackInOrder() {
    LogStorage storage = LogFixture.storage(log, GROUP);
    storage.appendEntries(
        List.of(
            LogFixture.configuration(1, 1, "127.0.0.1:1"),
            LogFixture.data(2),
            LogFixture.configuration(3, 1, "127.0.0.1:1", "127.0.0.1:2:1:90"),
            LogFixture.configuration(4, 1, "127.0.0.1:1", "127.0.0.1:2")));
    storage.truncateSuffix(3);
    reopen();
    ConfigurationManager configurations = new ConfigurationManager();
    LogFixture.storage(log, GROUP, configurations);
    assertThat(configurations.get(2).getConf().listPeers())
        .containsExactly(PeerId.parsePeer("127.0.0.1:1"));
    assertThat(configurations.getLastConfiguration().getId().getIndex()).isEqualTo(3);
    assertThat(configurations.getLastConfiguration().getConf().listPeers())
        .containsExactly(PeerId.parsePeer("127.0.0.1:1"), PeerId.parsePeer("127.0.0.1:2:1:90"));
  }

  @Test
  void termAndVoteSurviveTogether() {
    RaftMetaStorage meta = LogFixture.meta(log, GROUP);
    assertThat(meta.getTerm()).isZero();
    assertThat(meta.getVotedFor().isEmpty()).isTrue();
    assertThat(log.votedFor(GROUP)).isEmpty();
    assertThat(meta.setTermAndVotedFor(7, PeerId.parsePeer("127.0.0.1:15000:2:90"))).isTrue();
    meta.shutdown();
    assertThatThrownBy(() -> meta.setTerm(8)).isInstanceOf(IllegalStateException.class);
    reopen();
    RaftMetaStorage again = LogFixture.meta(log, GROUP);
    assertThat(again.getTerm()).isEqualTo(7);
    assertThat(again.getVotedFor()).isEqualTo(PeerId.parsePeer("127.0.0.1:15000:2:90"));
    assertThat(again.setTerm(8)).isTrue();
    assertThat(again.setVotedFor(PeerId.emptyPeer())).isTrue();
    reopen();
    assertThat(log.term(GROUP)).isEqualTo(8);
    assertThat(log.votedFor(GROUP)).isEmpty();
  }

  @Test
  void anotherIncarnationStartsEmptyAndOthersKeepWhatTheyHave() {
    filled("other", 3);
    log.writeIncarnation("other", 1);
    assertThat(log.lastIndex("other")).as("wiped: it had no marker").isZero();
    filled("other", 3);
    LogFixture.meta(log, "other").setTermAndVotedFor(4, new PeerId("127.0.0.1", 1));
    log.writeIncarnation("other", 1);
    assertThat(log.lastIndex("other")).isEqualTo(3);
    log.writeIncarnation(GROUP, 1);
    filled(GROUP, 9).truncatePrefix(4);
    LogFixture.meta(log, GROUP).setTermAndVotedFor(5, new PeerId("127.0.0.1", 2));
    log.writeIncarnation(GROUP, 2);
    for (int round = 0; round < 2; round++) {
      assertThat(log.incarnation(GROUP)).isEqualTo(2);
      assertThat(log.firstIndex(GROUP)).isEqualTo(1);
      assertThat(log.lastIndex(GROUP)).isZero();
      assertThat(log.term(GROUP)).isZero();
      assertThat(log.entryBytes(GROUP)).isZero();
      assertThat(log.incarnation("other")).isEqualTo(1);
      assertThat(log.lastIndex("other")).isEqualTo(3);
      assertThat(log.term("other")).isEqualTo(4);
      reopen();
    }
    assertThatThrownBy(() -> log.writeIncarnation(GROUP, 0))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aDroppedGroupIsGoneAndItsStorageRefuses() {
    LogStorage storage = filled(GROUP, 3);
    filled("other", 2);
    log.dropGroup(GROUP);
    assertThat(storage.appendEntry(LogFixture.data(1))).isFalse();
    assertThat(log.groups()).containsExactly("other");
    reopen();
    assertThat(log.groups()).containsExactly("other");
    assertThat(log.lastIndex(GROUP)).isZero();
    filled(GROUP, 1);
    reopen();
    assertThat(log.lastIndex(GROUP)).isEqualTo(1);
    assertThat(log.lastIndex("other")).isEqualTo(2);
  }

  @Test
  void shuttingDownOneGroupKeepsTheOthersGoing() {
    LogStorage storage = filled(GROUP, 3);
    LogStorage other = filled("other", 3);
    storage.shutdown();
    assertThat(other.appendEntry(LogFixture.data(4))).isTrue();
    assertThat(LogFixture.storage(log, GROUP).getEntry(3)).isEqualTo(LogFixture.data(3));
  }

  @Test
  void groupsAppendAtOnceAndAllOfItIsThere() throws Exception {
    int groups = 8;
    int rounds = 60;
    ExecutorService threads = Executors.newFixedThreadPool(groups);
    try {
      List<Callable<Void>> writers = new ArrayList<>();
      for (int group = 0; group < groups; group++) {
        LogStorage storage = LogFixture.storage(log, "g" + group);
        RaftMetaStorage meta = LogFixture.meta(log, "g" + group);
        writers.add(
            () -> {
              for (int round = 0; round < rounds; round++) {
                long next = round * 3L + 1;
                List<LogEntry> entries =
                    IntStream.range(0, 3).mapToObj(i -> LogFixture.data(next + i)).toList();
                assertThat(storage.appendEntries(entries)).isEqualTo(3);
                assertThat(meta.setTerm(next)).isTrue();
              }
              return null;
            });
      }
      for (Future<Void> writer : threads.invokeAll(writers)) {
        writer.get();
      }
    } finally {
      threads.shutdownNow();
    }
    reopen();
    for (int group = 0; group < groups; group++) {
      List<StoredEntry> entries = new ArrayList<>();
      log.forEachEntry("g" + group, 2, entries::add);
      assertThat(entries).hasSize(rounds * 3 - 1);
      assertThat(new String(entries.get(10).data(), UTF_8)).isEqualTo("entry 12");
      assertThat(log.term("g" + group)).isEqualTo((rounds - 1) * 3L + 1);
    }
  }

  /** A row deleted or replaced between two looks at the range must not be taken for damage. */
  @Test
  void readersSeeNoDamageWhileTheLogShrinksAndGrows() throws Exception {
    LogStorage storage = filled(GROUP, 100);
    AtomicBoolean stop = new AtomicBoolean();
    ExecutorService threads = Executors.newFixedThreadPool(2);
    try {
      List<Future<Long>> readers =
          IntStream.range(0, 2)
              .mapToObj(
                  seed ->
                      threads.submit(
                          () -> {
                            Random random = new Random(seed);
                            long read = 0;
                            while (!stop.get()) {
                              long first = storage.getFirstLogIndex();
                              long index = first + random.nextInt(110);
                              LogEntry entry = storage.getEntry(index);
                              assertThat(entry == null || entry.getId().getIndex() == index)
                                  .isTrue();
                              read++;
                            }
                            return read;
                          }))
              .toList();
      for (int round = 0; round < 150; round++) {
        long last = storage.getLastLogIndex();
        assertThat(storage.truncateSuffix(last - 20)).isTrue();
        List<LogEntry> entries =
            LongStream.rangeClosed(last - 19, last + 1).mapToObj(LogFixture::data).toList();
        assertThat(storage.appendEntries(entries)).isEqualTo(21);
        assertThat(storage.truncatePrefix(storage.getFirstLogIndex() + 1)).isTrue();
      }
      stop.set(true);
      for (Future<Long> reader : readers) {
        assertThat(reader.get()).isPositive();
      }
    } finally {
      stop.set(true);
      threads.shutdownNow();
    }
    assertThat(log.damaged()).isFalse();
  }

  @Test
  void sizeFollowsTheLogToAboutAMebibyte() {
    LogStorage storage = LogFixture.storage(log, GROUP);
    byte[] data = new byte[100_000];
    new Random(1).nextBytes(data);
    for (long index = 1; index <= 100; index++) {
      storage.appendEntry(LogFixture.data(index, 1, data));
    }
    assertThat(log.entryBytes(GROUP)).isBetween(10_000_000L, 10_010_000L);
    storage.truncatePrefix(51);
    assertThat(log.entryBytes(GROUP)).isBetween(4_800_000L, 5_200_000L);
    storage.truncateSuffix(75);
    assertThat(log.entryBytes(GROUP)).isBetween(2_300_000L, 2_700_000L);
    reopen();
    assertThat(log.entryBytes(GROUP)).isBetween(2_000_000L, 3_000_000L);
    storage = LogFixture.storage(log, GROUP);
    storage.truncatePrefix(1000);
    assertThat(log.entryBytes(GROUP)).isZero();
    storage.appendEntry(LogFixture.data(1000, 1, data));
    assertThat(log.entryBytes(GROUP)).isBetween(100_000L, 101_000L);
  }

  @Test
  void onlyOneProcessOpensIt() {
    assertThatThrownBy(() -> SharedLog.open(folder, damage -> {}, new Metrics()))
        .isInstanceOf(IOException.class)
        .isNotInstanceOf(LogLostException.class)
        .hasMessageContaining("cannot be opened");
  }

  @Test
  void aClosedLogRefuses() {
    LogStorage storage = filled(GROUP, 3);
    RaftMetaStorage meta = LogFixture.meta(log, GROUP);
    log.close();
    assertThat(storage.appendEntry(LogFixture.data(4))).isFalse();
    assertThat(meta.setTerm(4)).isFalse();
    assertThatThrownBy(() -> storage.getEntry(1)).isInstanceOf(IllegalStateException.class);
    assertThat(log.damaged()).isFalse();
  }

  @Test
  void theDumpShowsARunningLog() throws IOException {
    log.writeIncarnation(GROUP, 3);
    LogStorage storage = LogFixture.storage(log, GROUP);
    storage.appendEntry(LogFixture.configuration(1, 2, "127.0.0.1:1", "127.0.0.1:2"));
    storage.appendEntry(LogFixture.data(2, 2, "hello".getBytes(UTF_8)));
    LogFixture.meta(log, GROUP).setTermAndVotedFor(2, new PeerId("127.0.0.1", 1));
    List<Path> before = LogFixture.files(folder, "");
    List<String> lines = new ArrayList<>();
    LogDump.print(folder, lines::add, data -> new String(data, UTF_8));
    assertThat(lines)
        .containsExactly(
            "group c1-p0  incarnation 3  term 2  voted for 127.0.0.1:1",
            "group c1-p0  index 1  term 2  CONFIGURATION  0 bytes  127.0.0.1:1,127.0.0.1:2",
            "group c1-p0  index 2  term 2  DATA  5 bytes  hello");
    assertThat(LogFixture.files(folder, "")).isEqualTo(before);
    assertThat(storage.appendEntry(LogFixture.data(3))).isTrue();
    assertThatThrownBy(() -> LogDump.print(temporary, line -> {}, data -> ""))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("no write-ahead log");
  }
}
