// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.differential;

import dev.cairn.protocol.RespValue;
import dev.cairn.protocol.RespWriter;
import dev.cairn.testkit.RespConnection;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;

/**
 * Sends the same pipelines to a Redis and to a cluster, and compares every reply ({@link
 * PipelineReplies} says how): requests that nobody waits for must be carried out in their order.
 *
 * <p>A pipeline has 2 to 50 requests and leaves in one write, or is cut at random bytes. Most
 * requests are arrays; some are lines, and to a node some stand behind {@code CAIRN WITH}. As in
 * {@link Differential}, a lane runs alone first; then lanes run side by side, each with keys of its
 * own and one connection to one node. Every other lane speaks RESP3.
 */
public final class Pipelines {
  private static final int LENGTH_MAX = 50;

  /** What takes no options of CAIRN WITH. */
  private static final Set<String> NOT_WITH =
      Set.of("MULTI", "EXEC", "DISCARD", "UNWATCH", "PING", "ECHO");

  private static final Set<String> PASSING = Set.of("UNKNOWN", "CLUSTERDOWN", "TRYAGAIN");

  private final List<Differential.Server> nodes;
  private final Differential.Server redis;
  private final long seed;
  private final AtomicLong refused = new AtomicLong();
  private final AtomicLong unknown = new AtomicLong();
  private final Map<String, AtomicLong> counts = new TreeMap<>();
  private final ConcurrentLinkedQueue<String> differences = new ConcurrentLinkedQueue<>();

  private final LongConsumer sentMore;

  private Pipelines(
      List<Differential.Server> nodes,
      Differential.Server redis,
      long seed,
      LongConsumer sentMore) {
    this.sentMore = sentMore;
    this.nodes = nodes;
    this.redis = redis;
    this.seed = seed;
    CommandGenerator.namesOfPipelines().forEach(name -> counts.put(name, new AtomicLong()));
  }

  /**
   * Sends at least so many requests over so many lanes.
   *
   * @param sentMore told of each pipeline's length, by any thread
   */
  public static Differential.Outcome run(
      List<Differential.Server> nodes,
      Differential.Server redis,
      long seed,
      long requests,
      int lanes,
      LongConsumer sentMore)
      throws InterruptedException {
    Pipelines pipelines = new Pipelines(nodes, redis, seed, sentMore);
    ExecutorService threads = Executors.newFixedThreadPool(lanes);
    long alone = requests / Differential.ALONE;
    List<Callable<Void>> all = new ArrayList<>();
    for (int lane = 0; lane < lanes; lane++) {
      int number = lane;
      all.add(() -> pipelines.runLane(number, (requests - alone + lanes - 1) / lanes, false));
    }
    try {
      threads.submit(() -> pipelines.runLane(lanes, alone, true)).get();
      for (Future<Void> lane : threads.invokeAll(all)) {
        lane.get();
      }
    } catch (ExecutionException e) {
      throw new IllegalStateException("a lane ended early", e.getCause());
    } finally {
      threads.shutdownNow();
    }
    Map<String, Long> counted = new TreeMap<>();
    pipelines.counts.forEach((name, count) -> counted.put(name, count.get()));
    return new Differential.Outcome(
        counted.values().stream().mapToLong(Long::longValue).sum(),
        pipelines.refused.get(),
        pipelines.unknown.get(),
        counted,
        List.copyOf(pipelines.differences));
  }

  private Void runLane(int lane, long requests, boolean alone) throws IOException {
    try (Lane connections = new Lane(lane, alone)) {
      long sent = 0;
      while (sent < requests && differences.size() < Differential.DIFFERENCES_MAX) {
        List<Sent> pipeline = connections.generate();
        sent += pipeline.size();
        sentMore.accept(pipeline.size());
        if (!connections.same(pipeline)) {
          break; // from here on the two hold different data
        }
      }
    }
    return null;
  }

  /** One request, and how it is written for each of the two. */
  private record Sent(List<byte[]> words, byte[] toRedis, byte[] toNode) {}

  /** One lane: its connections, and what it sends. */
  private final class Lane implements AutoCloseable {
    private final int number;
    private final boolean alone;
    private final CommandGenerator generator;
    private final Random random;
    private final PipelineReplies replies;
    private final RespConnection toRedis;
    private final RespConnection toNode;
    private long slackMillis = 1_000;

    Lane(int number, boolean alone) throws IOException {
      this.number = number;
      this.alone = alone;
      generator = CommandGenerator.ofPipelines(seed, number, alone);
      random = new Random(seed * 31 + number);
      replies = new PipelineReplies(generator.tag());
      toRedis = redis.connect();
      toNode = nodes.get(number % nodes.size()).connect();
      if (number % 2 == 1) {
        toRedis.call("HELLO", "3");
        toNode.call("HELLO", "3");
      }
    }

    List<Sent> generate() throws IOException {
      List<Sent> pipeline = new ArrayList<>();
      int length = 2 + random.nextInt(LENGTH_MAX - 1);
      while (pipeline.size() < length) {
        boolean inMulti = generator.inMulti();
        CommandGenerator.Generated next = generator.next();
        if (!inMulti && Set.of("DBSIZE", "MEMORY", "KEYS", "SCAN").contains(next.name())) {
          pipeline.add(sent(expireInRedis(), inMulti));
        }
        pipeline.add(sent(next.words(), inMulti));
      }
      pipeline.forEach(sent -> counts.get(Differential.name(sent.words())).incrementAndGet());
      return pipeline;
    }

    /** Redis keeps a key that was set with a time that is over until it is asked for. */
    private List<byte[]> expireInRedis() {
      List<byte[]> words = new ArrayList<>(CommandGenerator.words("EXISTS"));
      words.addAll(generator.keys());
      return words;
    }

    private Sent sent(List<byte[]> words, boolean inMulti) throws IOException {
      byte[] array = RespWriter.command(words.toArray(new byte[0][]));
      if (random.nextInt(6) == 0 && isLine(words)) {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (byte[] word : words) {
          line.write(word);
          line.write(' ');
        }
        line.writeBytes(new byte[] {'\r', '\n'});
        return new Sent(words, line.toByteArray(), line.toByteArray());
      }
      if (random.nextInt(6) == 0 && !inMulti && !NOT_WITH.contains(Differential.name(words))) {
        List<byte[]> with =
            new ArrayList<>(CommandGenerator.words("CAIRN", "WITH", "CONSISTENCY", "QUORUM", "DO"));
        with.addAll(words);
        return new Sent(words, array, RespWriter.command(with.toArray(new byte[0][])));
      }
      return new Sent(words, array, array);
    }

    /** Whether a line can say it, without quotes. */
    private boolean isLine(List<byte[]> words) {
      for (byte[] word : words) {
        for (byte b : word) {
          if (b <= ' ' || b == 127 || b == '"' || b == '\'') {
            return false;
          }
        }
        if (word.length == 0) {
          return false;
        }
      }
      return true;
    }

    /** Sends a pipeline to both; whether they agree, or cannot be compared and were cleared. */
    boolean same(List<Sent> pipeline) throws IOException {
      long before = System.nanoTime();
      toRedis.send(joined(pipeline.stream().map(Sent::toRedis).toList()));
      sendCut(joined(pipeline.stream().map(Sent::toNode).toList()));
      List<RespValue> expected = new ArrayList<>();
      List<RespValue> actual = new ArrayList<>();
      for (int i = 0; i < pipeline.size(); i++) {
        expected.add(toRedis.read());
        actual.add(toNode.read());
      }
      slackMillis = Math.max(slackMillis, 1_000 + (System.nanoTime() - before) / 1_000_000);
      if (actual.stream().anyMatch(this::isPassing)) {
        unknown.incrementAndGet();
        clear();
        return true;
      }
      for (int i = 0; i < pipeline.size(); i++) {
        countRefused(expected.get(i));
        if (!replies.agree(pipeline.get(i).words(), expected.get(i), actual.get(i), slackMillis)) {
          differences.add(difference(pipeline, expected, actual.get(i), i));
          return false;
        }
      }
      return true;
    }

    private byte[] joined(List<byte[]> parts) {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      parts.forEach(bytes::writeBytes);
      return bytes.toByteArray();
    }

    /** In one write, or in up to four. */
    private void sendCut(byte[] bytes) throws IOException {
      int from = 0;
      for (int cuts = random.nextInt(4); cuts > 0 && from < bytes.length; cuts--) {
        int to = from + random.nextInt(bytes.length - from);
        toNode.send(Arrays.copyOfRange(bytes, from, to));
        from = to;
      }
      toNode.send(Arrays.copyOfRange(bytes, from, bytes.length));
    }

    private boolean isPassing(RespValue reply) {
      return reply instanceof RespValue.ErrorReply error && PASSING.contains(error.code());
    }

    private void countRefused(RespValue reply) {
      List<RespValue> all =
          reply instanceof RespValue.Array array ? array.elements() : List.of(reply);
      refused.addAndGet(all.stream().filter(RespValue.ErrorReply.class::isInstance).count());
    }

    /** What stands under the lane's keys is anybody's guess: nothing, from now on. */
    private void clear() throws IOException {
      List<byte[]> delete = new ArrayList<>(CommandGenerator.words("DEL"));
      delete.addAll(generator.keys());
      byte[] command = RespWriter.command(delete.toArray(new byte[0][]));
      for (RespConnection each : List.of(toRedis, toNode)) {
        each.call("DISCARD");
        each.call("UNWATCH");
        each.send(command);
        while (isPassing(each.read())) {
          each.send(command); // deleting once more changes nothing
        }
      }
      replies.reset();
      generator.restart();
    }

    private String difference(
        List<Sent> pipeline, List<RespValue> expected, RespValue actual, int at) {
      StringBuilder text = new StringBuilder();
      text.append("seed %d lane %d%s: ".formatted(seed, number, alone ? " (alone)" : ""));
      text.append(
          "Redis %s, Cairn %s"
              .formatted(Differential.shown(expected.get(at)), Differential.shown(actual)));
      for (int i = 0; i <= at; i++) {
        text.append(
            "%n  %s  =>  %s"
                .formatted(
                    CommandGenerator.shown(pipeline.get(i).words()),
                    Differential.shown(expected.get(i))));
      }
      return text.toString();
    }

    @Override
    public void close() throws IOException {
      toRedis.close();
      toNode.close();
    }
  }
}
