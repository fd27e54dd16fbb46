// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import com.alipay.sofa.jraft.Closure;
import com.alipay.sofa.jraft.Iterator;
import com.alipay.sofa.jraft.Status;
import dev.cairn.queues.TaskLoop;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/**
 * After a restart a group has thousands of entries to apply; its worker serves other groups too.
 */
class LongRunOfEntriesTest {
  private final CountDownLatch otherGroup = new CountDownLatch(1);
  private final CountDownLatch applied = new CountDownLatch(1);
  private boolean otherWasServed;

  @Test
  void manyEntriesHoldUpNoOtherGroup() throws InterruptedException {
    assertThat(otherIsServedDuring(new Entries(1_000, 10))).isTrue();
  }

  @Test
  void muchDataHoldsUpNoOtherGroup() throws InterruptedException {
    assertThat(otherIsServedDuring(new Entries(5, 1 << 20))).isTrue();
  }

  @Test
  void aShortRunIsAppliedWithoutAnotherThread() throws InterruptedException {
    assertThat(otherIsServedDuring(new Entries(20, 100))).isFalse();
  }

  private boolean otherIsServedDuring(Entries entries) throws InterruptedException {
    ListenerAdapter adapter =
        new ListenerAdapter("group", new WaitsAtTheLast(entries.count), index -> null);
    try (TaskLoop worker = new TaskLoop("worker")) {
      worker.execute(() -> adapter.onApply(entries));
      worker.execute(otherGroup::countDown);
      assertThat(applied.await(30, SECONDS)).isTrue();
      assertThat(otherGroup.await(30, SECONDS)).isTrue();
    }
    return otherWasServed;
  }

  /** At the last entry, gives the other group's task the time to be run. */
  private final class WaitsAtTheLast implements GroupListener {
    private final long last;

    WaitsAtTheLast(long last) {
      this.last = last;
    }

    @Override
    public void apply(Entry entry) throws InterruptedException {
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
    public void configurationCommitted(Configuration configuration) {}

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

  /** Committed entries as the engine hands them over. */
  private static final class Entries implements Iterator {
    private final int count;
    private final ByteBuffer data;
    private long index = 1;

    Entries(int count, int bytes) {
      this.count = count;
      data = ByteBuffer.allocate(bytes);
    }

    @Override
    public boolean hasNext() {
      return index <= count;
    }

    @Override
    public ByteBuffer next() {
      index++;
      return data;
    }

    @Override
    public ByteBuffer getData() {
      return data;
    }

    @Override
    public long getIndex() {
      return index;
    }

    @Override
    public long getTerm() {
      return 1;
    }

    @Override
    public Closure done() {
      return null;
    }

    @Override
    public boolean commit() {
      return true;
    }

    @Override
    public void commitAndSnapshotSync(Closure done) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void setAutoCommitPerLog(boolean status) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void setErrorAndRollback(long entries, Status status) {
      throw new AssertionError(status.toString());
    }
  }
}
