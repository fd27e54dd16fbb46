// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.resp;

import dev.cairn.protocol.Consistency;
import dev.cairn.protocol.ErrorCode;
import dev.cairn.protocol.Topology;
import dev.cairn.server.cluster.NodeReport;
import dev.cairn.server.operation.Operation;
import dev.cairn.server.operation.Query;
import dev.cairn.server.operation.Reply;
import dev.cairn.server.operation.Request;
import dev.cairn.server.operation.Result;
import dev.cairn.server.operation.StateKeyspace;
import dev.cairn.server.routing.NodeDocuments;
import dev.cairn.server.routing.ReplyMemory;
import dev.cairn.server.routing.Router;
import dev.cairn.server.routing.ScanCursors;
import dev.cairn.server.routing.ScanPosition;
import dev.cairn.state.Flush;
import dev.cairn.state.RequestIds;
import dev.cairn.state.State;
import dev.cairn.state.TwinDatabase;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * A cluster in memory: three nodes, partitions spread over them in turn, each with two replicas. It
 * carries out a partition's requests in their order; who runs them, and what fails, is up to the
 * test.
 */
public final class FakeRouter implements Router {
  /** The node that is asked. */
  public static final String NODE_0 = "a".repeat(40);

  public static final String NODE_1 = "b".repeat(40);
  public static final String NODE_2 = "c".repeat(40);

  private static final List<String> NODES = List.of(NODE_0, NODE_1, NODE_2);

  /** Failures by partition: what the next request there answers instead of being carried out. */
  public final Map<Integer, Reply.Failed> failures = new ConcurrentHashMap<>();

  /** Requests not started until {@link #release} are held here, when {@link #holding}. */
  public final ConcurrentLinkedQueue<Runnable> held = new ConcurrentLinkedQueue<>();

  /** Requests handed over so far. */
  public final AtomicInteger requests = new AtomicInteger();

  /** Partition time, of all partitions. */
  public volatile long timeMillis = 1_767_323_045_678L;

  /** Names of nodes that level ALL misses. */
  public volatile List<String> missing = List.of();

  /** How old reads of level ONE are. */
  public volatile long ageMillis;

  /** What nodes tell of themselves. */
  public volatile Map<String, byte[]> documents = Map.of();

  /** The cluster's state. */
  public volatile String status = "{\"healthy\":true}";

  /** Whether requests are held. */
  public volatile boolean holding;

  /** What is told of it. */
  public volatile Topology topology;

  /** What clients have not read. */
  public final ReplyMemory replies = new ReplyMemory(1 << 20);

  private final Random random = new Random(1);
  private volatile ScanCursors cursors = new ScanCursors(random::nextLong);
  private final List<Data> data = new ArrayList<>();
  private final AtomicLong index = new AtomicLong();
  private final Executor writes;
  private final Executor reads;

  /** A cluster of so many partitions, whose requests the executor runs. */
  public FakeRouter(int partitions, Executor executor) {
    this(partitions, executor, executor);
  }

  /** As above, with writes and reads that are run by different executors, each in its time. */
  FakeRouter(int partitions, Executor writes, Executor reads) {
    this.writes = writes;
    this.reads = reads;
    List<Topology.Partition> all = new ArrayList<>();
    for (int i = 0; i < partitions; i++) {
      data.add(new Data());
      all.add(
          new Topology.Partition(
              i,
              i * 16_384 / partitions,
              (i + 1) * 16_384 / partitions - 1,
              List.of(NODES.get(i % 3), NODES.get((i + 1) % 3)),
              Optional.of(NODES.get((i + 2) % 3)),
              Optional.of(NODES.get(i % 3))));
    }
    topology =
        new Topology(
            "d".repeat(40),
            1,
            List.of(
                new Topology.Node(NODE_0, "127.0.0.1", 5000, 25_000, true),
                new Topology.Node(NODE_1, "127.0.0.1", 5001, 25_001, true),
                new Topology.Node(NODE_2, "127.0.0.1", 5002, 25_002, true)),
            all);
  }

  /** Carries out what is held, and holds no more. */
  public void release() {
    holding = false;
    for (Runnable next = held.poll(); next != null; next = held.poll()) {
      next.run();
    }
  }

  @Override
  public OptionalInt partitionOfSlot(int slot) {
    return topology.indexOfSlot(slot);
  }

  @Override
  public Topology topology() {
    return topology;
  }

  @Override
  public ReplyMemory replies() {
    return replies;
  }

  @Override
  public String nodeId() {
    return NODE_0;
  }

  @Override
  public boolean leads(int partition) {
    return topology.partitions().get(partition).leaderId().filter(NODE_0::equals).isPresent();
  }

  @Override
  public void write(int partition, Request request, Consistency level, Consumer<Reply> done) {
    if (level == Consistency.ALL && !missing.isEmpty()) {
      done.accept(Router.noReplicas(partition, missing));
      return;
    }
    Data keys = data.get(partition);
    submit(
        writes,
        partition,
        done,
        () -> {
          List<Result> results;
          synchronized (keys) {
            results = keys.write(timeMillis, request.operations());
          }
          return new Reply.Done(results, leader(partition), index.incrementAndGet(), 1);
        });
  }

  @Override
  public void read(int partition, List<Query> queries, Consistency level, Consumer<Reply> done) {
    if (level == Consistency.ALL && !missing.isEmpty()) {
      done.accept(Router.noReplicas(partition, missing));
      return;
    }
    Data keys = data.get(partition);
    submit(
        reads,
        partition,
        done,
        () -> {
          List<Result> results;
          synchronized (keys) {
            results = keys.read(timeMillis, queries);
          }
          return level == Consistency.ONE
              ? new Reply.Done(results, NODE_0, 1, 0, ageMillis)
              : new Reply.Done(results, leader(partition), 1, 0);
        });
  }

  @Override
  public boolean servesOwn(int partition) {
    return topology.partitions().get(partition).replicaIds().contains(NODE_0);
  }

  @Override
  public OptionalLong clusterTimeMillis() {
    return OptionalLong.of(1_700_000_000_000L);
  }

  @Override
  public List<String> missingReplicas(int partition) {
    return missing;
  }

  @Override
  public void awaitReplicas(
      int partition, Reply.Done write, long timeoutMillis, Consumer<List<ReplicaState>> done) {
    List<ReplicaState> states = new ArrayList<>();
    for (String node : topology.partitions().get(partition).replicaIds()) {
      states.add(new ReplicaState(node, !node.equals(NODE_2)));
    }
    done.accept(states);
  }

  /** As a restart does. */
  void forgetCursors() {
    cursors = new ScanCursors(random::nextLong);
  }

  @Override
  public long cursor(long before, ScanPosition position) {
    return cursors.cursor(before, data.size(), 0, position);
  }

  @Override
  public void position(long cursor, Consumer<ScanPosition> done) {
    done.accept(cursors.find(cursor, data.size()).orElse(ScanCursors.start(cursor, data.size())));
  }

  @Override
  public void ask(NodeDocuments.Topic topic, Consumer<Map<String, byte[]>> done) {
    done.accept(documents);
  }

  @Override
  public Map<String, NodeReport.Figures> figures() {
    return Map.of();
  }

  @Override
  public void status(Consumer<String> done) {
    done.accept(status);
  }

  /** A partition's keys; whatever is done to them is an entry. Guarded by itself. */
  private static final class Data {
    private static final long UNFLUSHED_BYTES_MAX = 4 << 20;

    private final State state =
        State.open(new TwinDatabase(), 1, new RequestIds.Bounds(1_000, 10, 1 << 10, 1 << 10));
    private final StateKeyspace keyspace = new StateKeyspace(state);

    List<Result> write(long timeMillis, List<Operation> operations) {
      List<Result> results = new ArrayList<>();
      state.begin(state.applied().index() + 1, 1, timeMillis);
      operations.forEach(operation -> results.add(operation.apply(keyspace)));
      state.end();
      if (state.unflushedBytes() > UNFLUSHED_BYTES_MAX) {
        Flush flush = state.beginFlush().orElseThrow();
        while (flush.step()) {}
        flush.end();
      }
      return results;
    }

    List<Result> read(long timeMillis, List<Query> queries) {
      write(timeMillis, List.of());
      return queries.stream().map(query -> query.answer(keyspace)).toList();
    }
  }

  private void submit(
      Executor executor, int partition, Consumer<Reply> done, Supplier<Reply> work) {
    requests.incrementAndGet();
    Runnable run =
        () -> {
          Reply.Failed failure = failures.get(partition);
          boolean refused =
              failure != null && failure.code().outcome() == ErrorCode.Outcome.REFUSED;
          Reply reply = refused ? failure : work.get();
          done.accept(failure == null ? reply : failure);
        };
    if (holding) {
      held.add(run);
    } else {
      executor.execute(run);
    }
  }

  private String leader(int partition) {
    return topology.partitions().get(partition).leaderId().orElse("");
  }
}
