// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import dev.cairn.client.CairnClient;
import dev.cairn.client.CairnException;
import dev.cairn.client.UnknownOutcomeException;
import dev.cairn.protocol.Slots;
import dev.cairn.protocol.Topology;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Writes to every partition all the time, one write after the other in each, and measures for how
 * long none succeeded.
 */
final class DemoWriters {
  private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(2);

  private final CairnClient client;
  private final DemoRecord record;
  private final List<Writer> writers = new ArrayList<>();
  private final AtomicLong number = new AtomicLong();
  private volatile boolean stopping;

  DemoWriters(CairnClient client, Topology topology, DemoRecord record) {
    this.client = client;
    this.record = record;
    for (Topology.Partition partition : topology.partitions()) {
      writers.add(new Writer(partition));
    }
  }

  void start() {
    writers.forEach(Thread::start);
  }

  /** Begins to measure pauses anew. */
  void mark() {
    writers.forEach(Writer::mark);
  }

  /** Whether each partition has taken a write since the mark. */
  boolean allSucceededSinceMark() {
    return writers.stream().allMatch(writer -> writer.successes > 0);
  }

  /** Writes acknowledged since the mark. */
  long successesSinceMark() {
    return writers.stream().mapToLong(writer -> writer.successes).sum();
  }

  /** The longest time since the mark in which a partition took no write. */
  long longestPauseNanos(int partition) {
    return writers.stream()
        .filter(writer -> writer.partition.index() == partition)
        .mapToLong(Writer::longestPauseNanos)
        .max()
        .orElse(0);
  }

  /** Ends when the writes in flight have ended. */
  void stop() throws InterruptedException {
    stopping = true;
    for (Writer writer : writers) {
      writer.join();
    }
  }

  private final class Writer extends Thread {
    private final Topology.Partition partition;
    private volatile long successes;
    private long lastNanos = System.nanoTime(); // guarded by this
    private long pauseNanos; // guarded by this

    Writer(Topology.Partition partition) {
      super("cairn-demo-writer-" + partition.index());
      this.partition = partition;
      setDaemon(true);
    }

    @Override
    public void run() {
      while (!stopping) {
        byte[] key = key();
        byte[] value =
            ("written while a node died, " + number.get()).getBytes(StandardCharsets.UTF_8);
        try {
          client.put(key, value);
          record.acknowledged(key, value);
          succeeded();
        } catch (UnknownOutcomeException unknown) {
          record.unknown(key, value);
        } catch (CairnException certainlyNot) {
          // Not applied: the next key is another.
        }
        LockSupport.parkNanos(PAUSE_NANOS);
      }
    }

    private byte[] key() {
      while (true) {
        byte[] key = ("demo:" + number.incrementAndGet()).getBytes(StandardCharsets.UTF_8);
        int slot = Slots.of(key);
        if (slot >= partition.firstSlot() && slot <= partition.lastSlot()) {
          return key;
        }
      }
    }

    private synchronized void mark() {
      successes = 0;
      pauseNanos = 0;
      lastNanos = System.nanoTime();
    }

    private synchronized void succeeded() {
      long now = System.nanoTime();
      pauseNanos = Math.max(pauseNanos, now - lastNanos);
      lastNanos = now;
      successes = successes + 1;
    }

    private synchronized long longestPauseNanos() {
      return Math.max(pauseNanos, stopping ? 0 : System.nanoTime() - lastNanos);
    }
  }
}
