// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.replication;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.consensus.Configuration;
import dev.cairn.consensus.Entry;
import dev.cairn.consensus.SnapshotReference;
import dev.cairn.server.peer.TaskLoop;
import dev.cairn.server.raft.GroupListener;
import dev.cairn.server.raft.Peer;
import dev.cairn.server.raft.Proposal;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Groups share workers: one that has much to apply must not hold up the others for as long. */
class LongRunsTest {
  private static final SnapshotReference START = new SnapshotReference(0, 0, Configuration.NONE, 0);

  private final CountDownLatch applied = new CountDownLatch(1);
  private final CountDownLatch otherGroup = new CountDownLatch(1);
  private volatile boolean otherWasServed;

  @Test
  void manyEntriesHoldUpNoOtherGroup() throws InterruptedException {
    assertThat(otherIsServedDuring(1_000, 10)).isTrue();
  }

  @Test
  void muchDataHoldsUpNoOtherGroup() throws InterruptedException {
    assertThat(otherIsServedDuring(5, 1 << 20)).isTrue();
  }

  @Test
  void aShortRunIsAppliedWithoutAnotherThread() throws InterruptedException {
    assertThat(otherIsServedDuring(20, 100)).isFalse();
  }

  private boolean otherIsServedDuring(int count, int bytes) throws InterruptedException {
    List<Entry> run =
        LongStream.rangeClosed(1, count)
            .mapToObj(index -> new Entry(index, 1, new byte[bytes], null))
            .toList();
    List<Optional<Proposal>> proposed = Collections.nCopies(count, Optional.empty());
    try (TaskLoop worker = new TaskLoop("worker")) {
      Machine machine =
          new Machine(
              "cairn-test-p0",
              worker,
              new WaitsAtTheLast(count),
              Optional.empty(),
              START,
              () -> {});
      CountDownLatch bothAreThere = new CountDownLatch(1);
      worker.execute(() -> await(bothAreThere));
      machine.apply(run, proposed, () -> {});
      worker.execute(otherGroup::countDown);
      bothAreThere.countDown();
      assertThat(applied.await(30, SECONDS)).isTrue();
      assertThat(otherGroup.await(30, SECONDS)).isTrue();
    }
    return otherWasServed;
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(30, SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** At the last entry, gives the other group's task the time to be run. */
  private final class WaitsAtTheLast implements GroupListener {
    private final long last;

    WaitsAtTheLast(long last) {
      this.last = last;
    }

    @Override
    public void apply(GroupListener.Entry entry) throws InterruptedException {
      if (entry.index() == last) {
        otherWasServed = otherGroup.await(1, SECONDS);
      }
    }

    @Override
    public void applied() {
      applied.countDown();
    }

    @Override
    public void leaderStarted(long term) {}

    @Override
    public void leaderStopped() {}

    @Override
    public void followingStarted(Peer leader, long term) {}

    @Override
    public void followingStopped() {}

    @Override
    public void configurationCommitted(GroupListener.Configuration now) {}

    @Override
    public void save(SnapshotPoint point, Consumer<Optional<String>> done) {}

    @Override
    public boolean load(SnapshotPoint point, Optional<Path> received, byte[] meta) {
      return true;
    }

    @Override
    public void failed(Throwable cause) {
      throw new AssertionError(cause);
    }
  }
}
