// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cairn.queues.TaskLoop;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Phaser;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

class GroupCommitTest {
  /** What each write held, in the order of writes. */
  private final List<Set<String>> written = Collections.synchronizedList(new ArrayList<>());

  private final List<String> told = Collections.synchronizedList(new ArrayList<>());
  private final Phaser turns = new Phaser(1);
  private final Semaphore disk = new Semaphore(1_000_000);
  private volatile Throwable fault;
  private final GroupCommit commits = new GroupCommit(this::write);
  private final WriteOptions options = new WriteOptions();

  @TempDir private Path folder;
  private RocksDB database;

  @BeforeAll
  static void load() {
    RocksDB.loadLibrary();
  }

  @BeforeEach
  void open() throws RocksDBException {
    database = RocksDB.open(folder.toString());
  }

  @AfterEach
  void close() {
    commits.close();
    database.close();
    options.close();
  }

  private void write(WriteBatch batch) {
    disk.acquireUninterruptibly();
    if (fault instanceof Error error) {
      throw error;
    }
    if (fault instanceof RuntimeException exception) {
      throw exception;
    }
    synchronized (written) { // else two writes may each find the other's keys
      try {
        database.write(options, batch);
      } catch (RocksDBException e) {
        throw new IllegalStateException(e);
      }
      written.add(newKeys());
    }
  }

  /** Those that were not there before. */
  private Set<String> newKeys() {
    Set<String> keys = new TreeSet<>();
    try (RocksIterator rows = database.newIterator()) {
      for (rows.seekToFirst(); rows.isValid(); rows.next()) {
        keys.add(new String(rows.key(), UTF_8));
      }
    }
    written.forEach(keys::removeAll);
    return keys;
  }

  private static GroupCommit.Changes row(String key) {
    return row(key, 1);
  }

  private static GroupCommit.Changes row(String key, int bytes) {
    return batch -> batch.put(key.getBytes(UTF_8), new byte[bytes]);
  }

  /** A group's turn: commits rows one after the other and notes what it is told of each. */
  private Runnable turn(String group, GroupCommit.Changes... changes) {
    return () -> {
      for (GroupCommit.Changes each : changes) {
        try {
          commits.commit(each);
          told.add(group + " done after " + written.size());
        } catch (RocksDBException | RuntimeException e) {
          told.add(group + " failed: " + e.getMessage());
        }
      }
    };
  }

  /** Has turns wait behind a disk that is busy, and then come to their end. */
  private void whileTheDiskIsBusy(Runnable... turns) throws Exception {
    disk.drainPermits();
    queue(turn("busy", row("busy")));
    Awaitility.await().until(disk::hasQueuedThreads);
    for (Runnable turn : turns) {
      queue(turn);
    }
    disk.release(1_000_000);
    awaitTurns();
  }

  private void queue(Runnable turn) {
    turns.register();
    commits
        .queue()
        .execute(
            () -> {
              turn.run();
              turns.arriveAndDeregister();
            });
  }

  private void awaitTurns() throws Exception {
    turns.awaitAdvanceInterruptibly(turns.arrive(), 30, SECONDS);
  }

  @Test
  void whoWaitsForTheDiskSharesTheNextWrite() throws Exception {
    whileTheDiskIsBusy(turn("a", row("a")), turn("b", row("b")), turn("c", row("c")));

    assertThat(written).containsExactly(Set.of("busy"), Set.of("a", "b", "c"));
    assertThat(told)
        .containsExactly("busy done after 1", "c done after 2", "b done after 2", "a done after 2");
  }

  @Test
  void whoCommitsAgainIsWrittenAgain() throws Exception {
    whileTheDiskIsBusy(turn("a", row("a1"), row("a2")), turn("b", row("b1"), row("b2")));

    assertThat(written)
        .containsExactly(Set.of("busy"), Set.of("a1", "b1"), Set.of("b2"), Set.of("a2"));
    assertThat(told).hasSize(5).noneMatch(what -> what.contains("failed"));
  }

  @Test
  void aTurnWithoutRowsEndsNoWrite() throws Exception {
    whileTheDiskIsBusy(turn("a", row("a")), () -> told.add("asked"), turn("b", row("b")));

    assertThat(written).containsExactly(Set.of("busy"), Set.of("a", "b"));
    assertThat(told).contains("asked");
  }

  @Test
  void aWriteThatFailsFailsForAllThatSharedIt() throws Exception {
    fault = new IllegalStateException("no disk");
    whileTheDiskIsBusy(turn("a", row("a")), turn("b", row("b")));

    assertThat(told)
        .containsExactly("busy failed: no disk", "b failed: no disk", "a failed: no disk");
    fault = null;
    queue(turn("c", row("c")));
    awaitTurns();
    assertThat(written).containsExactly(Set.of("c"));
  }

  @Test
  void anErrorOfTheWriterIsAFailureForAllToo() throws Exception {
    fault = new StackOverflowError("expected by GroupCommitTest");
    whileTheDiskIsBusy(turn("a", row("a")), turn("b", row("b")), turn("c", row("c")));

    assertThat(told).hasSize(4).allMatch(what -> what.contains("failed: "));
    fault = null;
    queue(turn("d", row("d")));
    awaitTurns();
    assertThat(written).containsExactly(Set.of("d"));
  }

  @Test
  void nestsStayShallowHoweverOftenTheirGroupsCommit() throws Exception {
    AtomicInteger depth = new AtomicInteger();
    AtomicInteger deepest = new AtomicInteger();
    Runnable[] turns = new Runnable[200];
    for (int i = 0; i < turns.length; i++) {
      Runnable turn = turn("g" + i, row("g" + i + "-1"), row("g" + i + "-2"), row("g" + i + "-3"));
      turns[i] =
          () -> {
            deepest.accumulateAndGet(depth.incrementAndGet(), Math::max);
            turn.run();
            depth.decrementAndGet();
          };
    }
    whileTheDiskIsBusy(turns);

    assertThat(told).hasSize(601).noneMatch(what -> what.contains("failed"));
    assertThat(written.stream().mapToInt(Set::size).sum()).isEqualTo(601);
    assertThat(deepest.get()).isBetween(10, 64);
  }

  @Test
  void whoHandsTheQueueOverInsideANestStillWritesIt() throws Exception {
    Runnable handsOver =
        () -> {
          TaskLoop.willBlock();
          turn("b", row("b")).run();
        };
    whileTheDiskIsBusy(turn("a", row("a")), handsOver, turn("c", row("c")));

    assertThat(told).hasSize(4).noneMatch(what -> what.contains("failed"));
    assertThat(written.get(0)).containsExactly("busy");
    assertThat(written.subList(1, written.size()))
        .containsExactlyInAnyOrder(Set.of("a"), Set.of("b"), Set.of("c"));
  }

  @Test
  void rowsThatCannotBeAddedAreTheAffairOfTheirGroup() throws Exception {
    GroupCommit.Changes half =
        batch -> {
          row("half").addTo(batch);
          throw new IllegalStateException("no more");
        };
    whileTheDiskIsBusy(
        turn("a", row("a")), turn("b", half), turn("c", row("c")), turn("d", half, row("d")));

    assertThat(written).hasSize(2);
    assertThat(written.get(1)).containsExactly("a", "c", "d");
    assertThat(told)
        .contains("b failed: no more", "d failed: no more", "a done after 2", "d done after 2");
  }

  @Test
  void theFirstMayFailToAddItsRows() throws Exception {
    queue(
        turn(
            "a",
            batch -> {
              throw new IllegalStateException("no rows");
            },
            row("a")));
    awaitTurns();

    assertThat(told).containsExactly("a failed: no rows", "a done after 1");
    assertThat(written).containsExactly(Set.of("a"));
  }

  @Test
  void manyGroupsAreWrittenInSeveralWrites() throws Exception {
    Runnable[] turns = new Runnable[1_000];
    for (int i = 0; i < turns.length; i++) {
      turns[i] = turn("g" + i, row("g" + i));
    }
    whileTheDiskIsBusy(turns);

    assertThat(told).hasSize(1_001).noneMatch(what -> what.contains("failed"));
    assertThat(written).hasSizeBetween(10, 40).allMatch(rows -> rows.size() <= 64);
  }

  @Test
  void manyBytesAreWrittenBeforeMoreAreAdded() throws Exception {
    whileTheDiskIsBusy(
        turn("a", row("a", 700_000)), turn("b", row("b", 700_000)), turn("c", row("c", 700_000)));

    assertThat(written).containsExactly(Set.of("busy"), Set.of("a", "b"), Set.of("c"));
  }

  @Test
  void otherThreadsWriteByThemselves() throws Exception {
    disk.drainPermits();
    queue(turn("queued", row("queued")));
    Awaitility.await().until(disk::hasQueuedThreads);
    Thread voter = new Thread(turn("vote", row("vote")));
    voter.start();
    Awaitility.await().until(() -> disk.getQueueLength() == 2);
    disk.release(1_000_000);
    voter.join();
    awaitTurns();

    assertThat(written).containsExactlyInAnyOrder(Set.of("queued"), Set.of("vote"));
    fault = new IllegalStateException("no disk");
    assertThatThrownBy(() -> commits.commit(row("x"))).hasMessage("no disk");
  }
}
