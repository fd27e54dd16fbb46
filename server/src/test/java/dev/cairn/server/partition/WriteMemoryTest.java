// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.operation.EntryCodec;
import dev.cairn.server.operation.Operation;
import dev.cairn.server.operation.Request;
import dev.cairn.server.raft.GroupListener.Entry;
import dev.cairn.server.storage.EngineConfig;
import dev.cairn.server.storage.PartitionFolder;
import dev.cairn.server.storage.PartitionIdentity;
import dev.cairn.server.storage.StorageEngine;
import dev.cairn.server.storage.StorageException;
import dev.cairn.state.RequestIds;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** When flushes begin, and who waits for them. They run when the test says so. */
@Timeout(60)
class WriteMemoryTest {
  private static final int BYTES_MAX = 4 << 20;
  private static final int LARGE = 500_000;

  @TempDir Path temp;

  private final StorageEngine engine = engine();
  private final StorageEngine other = engine();
  private final Queue<Runnable> flushes = new ArrayDeque<>(); // guarded by itself
  private final WriteMemory memory = new WriteMemory(BYTES_MAX, this::begun);
  private final List<ReplicaState> replicas = new ArrayList<>();
  private boolean refuses;

  private static StorageEngine engine() {
    return StorageEngine.open(EngineConfig.DEFAULT, damage -> {}, new Metrics());
  }

  private void begun(Runnable flush) {
    synchronized (flushes) {
      if (refuses) {
        throw new RejectedExecutionException();
      }
      flushes.add(flush);
    }
  }

  private int begun() {
    synchronized (flushes) {
      return flushes.size();
    }
  }

  private void runFlush() {
    Runnable flush;
    synchronized (flushes) {
      flush = flushes.remove();
    }
    flush.run();
  }

  private ReplicaState open(StorageEngine in, String name) {
    PartitionIdentity identity = new PartitionIdentity("c".repeat(40), 3, 1);
    ReplicaState replica =
        new ReplicaState(
            PartitionFolder.open(in, temp.resolve(name), identity),
            RequestIds.Bounds.DEFAULT,
            KeyMetrics.of(new Metrics()),
            memory);
    replicas.add(replica);
    return replica;
  }

  @AfterEach
  void close() {
    replicas.forEach(ReplicaState::close);
    engine.close();
    other.close();
  }

  private static void put(ReplicaState replica, int bytes) {
    Operation put = new Operation.Put("key".getBytes(UTF_8), new byte[bytes]);
    byte[] data =
        EntryCodec.encode(
            new EntryCodec.Entry(1, List.of(new Request(Optional.empty(), List.of(put)))));
    try {
      replica.apply(new Entry(replica.applied().index() + 1, 1, data, Optional.empty()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Puts in another thread, which may have to wait. */
  private static Thread putElsewhere(ReplicaState replica) {
    Thread thread = new Thread(() -> put(replica, LARGE));
    thread.start();
    return thread;
  }

  /** As an fsync that failed does: nothing is written to that disk any more. */
  private void damage(StorageEngine disk) {
    PartitionIdentity another = new PartitionIdentity("d".repeat(40), 3, 1);
    Path some = temp.resolve("some");
    PartitionFolder.open(disk, some, new PartitionIdentity("c".repeat(40), 3, 1)).close();
    StorageException fault =
        catchThrowableOfType(
            StorageException.class, () -> PartitionFolder.open(disk, some, another));
    disk.damaged(fault);
  }

  @Test
  void pastHalfOfTheBoundTheFullestIsFlushedOneAtATime() {
    ReplicaState little = open(engine, "little");
    ReplicaState full = open(engine, "full");
    put(little, LARGE);
    put(little, LARGE);
    put(full, LARGE);
    put(full, LARGE);
    assertThat(begun()).isZero();
    put(full, LARGE);
    assertThat(memory.heldBytes()).isGreaterThan(BYTES_MAX / 2);
    assertThat(memory.heldBytes()).isEqualTo(little.heldBytes() + full.heldBytes());
    assertThat(begun()).isEqualTo(1);
    put(full, LARGE);
    assertThat(begun()).as("one at a time").isEqualTo(1);

    runFlush();
    assertThat(full.durableIndex()).as("with what came before it began").isEqualTo(4);
    assertThat(little.durableIndex()).isZero();
    assertThat(memory.heldBytes()).isEqualTo(little.heldBytes() + full.heldBytes());
    assertThat(begun()).as("less than half is held").isZero();

    put(full, LARGE);
    put(little, 2 * LARGE);
    assertThat(begun()).isEqualTo(1);
    runFlush();
    assertThat(little.durableIndex()).isEqualTo(3);
    assertThat(full.durableIndex()).isEqualTo(4);
  }

  @Test
  void oneFlushFollowsAnotherUntilLessIsHeld() {
    ReplicaState little = open(engine, "little");
    ReplicaState full = open(engine, "full");
    put(little, BYTES_MAX / 8 * 3);
    put(full, BYTES_MAX / 2);
    put(little, BYTES_MAX / 4);
    assertThat(begun()).isEqualTo(1);
    runFlush();
    assertThat(full.durableIndex()).isEqualTo(1);
    assertThat(little.durableIndex()).isZero();
    assertThat(begun()).isEqualTo(1);
    runFlush();
    assertThat(little.durableIndex()).isEqualTo(2);
    assertThat(begun()).isZero();
  }

  @Test
  void whoeverAppliesWaitsAtTheBoundUntilAFlushEnds() throws InterruptedException {
    ReplicaState full = open(engine, "full");
    ReplicaState waits = open(engine, "waits");
    put(full, BYTES_MAX);
    Thread waiting = putElsewhere(waits);
    await().until(() -> memory.waiting() == 1);
    assertThat(waits.applied().index()).isZero();
    assertThat(waits.answerFromMemory(List.of(), 0, KeyMetrics.of(new Metrics())))
        .as("it waits without the lock")
        .isPresent();

    runFlush();
    waiting.join();
    assertThat(waits.applied().index()).isEqualTo(1);
    assertThat(memory.waiting()).isZero();
  }

  @Test
  void anInterruptIsKeptForLater() throws InterruptedException {
    ReplicaState full = open(engine, "full");
    put(full, BYTES_MAX);
    boolean[] interrupted = new boolean[1];
    Thread waiting =
        new Thread(
            () -> {
              memory.awaitRoom();
              interrupted[0] = Thread.interrupted();
            });
    waiting.start();
    await().until(() -> memory.waiting() == 1);
    waiting.interrupt();
    waiting.join(50);
    assertThat(waiting.isAlive()).isTrue();
    runFlush();
    waiting.join();
    assertThat(interrupted[0]).isTrue();
  }

  @Test
  void aFlushThatFailedStopsItsReplica() {
    ReplicaState failing = open(engine, "failing");
    put(failing, LARGE);
    failing.flush();
    put(failing, BYTES_MAX);
    damage(engine);
    runFlush();
    assertThat(failing.durableIndex()).isEqualTo(1);
    assertThat(failing.applied().index()).isEqualTo(2);
    assertThat(failing.canFlush()).isFalse();
    assertThat(begun()).as("it is not tried again").isZero();
    assertThatThrownBy(() -> put(failing, 1)).hasMessageContaining("could not be put on disk");
    assertThatThrownBy(() -> failing.pass(3, 1)).hasMessageContaining("could not be put on disk");
    assertThatThrownBy(failing::flush).hasMessageContaining("could not be put on disk");
    assertThatThrownBy(failing::checkpoint).hasMessageContaining("could not be put on disk");
    assertThat(failing.applied().index()).isEqualTo(2);
    assertThat(failing.durableIndex()).isEqualTo(1);
    failing.close();
    assertThat(memory.heldBytes()).isZero();
  }

  @Test
  void whoeverWaitedForAFlushThatFailedAppliesNothing() throws InterruptedException {
    ReplicaState failing = open(engine, "failing");
    put(failing, BYTES_MAX);
    damage(engine);
    List<Throwable> thrown = new ArrayList<>();
    Thread waiting = new Thread(() -> thrown.add(catchThrowable(() -> put(failing, LARGE))));
    waiting.start();
    await().until(() -> memory.waiting() == 1);
    runFlush();
    waiting.join();
    assertThat(thrown.get(0)).hasMessageContaining("could not be put on disk");
    assertThat(failing.applied().index()).isEqualTo(1);
  }

  @Test
  void nobodyWaitsForAReplicaWhoseFlushFailed() throws InterruptedException {
    ReplicaState failing = open(engine, "failing");
    ReplicaState sound = open(other, "sound");
    put(failing, BYTES_MAX);
    damage(engine);
    Thread waiting = putElsewhere(sound);
    await().until(() -> memory.waiting() == 1);
    runFlush();
    waiting.join();
    assertThat(memory.heldBytes()).as("as full as it was").isGreaterThan(BYTES_MAX);

    // What the sound one holds is flushed, and whoever applies goes on when that has ended.
    for (int i = 2; i < 5; i++) {
      assertThat(begun()).isEqualTo(1);
      Thread next = putElsewhere(sound);
      await().until(() -> memory.waiting() == 1);
      runFlush();
      next.join();
      assertThat(sound.durableIndex()).isGreaterThanOrEqualTo(i - 1);
      assertThat(sound.applied().index()).isEqualTo(i);
    }
    failing.close();
    assertThat(memory.heldBytes()).isEqualTo(sound.heldBytes());
  }

  @Test
  void nobodyWaitsWhereNoFlushCanBegin() {
    ReplicaState full = open(engine, "full");
    refuses = true;
    put(full, BYTES_MAX);
    put(full, LARGE);
    assertThat(memory.heldBytes()).isGreaterThan(BYTES_MAX);
    refuses = false;
    put(full, 1);
    assertThat(begun()).isEqualTo(1);
  }

  @Test
  void aFlushOfAReplicaThatWasClosedMeanwhileDoesNothing() throws InterruptedException {
    ReplicaState closed = open(engine, "closed");
    ReplicaState waits = open(engine, "waits");
    put(closed, BYTES_MAX);
    closed.close();
    assertThat(memory.heldBytes()).isEqualTo(waits.heldBytes());
    put(waits, LARGE);
    runFlush();
    assertThat(waits.applied().index()).isEqualTo(1);
    ReplicaState again = open(engine, "closed");
    assertThat(again.applied().index()).as("its close has flushed it").isEqualTo(1);
  }
}
