// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.cairn.protocol.Consistency;
import dev.cairn.server.access.User;
import dev.cairn.server.command.ClientState;
import dev.cairn.server.operation.KeyOperation;
import dev.cairn.server.operation.Operation;
import dev.cairn.server.operation.Query;
import dev.cairn.server.operation.Reply;
import dev.cairn.server.operation.Request;
import dev.cairn.server.operation.Result;
import dev.cairn.server.routing.Router;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Several operations in one request: {@code POST /v1/batch}. Those whose keys lie in one partition
 * are one {@link KeyOperation.Transaction}: all of them or none, at one place of the log, and none
 * where a version that one of them expects is not there. Those of several partitions are several
 * such parts, and the answer says what became of each.
 */
final class BatchResource implements Route.Resource {
  private final Router router;
  private final ClientState.Defaults levels;
  private final BatchReader reader;

  BatchResource(Router router, ClientState.Defaults levels, int valueBytesMax) {
    this.router = router;
    this.levels = levels;
    this.reader = new BatchReader(valueBytesMax);
  }

  /** The longest body: one of the longest values in base64, and what stands around it. */
  static int bodyBytesMax(int valueBytesMax) {
    return (int) Math.min(Integer.MAX_VALUE - 8L, valueBytesMax * 4L / 3 + (1L << 20));
  }

  /** The operations of one partition, and what became of them. */
  private static final class PartitionShare {
    private final int partition;
    private final List<Integer> places = new ArrayList<>(); // among the batch's operations
    private final List<BatchReader.Step> steps = new ArrayList<>();
    private volatile Reply reply;

    PartitionShare(int partition) {
      this.partition = partition;
    }

    private boolean onlyReads() {
      return steps.stream().allMatch(step -> step.isRead() && step.ifVersion().isEmpty());
    }

    private List<Query> queries() {
      return steps.stream().map(BatchReader.Step::query).toList();
    }

    private Operation transaction() {
      List<KeyOperation.Seen> seen = new ArrayList<>();
      List<Operation> operations = new ArrayList<>();
      for (BatchReader.Step step : steps) {
        step.ifVersion().ifPresent(v -> seen.add(new KeyOperation.Seen(step.key(), v)));
        operations.add(step.operation());
      }
      return new KeyOperation.Transaction(seen, operations);
    }

    /** One result for each step; empty where nothing was done. */
    private Optional<List<Result>> results() {
      if (!(reply instanceof Reply.Done done)) {
        return Optional.empty();
      }
      if (onlyReads()) {
        return Optional.of(done.results());
      }
      return done.results().get(0) instanceof Result.Many many
          ? Optional.of(many.results())
          : Optional.empty();
    }

    private String outcome() {
      if (reply instanceof Reply.Failed failed) {
        return switch (failed.code().outcome()) {
          case REFUSED -> "refused";
          case UNKNOWN -> "unknown";
          case APPLIED -> "applied";
        };
      }
      return results().isPresent() ? "applied" : "precondition-failed";
    }
  }

  @Override
  public void answer(HttpCall call) {
    call.target().allowOnly(Set.of("consistency"));
    Consistency level = KeyResource.writeLevel(call, levels);
    List<BatchReader.Step> steps = reader.read(call.body());
    steps.forEach(
        step ->
            call.require(
                step.command(), step.key(), step.isRead() ? User.KeyUse.READ : User.KeyUse.WRITE));
    Map<Integer, PartitionShare> parts = new TreeMap<>();
    for (int i = 0; i < steps.size(); i++) {
      int partition = KeyResource.partition(router, steps.get(i).key());
      PartitionShare part = parts.computeIfAbsent(partition, PartitionShare::new);
      part.places.add(i);
      part.steps.add(steps.get(i));
    }
    List<PartitionShare> all = List.copyOf(parts.values());
    AtomicInteger missing = new AtomicInteger(all.size());
    for (PartitionShare part : all) {
      send(
          part,
          level,
          () -> {
            if (missing.decrementAndGet() == 0) {
              call.answer(document(steps.size(), all));
            }
          });
    }
  }

  private void send(PartitionShare part, Consistency level, Runnable done) {
    if (part.onlyReads()) {
      router.read(
          part.partition,
          part.queries(),
          level,
          reply -> {
            part.reply = reply;
            done.run();
          });
    } else {
      router.write(
          part.partition,
          new Request(Optional.empty(), List.of(part.transaction())),
          level,
          reply -> {
            part.reply = reply;
            done.run();
          });
    }
  }

  /** 200 where all was applied, else 207: then the parts say which was and which was not. */
  private static HttpAnswer document(int count, List<PartitionShare> parts) {
    ObjectNode document = HttpAnswer.object();
    ObjectNode[] results = new ObjectNode[count];
    boolean applied = true;
    ArrayNode list = document.putArray("parts");
    for (PartitionShare part : parts) {
      ObjectNode row = list.addObject().put("partition", part.partition);
      ArrayNode places = row.putArray("operations");
      part.places.forEach(places::add);
      row.put("outcome", part.outcome());
      applied &= part.outcome().equals("applied");
      if (part.reply instanceof Reply.Failed failed) {
        row.put("code", failed.code().name()).put("detail", failed.message());
      }
      Optional<List<Result>> of = part.results();
      for (int i = 0; i < part.places.size(); i++) {
        ObjectNode result = HttpAnswer.object();
        if (of.isPresent()) {
          part.steps.get(i).tell(result, of.get().get(i));
        } else {
          result.put("status", status(part));
        }
        results[part.places.get(i)] = result;
      }
    }
    document.put("atomic", parts.size() == 1);
    ArrayNode told = document.putArray("results");
    for (JsonNode result : results) {
      told.add(result);
    }
    return HttpAnswer.json(applied ? 200 : 207, document);
  }

  private static int status(PartitionShare part) {
    return part.reply instanceof Reply.Failed failed
        ? Problem.of(new Reply.Failed(failed.code(), "")).status()
        : Problem.PRECONDITION_FAILED.status();
  }
}
