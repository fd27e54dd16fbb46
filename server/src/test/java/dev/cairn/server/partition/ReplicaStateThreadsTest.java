// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.operation.Condition;
import dev.cairn.server.operation.EntryCodec;
import dev.cairn.server.operation.Expiry;
import dev.cairn.server.operation.Operation;
import dev.cairn.server.operation.Query;
import dev.cairn.server.operation.Request;
import dev.cairn.server.operation.Result;
import dev.cairn.server.raft.GroupListener.Entry;
import dev.cairn.server.storage.EngineConfig;
import dev.cairn.server.storage.KeyRange;
import dev.cairn.server.storage.PartitionFolder;
import dev.cairn.server.storage.PartitionIdentity;
import dev.cairn.server.storage.StorageEngine;
import dev.cairn.server.storage.StorageException;
import dev.cairn.state.Applied;
import dev.cairn.state.RequestIds;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A replica's state under threads: one applies and installs, loops and readers ask, another flushes
 * without rest. Each value tells which entry has written it, and what stands behind each entry is
 * known beforehand; so an answer is right at the index that it names, or it is wrong.
 */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ReplicaStateThreadsTest {
  private static final PartitionIdentity IDENTITY = new PartitionIdentity("c".repeat(40), 3, 1);
  private static final int ENTRIES = Integer.getInteger("cairn.partition.entries", 2_000);
  private static final int KEYS = 6;
  private static final int LARGE_BYTES = 200_000;
  private static final int INSTALL_EVERY = 400;
  private static final int CLOSES = 20;
  private static final int COLD_KEYS = 4_000;

  /** Little memory: what was flushed is mostly on the disk only. */
  private static final EngineConfig CONFIG = new EngineConfig(1 << 20, 1 << 20, 0, 2);

  @TempDir Path temp;

  private final KeyMetrics metrics = KeyMetrics.of(new Metrics());
  private final StorageEngine engine = StorageEngine.open(CONFIG, damage -> {}, new Metrics());
  private final List<Entry> log = new ArrayList<>();

  /** For each index: which entry wrote each key last; 0 where it is not there. */
  private final List<long[]> written = new ArrayList<>();

  private final ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();
  private final Map<String, AtomicLong> seen = new ConcurrentHashMap<>();
  private final List<Thread> threads = new ArrayList<>();
  private volatile boolean closing; // from now on the state may refuse
  private volatile boolean ends;

  @AfterEach
  void close() {
    engine.close();
  }

  private ReplicaState open(String name, WriteMemory memory) {
    PartitionFolder folder = PartitionFolder.open(engine, temp.resolve(name), IDENTITY);
    return new ReplicaState(folder, RequestIds.Bounds.DEFAULT, metrics, memory);
  }

  // ---- The log ----

  /** Keys 0 to 3 are written together; 4 is large; 5 comes and goes. */
  private void writeLog(int entries) {
    SplittableRandom random = new SplittableRandom(7);
    long[] last = new long[KEYS];
    written.add(last.clone());
    for (long index = 1; index <= entries; index++) {
      List<Operation> operations = new ArrayList<>();
      int dice = random.nextInt(100);
      if (dice < 3) {
        operations.add(new Operation.Clear());
        Arrays.fill(last, 0);
      }
      if (dice < 60) {
        for (int key = 0; key < 4; key++) {
          operations.add(new Operation.Put(key(key), value(index, 16)));
          last[key] = index;
        }
      } else if (dice < 64) {
        operations.add(new Operation.Put(key(4), value(index, LARGE_BYTES)));
        last[4] = index;
      } else if (dice < 80) {
        operations.add(expiring(index));
        last[5] = index;
      } else if (dice < 90) {
        operations.add(new Operation.Delete(key(5)));
        last[5] = 0;
      } else {
        operations.add(new Operation.Sweep(3)); // of what the entry below expires at once
      }
      log.add(entry(index, operations));
      written.add(last.clone());
    }
  }

  /** Far away: the index of what expires is in use, and nothing does. */
  private static Operation expiring(long index) {
    return new Operation.Put(
        key(5),
        value(index, 10),
        new Expiry(Expiry.Kind.AFTER, 1_000_000),
        Condition.ALWAYS,
        false);
  }

  private static byte[] key(int number) {
    return ("key" + number).getBytes(UTF_8);
  }

  private static byte[] value(long index, int bytes) {
    return ByteBuffer.allocate(bytes).putLong(index).array();
  }

  /** Which entry wrote what was answered. */
  private static long writer(Result result) {
    return result instanceof Result.Bytes bytes ? ByteBuffer.wrap(bytes.value()).getLong() : 0;
  }

  private static List<Query> all() {
    List<Query> queries = new ArrayList<>();
    for (int key = 0; key < KEYS; key++) {
      queries.add(new Query.Get(key(key)));
    }
    queries.add(new Query.Count());
    return queries;
  }

  // ---- Threads ----

  private interface Work {
    void run() throws Exception;
  }

  /** Works again and again until the end, or until the state is closed. */
  private void begin(String name, Work work) {
    Thread thread =
        new Thread(
            () -> {
              try {
                while (!ends) {
                  work.run();
                  seen.computeIfAbsent(name, none -> new AtomicLong()).incrementAndGet();
                }
              } catch (IllegalStateException | StorageException e) {
                if (!closing) {
                  failures.add(e);
                }
              } catch (Exception | AssertionError e) {
                failures.add(e);
              }
            },
            name);
    thread.start();
    threads.add(thread);
  }

  /** Closes it while all of them work on. */
  private void close(ReplicaState state) throws InterruptedException {
    closing = true;
    Thread thread = new Thread(state::close, "close");
    thread.start();
    thread.join(TimeUnit.SECONDS.toMillis(30));
    String alive = "";
    for (Thread each : threads) {
      alive += "\n" + each + " is at " + where(each);
    }
    assertThat(thread.isAlive()).as("it waits at %s%s", where(thread), alive).isFalse();
    ends = true;
    join();
  }

  private void join() throws InterruptedException {
    for (Thread thread : threads) {
      thread.join(TimeUnit.SECONDS.toMillis(30));
      assertThat(thread.isAlive()).as("%s hangs at %s", thread, where(thread)).isFalse();
    }
    threads.clear();
    for (Throwable failure : failures) {
      throw new AssertionError("a thread has failed", failure);
    }
  }

  private static String where(Thread thread) {
    return Arrays.toString(thread.getStackTrace());
  }

  // ---- What is asked ----

  private void exactly(BatchReply reply) {
    BatchReply.Done done = (BatchReply.Done) reply;
    long[] expected = written.get((int) done.index());
    for (List<Result> results : done.results()) {
      long[] found = results.subList(0, KEYS).stream().mapToLong(each -> writer(each)).toArray();
      assertThat(found).as("at index %d", done.index()).isEqualTo(expected);
      long count = Arrays.stream(expected).filter(each -> each > 0).count();
      assertThat(results.get(KEYS)).isEqualTo(new Result.Int(count));
    }
  }

  private void askSeveral(ReplicaState state) {
    long before = state.applied().index();
    BatchReply reply = state.answer(List.of(all(), all()), 0, 0, metrics).orElseThrow();
    exactly(reply);
    assertThat(((BatchReply.Done) reply).index()).isGreaterThanOrEqualTo(before);
  }

  private void askMemory(ReplicaState state) {
    long before = state.applied().index();
    Optional<BatchReply> reply = state.answerFromMemory(List.of(all()), 0, metrics);
    if (reply.isPresent()) {
      exactly(reply.get());
      assertThat(((BatchReply.Done) reply.get()).index()).isGreaterThanOrEqualTo(before);
      seen.computeIfAbsent("answers from memory", none -> new AtomicLong()).incrementAndGet();
    }
  }

  /** One key at a time: as of some moment between the question and the index that is told. */
  private final class Singles {
    private final long[] latest = new long[KEYS];

    void ask(ReplicaState state) {
      long before = state.applied().index();
      List<List<Query>> requests = new ArrayList<>();
      for (int key = 0; key < KEYS; key++) {
        requests.add(List.of(new Query.Get(key(key))));
      }
      BatchReply.Done done = (BatchReply.Done) state.answer(requests, 0, 0, metrics).orElseThrow();
      assertThat(done.index()).isGreaterThanOrEqualTo(before);
      for (int key = 0; key < KEYS; key++) {
        long found = writer(done.results().get(key).get(0));
        boolean was = false;
        for (long index = before; index <= done.index() && !was; index++) {
          was = written.get((int) index)[key] == found;
        }
        assertThat(was)
            .as("key %d of entry %d, between %d and %d", key, found, before, done.index())
            .isTrue();
        if (found > 0) {
          assertThat(found).as("never back").isGreaterThanOrEqualTo(latest[key]);
          latest[key] = found;
        }
      }
    }
  }

  private void askRange(ReplicaState state) {
    BatchReply.Done done =
        (BatchReply.Done)
            state
                .answer(
                    List.of(
                        List.of(
                            new Query.Range(KeyRange.ALL, 100, 1 << 20, true), new Query.Count())),
                    0,
                    0,
                    metrics)
                .orElseThrow();
    Map<String, Long> found = new TreeMap<>();
    List<Result> page = ((Result.Many) done.results().get(0).get(0)).results();
    for (Result each : page.subList(1, page.size())) {
      List<Result> row = ((Result.Many) each).results();
      String key = new String(((Result.Bytes) row.get(0)).value(), UTF_8);
      found.put(key, writer(row.get(3)));
    }
    Map<String, Long> expected = new TreeMap<>();
    long[] at = written.get((int) done.index());
    for (int key = 0; key < KEYS; key++) {
      if (at[key] > 0) {
        expected.put("key" + key, at[key]);
      }
    }
    assertThat(found).as("at index %d", done.index()).isEqualTo(expected);
  }

  // ---- The tests ----

  @Test
  void everyAnswerIsTrueAtItsIndex() throws Exception {
    writeLog(ENTRIES);
    WriteMemory memory = new WriteMemory(4 << 20, Runnable::run);
    ReplicaState ahead = open("ahead", memory);
    ReplicaState state = open("state", memory);
    begin("loop", () -> askMemory(state));
    begin("several keys", () -> askSeveral(state));
    Singles singles = new Singles();
    begin("single keys", () -> singles.ask(state));
    begin("range", () -> askRange(state));
    begin("flush", state::flush);
    begin(
        "expiry",
        () -> {
          state.mayExpire(1);
          assertThat(state.anyExpires(1)).isFalse();
          assertThat(state.durableIndex()).isLessThanOrEqualTo(state.applied().index());
        });
    int installs = 0;
    while (state.applied().index() < ENTRIES && failures.isEmpty()) {
      long index = state.applied().index() + 1;
      if (index % INSTALL_EVERY == 0 && index + 20 < ENTRIES) {
        install(ahead, state, index + 20);
        installs++;
      } else {
        assertThat(state.apply(log.get((int) index - 1))).hasSize(1);
      }
    }
    close(state);
    ahead.close();
    System.out.println(installs + " installs, " + seen);
    assertThat(installs).isPositive();
    assertThat(seen)
        .containsKeys("loop", "several keys", "single keys", "range", "flush", "expiry");
    assertThat(memory.heldBytes()).isZero();
    ReplicaState again = open("state", memory);
    assertThat(again.applied().index()).isEqualTo(ENTRIES);
    askSeveral(again);
    again.close();
  }

  /** Brings a replica to an index by a copy of another one that is there. */
  private void install(ReplicaState from, ReplicaState to, long index) throws IOException {
    while (from.applied().index() < index) {
      from.apply(log.get((int) from.applied().index()));
    }
    Path checkpoint = from.checkpoint();
    Path incoming = to.folder().newIncoming();
    FolderCopies.copyFiles(checkpoint, incoming);
    from.folder().deleteCheckpoint(checkpoint);
    Applied least = new Applied(index, 1, 0, 0, 0, 0, new byte[0]);
    to.install(new PartitionFolder.Received(incoming, new byte[] {1}, least));
    assertThat(to.applied().index()).isEqualTo(index);
    assertThat(to.durableIndex()).isEqualTo(index);
  }

  /** An entry of many cold keys is fetched most of the time, and what is fetched is in use. */
  @Test
  void aCloseWaitsForNobodyWhoWaitsForIt() throws Exception {
    WriteMemory memory = new WriteMemory(64 << 20, Runnable::run);
    ReplicaState first = open("state", memory);
    SplittableRandom random = new SplittableRandom(3);
    first.apply(entry(1, puts(random)));
    first.close();
    for (int i = 0; i < CLOSES; i++) {
      closing = false;
      ends = false;
      ReplicaState state = open("state", memory);
      begin("cold", () -> state.apply(entry(state.applied().index() + 1, gets(random))));
      begin("several keys", () -> state.answer(List.of(all()), 0, 0, metrics));
      Thread.sleep(30);
      close(state);
      assertThat(memory.heldBytes()).isZero();
    }
  }

  private static List<Operation> puts(SplittableRandom random) {
    List<Operation> puts = new ArrayList<>();
    for (int key = 0; key < COLD_KEYS; key++) {
      byte[] value = new byte[2_000];
      random.nextBytes(value);
      puts.add(new Operation.Put(key(key), value));
    }
    return puts;
  }

  private static List<Operation> gets(SplittableRandom random) {
    List<Operation> gets = new ArrayList<>();
    for (int i = 0; i < COLD_KEYS / 10; i++) {
      gets.add(new Operation.Read(new Query.Get(key(random.nextInt(COLD_KEYS)))));
    }
    return gets;
  }

  private static Entry entry(long index, List<Operation> operations) {
    Request request = new Request(Optional.empty(), operations);
    byte[] data = EntryCodec.encode(new EntryCodec.Entry(index, List.of(request)));
    return new Entry(index, 1, data, Optional.empty());
  }

  /** Whatever is under way. */
  @Test
  void aCloseWaitsForNobodyForever() throws Exception {
    writeLog(ENTRIES);
    WriteMemory memory = new WriteMemory(4 << 20, Runnable::run);
    for (int i = 0; i < CLOSES; i++) {
      closing = false;
      ends = false;
      ReplicaState state = open("state", memory);
      begin(
          "apply",
          () -> {
            long index = state.applied().index();
            if (index < ENTRIES) {
              state.apply(log.get((int) index));
            }
          });
      Singles singles = new Singles();
      begin("single keys", () -> singles.ask(state));
      begin("several keys", () -> askSeveral(state));
      begin("flush", state::flush);
      Thread.sleep(30);
      close(state);
      assertThat(memory.heldBytes()).isZero();
    }
  }
}
