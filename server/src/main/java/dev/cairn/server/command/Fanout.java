// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.protocol.Consistency;
import dev.cairn.protocol.ErrorCode;
import dev.cairn.protocol.ReplicaAttribute;
import dev.cairn.protocol.RespValue;
import dev.cairn.protocol.Slots;
import dev.cairn.protocol.Topology;
import dev.cairn.server.operation.Operation;
import dev.cairn.server.operation.Query;
import dev.cairn.server.operation.Reply;
import dev.cairn.server.operation.Request;
import dev.cairn.server.operation.Result;
import dev.cairn.server.routing.Router;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * One command over the partitions that hold its keys: a request to each, all at once, and the
 * answers joined in the order of the keys.
 *
 * <p>Inside one partition a command is atomic; over several it is not. If some parts of a write
 * were applied and others were not, or one is unknown, the whole is {@link ErrorCode#UNKNOWN}: an
 * error that claims that nothing happened would be a lie. If every part was refused, nothing
 * happened, and the first refusal is the answer.
 *
 * <p>Single-key commands are the common case and take a path of their own, without a join.
 */
final class Fanout {
  /**
   * How long a reply waits for replicas that are behind, for connections that asked to see them.
   */
  static final long REPLICAS_WAIT_MILLIS = 200;

  private Fanout() {}

  /** Carries out a plan, and replies. */
  static void run(Call call, Plan plan) {
    if (plan instanceof Plan.Answer answer) {
      call.reply(answer.value());
    } else if (plan instanceof Plan.Reads reads) {
      read(call, reads.queries(), reads.join());
    } else if (plan instanceof Plan.Writes writes) {
      write(call, writes.operations(), writes.join());
    } else if (plan instanceof Plan.Own own) {
      own.handler().run(call);
    }
  }

  private static void read(Call call, List<Query> queries, Function<List<Result>, RespValue> join) {
    Router router = call.router();
    boolean attribute = call.client().replicas();
    boolean tellsAge = attribute || (call.options().asked() && call.client().version() == 3);
    Consistency level = call.readLevel();
    int[] of = partitions(router, queries, Query::keys);
    if (allSame(of)) {
      router.read(
          of[0],
          queries,
          level,
          reply -> {
            RespValue value = single(reply, join);
            if (reply instanceof Reply.Done done
                && (attribute || (tellsAge && done.ageMillis() > 0))) {
              value = served(router, done, List.of()).before(value);
            }
            call.reply(value);
          });
      return;
    }
    AtomicLong bytes = new AtomicLong();
    scatter(
        of,
        queries,
        (partition, part, done) ->
            router.read(
                partition,
                part,
                level,
                reply -> done.accept(orTooLarge(reply, bytes, queries.size()))),
        (replies, results) -> {
          RespValue value = results == null ? firstFailure(replies) : join.apply(results);
          Optional<Reply.Done> oldest = results == null ? Optional.empty() : oldest(replies);
          boolean told = tellsAge && oldest.isPresent() && oldest.get().ageMillis() > 0;
          call.reply(told ? served(router, oldest.get(), List.of()).before(value) : value);
        });
  }

  /**
   * A part's reply to a read, or a refusal once all that came so far is more than may be gathered:
   * what comes from then on is let go at once.
   *
   * @param bytes of all parts so far
   * @param queries of all parts
   */
  private static Reply orTooLarge(Reply reply, AtomicLong bytes, int queries) {
    return reply instanceof Reply.Done done
            && Query.tooLarge(bytes.addAndGet(Result.bytes(done.results())), queries)
        ? Reply.tooLarge()
        : reply;
  }

  private static Optional<Reply.Done> oldest(List<Reply> replies) {
    return replies.stream()
        .map(Reply.Done.class::cast)
        .max(Comparator.comparingLong(Reply.Done::ageMillis));
  }

  private static void write(
      Call call, List<Operation> operations, Function<List<Result>, RespValue> join) {
    Router router = call.router();
    boolean attribute = call.client().replicas();
    Consistency level = call.writeLevel();
    int[] of = partitions(router, operations, Operation::keys);
    if (allSame(of)) {
      router.write(
          of[0],
          new Request(call.options().id(), operations),
          level,
          reply -> {
            RespValue value = single(reply, join);
            if (reply instanceof Reply.Done done) {
              call.client().wrote(of[0], done);
              if (attribute) {
                boolean oneKey = operations.size() == 1 && operations.get(0).keys().size() == 1;
                attributed(call, of[0], done, oneKey, value);
                return;
              }
            }
            call.reply(value);
          });
      return;
    }
    Optional<Reply.Failed> missing = missing(router, of, level);
    if (missing.isPresent()) {
      call.reply(error(missing.get()));
      return;
    }
    // One request to each partition, so that each recognises its own part by the one id.
    scatter(
        of,
        operations,
        (partition, part, done) ->
            router.write(partition, new Request(call.options().id(), part), level, done),
        (replies, results) -> call.reply(results == null ? partly(replies) : join.apply(results)));
  }

  /** The one partition of keys, at least one; a refusal where they lie in several. */
  static int onePartition(Router router, List<byte[]> keys) {
    return partitions(router, List.of(keys), Function.identity())[0];
  }

  /** The partition of each item, in order. One whose keys lie in several is refused. */
  private static <T> int[] partitions(
      Router router, List<T> items, Function<T, List<byte[]>> keys) {
    int[] partitions = new int[items.size()];
    for (int i = 0; i < partitions.length; i++) {
      List<byte[]> ofItem = keys.apply(items.get(i));
      for (int k = 0; k < ofItem.size(); k++) {
        int partition =
            router.partitionOfSlot(Slots.of(ofItem.get(k))).orElseThrow(Refusal::notPlaced);
        if (k > 0 && partition != partitions[i]) {
          throw Refusal.crosses();
        }
        partitions[i] = partition;
      }
    }
    return partitions;
  }

  /** Level ALL over several partitions is refused before the first part is sent. */
  private static Optional<Reply.Failed> missing(Router router, int[] of, Consistency level) {
    if (level != Consistency.ALL) {
      return Optional.empty();
    }
    return Arrays.stream(of)
        .distinct()
        .filter(partition -> !router.missingReplicas(partition).isEmpty())
        .mapToObj(partition -> Router.noReplicas(partition, router.missingReplicas(partition)))
        .findFirst();
  }

  /** Deletes all keys of partitions. */
  static void clear(Call call, List<Integer> partitions) {
    if (partitions.isEmpty()) {
      call.ok();
      return;
    }
    Router router = call.router();
    Consistency level = call.writeLevel();
    int[] of = partitions.stream().mapToInt(Integer::intValue).toArray();
    Optional<Reply.Failed> missing = missing(router, of, level);
    if (missing.isPresent()) {
      call.reply(error(missing.get()));
      return;
    }
    List<Operation> operations = new ArrayList<>();
    partitions.forEach(partition -> operations.add(new Operation.Clear()));
    scatter(
        of,
        operations,
        (partition, part, done) ->
            router.write(partition, new Request(call.options().id(), part), level, done),
        (replies, results) -> call.reply(results == null ? partly(replies) : RespValue.OK));
  }

  /** Counts the keys of partitions. */
  static void count(
      Router router, List<Integer> partitions, Consistency level, Consumer<RespValue> done) {
    if (partitions.isEmpty()) {
      done.accept(new RespValue.Int(0));
      return;
    }
    List<Query> queries = new ArrayList<>();
    for (int i = 0; i < partitions.size(); i++) {
      queries.add(new Query.Count());
    }
    scatter(
        partitions.stream().mapToInt(Integer::intValue).toArray(),
        queries,
        (partition, part, partDone) -> router.read(partition, part, level, partDone),
        (replies, results) ->
            done.accept(results == null ? firstFailure(replies) : Plan.sum(results)));
  }

  /** Waits for the replicas, unless the write was one of several keys, and says who served. */
  private static void attributed(
      Call call, int partition, Reply.Done done, boolean oneKey, RespValue value) {
    Router router = call.router();
    if (!oneKey) {
      call.reply(served(router, done, List.of()).before(value));
      return;
    }
    router.awaitReplicas(
        partition,
        done,
        REPLICAS_WAIT_MILLIS,
        states -> call.reply(served(router, done, states).before(value)));
  }

  private static ReplicaAttribute served(
      Router router, Reply.Done done, List<Router.ReplicaState> states) {
    Topology topology = router.topology();
    List<ReplicaAttribute.Replica> replicas = new ArrayList<>(states.size());
    for (Router.ReplicaState state : states) {
      replicas.add(new ReplicaAttribute.Replica(nameOf(topology, state.nodeId()), state.durable()));
    }
    return new ReplicaAttribute(nameOf(topology, done.nodeId()), replicas, done.ageMillis());
  }

  private static String nameOf(Topology topology, String nodeId) {
    return topology.node(nodeId).map(Topology.Node::name).orElse(nodeId);
  }

  private static RespValue single(Reply reply, Function<List<Result>, RespValue> join) {
    return reply instanceof Reply.Done done
        ? join.apply(done.results())
        : error((Reply.Failed) reply);
  }

  static RespValue error(Reply.Failed failed) {
    return RespValue.error(failed.code(), failed.message());
  }

  private interface Sender<T> {
    void send(int partition, List<T> items, Consumer<Reply> done);
  }

  /**
   * Sends each partition its items, in their order, and calls {@code joined} when all have
   * answered: with all replies, and the results in the order of the items, or null if one failed.
   */
  private static <T> void scatter(
      int[] partitions,
      List<T> items,
      Sender<T> part,
      BiConsumer<List<Reply>, List<Result>> joined) {
    Map<Integer, List<Integer>> indexes = new LinkedHashMap<>();
    for (int i = 0; i < partitions.length; i++) {
      indexes.computeIfAbsent(partitions[i], partition -> new ArrayList<>()).add(i);
    }
    List<List<Integer>> parts = List.copyOf(indexes.values());
    AtomicReferenceArray<Reply> replies = new AtomicReferenceArray<>(parts.size());
    AtomicInteger waiting = new AtomicInteger(parts.size());
    for (int p = 0; p < parts.size(); p++) {
      int place = p;
      List<T> of = parts.get(p).stream().map(items::get).toList();
      part.send(
          partitions[parts.get(p).get(0)],
          of,
          reply -> {
            replies.set(place, reply);
            if (waiting.decrementAndGet() == 0) {
              join(parts, replies, items.size(), joined);
            }
          });
    }
  }

  private static void join(
      List<List<Integer>> parts,
      AtomicReferenceArray<Reply> replies,
      int count,
      BiConsumer<List<Reply>, List<Result>> joined) {
    List<Reply> all = new ArrayList<>(parts.size());
    Result[] results = new Result[count];
    boolean failed = false;
    for (int p = 0; p < parts.size(); p++) {
      all.add(replies.get(p));
      if (replies.get(p) instanceof Reply.Done done) {
        List<Integer> indexes = parts.get(p);
        for (int i = 0; i < indexes.size(); i++) {
          results[indexes.get(i)] = done.results().get(i);
        }
      } else {
        failed = true;
      }
    }
    joined.accept(all, failed ? null : Arrays.asList(results));
  }

  private static RespValue firstFailure(List<Reply> replies) {
    return error(failures(replies).get(0));
  }

  private static List<Reply.Failed> failures(List<Reply> replies) {
    return replies.stream()
        .filter(Reply.Failed.class::isInstance)
        .map(Reply.Failed.class::cast)
        .toList();
  }

  /** What a write answers of which at least one part failed. */
  private static RespValue partly(List<Reply> replies) {
    List<Reply.Failed> failures = failures(replies);
    int applied = replies.size() - failures.size();
    int unknown = 0;
    Reply.Failed worst = failures.get(0);
    for (Reply.Failed failure : failures) {
      switch (failure.code().outcome()) {
        case APPLIED -> applied++;
        case UNKNOWN -> {
          unknown++;
          worst = failure;
        }
        case REFUSED -> {
          if (worst.code().outcome() == ErrorCode.Outcome.APPLIED) {
            worst = failure;
          }
        }
      }
    }
    if ((applied == 0 && unknown == 0) || applied == replies.size()) {
      return error(worst);
    }
    return RespValue.error(
        ErrorCode.UNKNOWN,
        "possibly partly applied: of %d partitions %d applied it, %d refused it, of %d it is not known (%s %s); read the keys before writing again"
            .formatted(
                replies.size(),
                applied,
                replies.size() - applied - unknown,
                unknown,
                worst.code(),
                worst.message()));
  }

  private static boolean allSame(int[] partitions) {
    for (int partition : partitions) {
      if (partition != partitions[0]) {
        return false;
      }
    }
    return true;
  }
}
