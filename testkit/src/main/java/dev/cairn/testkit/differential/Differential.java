// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.differential;

import dev.cairn.protocol.RespValue;
import dev.cairn.protocol.RespWriter;
import dev.cairn.testkit.RespConnection;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;

/**
 * Sends the same commands to a Redis and to a cluster, and compares every reply.
 *
 * <p>First a lane runs alone, with what concerns all keys of a server among its commands; then
 * lanes run side by side, each with keys of its own. Inside a lane a command waits for the reply of
 * the one before, and goes to the next node. Every other lane speaks RESP3. Replies must be equal,
 * error texts too; times to live may differ by a second and by as long as a command took meanwhile;
 * keys that are listed are compared as sets, of a whole scan, each step of which goes to another
 * node too; RANDOMKEY may name any key that is there, MEMORY USAGE any number of bytes; Redis
 * counts a key that was set with a time that is over until it is asked for, and so is asked for it.
 * What belongs to one transaction goes to one node, as it must; what is done between WATCH and
 * MULTI does not. At the end of a lane all its keys must hold the same.
 */
public final class Differential {
  private static final Set<String> MILLIS = Set.of("PTTL", "PEXPIRETIME");
  private static final Set<String> SECONDS = Set.of("TTL", "EXPIRETIME");
  private static final Set<String> TRANSACTION =
      Set.of("MULTI", "EXEC", "DISCARD", "WATCH", "UNWATCH");

  /** What is watched stays watched. */
  private static final RespValue EXEC_ALONE = new RespValue.ErrorReply("ERR EXEC without MULTI");

  /** One command in so many is sent by the lane that is alone. */
  static final int ALONE = 20;

  private static final int HISTORY = 16;
  static final int DIFFERENCES_MAX = 20;

  private final List<Server> nodes;
  private final Server redis;
  private final long seed;
  private final AtomicLong refused = new AtomicLong();
  private final AtomicLong unknown = new AtomicLong();
  private final Map<String, AtomicLong> counts = new TreeMap<>();
  private final ConcurrentLinkedQueue<String> differences = new ConcurrentLinkedQueue<>();

  /**
   * What came of a run.
   *
   * @param refused how many Redis answered by an error, those in transactions included
   * @param unknown how many could not be compared, since a machine too busy lost a leader
   * @param differences each with what led to it; empty is what one hopes for
   */
  public record Outcome(
      long commands,
      long refused,
      long unknown,
      Map<String, Long> counts,
      List<String> differences) {
    /** How many of a hundred commands Redis refused. */
    public long refusedPercent() {
      return 100 * refused / Math.max(1, commands);
    }

    /** How often the rarest command was sent. */
    public long rarest() {
      return counts.values().stream().mapToLong(Long::longValue).min().orElse(0);
    }
  }

  /** What can be connected to. */
  @FunctionalInterface
  public interface Server {
    /** A new connection. */
    RespConnection connect() throws IOException;
  }

  private final LongConsumer sentMore;

  private Differential(List<Server> nodes, Server redis, long seed, LongConsumer sentMore) {
    this.sentMore = sentMore;
    this.nodes = nodes;
    this.redis = redis;
    this.seed = seed;
    CommandGenerator.names().forEach(name -> counts.put(name, new AtomicLong()));
  }

  /**
   * Sends so many commands over so many lanes.
   *
   * @param sentMore told of how many more were sent, by any thread
   */
  public static Outcome run(
      List<Server> nodes, Server redis, long seed, long commands, int lanes, LongConsumer sentMore)
      throws InterruptedException {
    Differential differential = new Differential(nodes, redis, seed, sentMore);
    ExecutorService threads = Executors.newFixedThreadPool(lanes);
    try {
      long alone = commands / ALONE;
      differential.runLane(lanes, alone, true);
      List<Callable<Void>> all = new ArrayList<>();
      for (int lane = 0; lane < lanes; lane++) {
        int number = lane;
        long beside = commands - alone;
        long share = beside / lanes + (lane < beside % lanes ? 1 : 0);
        all.add(
            () -> {
              differential.runLane(number, share, false);
              return null;
            });
      }
      for (Future<Void> lane : threads.invokeAll(all)) {
        lane.get();
      }
    } catch (ExecutionException e) {
      throw new IllegalStateException("a lane ended early", e.getCause());
    } catch (IOException e) {
      throw new UncheckedIOException("the lane that is alone ended early", e);
    } finally {
      threads.shutdownNow();
    }
    Map<String, Long> counted = new TreeMap<>();
    differential.counts.forEach((name, count) -> counted.put(name, count.get()));
    return new Outcome(
        counted.values().stream().mapToLong(Long::longValue).sum(),
        differential.refused.get(),
        differential.unknown.get(),
        counted,
        List.copyOf(differential.differences));
  }

  private void runLane(int lane, long commands, boolean alone) throws IOException {
    CommandGenerator generator = new CommandGenerator(seed, lane, alone);
    try (Lane connections = new Lane(lane, generator.tag(), generator.keys())) {
      for (long i = 0; i < commands && differences.size() < DIFFERENCES_MAX; i++) {
        CommandGenerator.Generated next = generator.next();
        counts.get(next.name()).incrementAndGet();
        sentMore.accept(1);
        if (!connections.same(next.words())) {
          return; // from here on the two hold different data
        }
      }
      connections.same(CommandGenerator.words("DISCARD"));
      connections.same(CommandGenerator.words("UNWATCH"));
      for (byte[] key : generator.keys()) {
        connections.same(List.of(CommandGenerator.word("GET"), key));
        connections.same(List.of(CommandGenerator.word("PTTL"), key));
      }
    }
  }

  /** The connections of one lane, and what it sent lately. */
  private final class Lane implements AutoCloseable {
    private final int number;
    private final String tag;
    private final List<byte[]> keys;
    private final RespConnection toRedis;
    private final List<RespConnection> toNodes = new ArrayList<>();
    private final ArrayDeque<String> history = new ArrayDeque<>();
    private final List<List<byte[]>> queued = new ArrayList<>();
    private long slackMillis = 1_000;
    private boolean inMulti;
    private int next; // whose turn it is
    private int bound; // the node of the transaction

    Lane(int number, String tag, List<byte[]> keys) throws IOException {
      this.number = number;
      this.tag = tag;
      this.keys = keys;
      this.toRedis = redis.connect();
      for (Server node : nodes) {
        toNodes.add(node.connect());
      }
      if (number % 2 == 1) {
        toRedis.call("HELLO", "3");
        for (RespConnection node : toNodes) {
          node.call("HELLO", "3");
        }
      }
    }

    boolean same(List<byte[]> words) throws IOException {
      byte[] command = RespWriter.command(words.toArray(new byte[0][]));
      long before = System.nanoTime();
      String name = name(words);
      toRedis.send(command);
      RespValue expected = toRedis.read();
      countRefused(expected);
      RespValue actual = ask(command, inMulti || TRANSACTION.contains(name), !name.equals("EXEC"));
      slackMillis = Math.max(slackMillis, 1_000 + (System.nanoTime() - before) / 1_000_000);
      history.add(CommandGenerator.shown(words) + "  =>  " + shown(expected));
      if (history.size() > HISTORY) {
        history.remove();
      }
      boolean agree = agree(words, expected, actual);
      follow(words, expected);
      if (isError(actual, "UNKNOWN") || (name.equals("EXEC") && passing(actual))) {
        // It may have been done: what stands under the lane's keys is anybody's guess now. A
        // transaction that was refused is over, and is not sent again.
        unknown.incrementAndGet();
        clear();
        return true;
      }
      if (agree) {
        return true;
      }
      differences.add(
          "seed %d lane %d: Redis %s, Cairn %s%n  %s"
              .formatted(
                  seed,
                  number,
                  shown(expected),
                  shown(actual),
                  String.join(System.lineSeparator() + "  ", history)));
      return false;
    }

    private void countRefused(RespValue reply) {
      List<RespValue> replies =
          reply instanceof RespValue.Array array ? array.elements() : List.of(reply);
      refused.addAndGet(replies.stream().filter(RespValue.ErrorReply.class::isInstance).count());
    }

    /** What a command has changed for those that follow on the connection, by Redis' reply. */
    private void follow(List<byte[]> words, RespValue reply) {
      if (reply.equals(new RespValue.SimpleString("QUEUED"))) {
        queued.add(words);
        return;
      }
      String name = name(words);
      boolean done = reply.equals(RespValue.OK);
      if (name.equals("MULTI")) {
        inMulti |= done;
      } else if ((name.equals("EXEC") && !reply.equals(EXEC_ALONE))
          || (name.equals("DISCARD") && done)) {
        inMulti = false;
        queued.clear();
        bound = next % toNodes.size();
      }
    }

    /**
     * Asks a node; again as long as the answer is that nothing was done for a passing reason.
     *
     * @param inTransaction whether it must be the node of the transaction
     * @param again whether it may be asked again
     */
    private RespValue ask(byte[] command, boolean inTransaction, boolean again) throws IOException {
      RespValue reply;
      do {
        RespConnection node = toNodes.get(inTransaction ? bound : next++ % toNodes.size());
        node.send(command);
        reply = node.read();
      } while (again && passing(reply));
      return reply;
    }

    private boolean passing(RespValue reply) {
      return isError(reply, "CLUSTERDOWN") || isError(reply, "TRYAGAIN");
    }

    private void clear() throws IOException {
      List<byte[]> words = new ArrayList<>(List.of(CommandGenerator.word("DEL")));
      words.addAll(keys);
      byte[] command = RespWriter.command(words.toArray(new byte[0][]));
      toRedis.send(command);
      toRedis.read();
      while (isError(ask(command, false, true), "UNKNOWN")) {
        // deleting once more changes nothing
      }
      history.clear();
    }

    private boolean isError(RespValue reply, String code) {
      return reply instanceof RespValue.ErrorReply error && error.code().equals(code);
    }

    private boolean agree(List<byte[]> words, RespValue expected, RespValue actual)
        throws IOException {
      if (expected.equals(actual)) {
        return true;
      }
      String name = name(words);
      if (name.equals("RANDOMKEY")
          && expected instanceof RespValue.Bulk
          && actual instanceof RespValue.Bulk key) {
        return askRedis("EXISTS", List.of(key.bytes())).equals(new RespValue.Int(1));
      }
      if (name.equals("DBSIZE") && expected instanceof RespValue.Int) {
        askRedis("EXISTS", keys); // what was set with a time that is over is there until it is met
        return askRedis("DBSIZE", List.of()).equals(actual);
      }
      if (name.equals("MEMORY") && isPositive(expected)) {
        return isPositive(actual)
            || (actual instanceof RespValue.Nil
                && askRedis("EXISTS", List.of(words.get(2))).equals(new RespValue.Int(0)));
      }
      if (expected instanceof RespValue.Array one && actual instanceof RespValue.Array other) {
        return switch (name) {
          case "EXEC" -> agreeInTransaction(one.elements(), other.elements());
          case "KEYS" -> ofLane(one).equals(ofLane(other));
          case "SCAN" -> !isStart(words) || scanned(words, toRedis).equals(scanned(words, null));
          default -> false;
        };
      }
      return nearInTime(name, expected, actual, slackMillis);
    }

    private RespValue askRedis(String name, List<byte[]> arguments) throws IOException {
      List<byte[]> words = new ArrayList<>(List.of(CommandGenerator.word(name)));
      words.addAll(arguments);
      toRedis.send(RespWriter.command(words.toArray(new byte[0][])));
      return toRedis.read();
    }

    private boolean isPositive(RespValue reply) {
      return reply instanceof RespValue.Int number && number.value() > 0;
    }

    private boolean agreeInTransaction(List<RespValue> expected, List<RespValue> actual)
        throws IOException {
      boolean agree = expected.size() == actual.size() && expected.size() == queued.size();
      for (int i = 0; agree && i < queued.size(); i++) {
        agree = agree(queued.get(i), expected.get(i), actual.get(i));
      }
      return agree;
    }

    /** The lane's keys of a whole scan. From a node each, unless it is Redis. */
    private Set<String> scanned(List<byte[]> words, RespConnection only) throws IOException {
      Set<String> keys = new TreeSet<>();
      List<byte[]> step = new ArrayList<>(words);
      do {
        byte[] command = RespWriter.command(step.toArray(new byte[0][]));
        RespValue reply;
        if (only == null) {
          reply = ask(command, false, true);
        } else {
          only.send(command);
          reply = only.read();
        }
        List<RespValue> page = ((RespValue.Array) reply).elements();
        step.set(1, ((RespValue.Bulk) page.get(0)).bytes());
        keys.addAll(ofLane((RespValue.Array) page.get(1)));
      } while (!isStart(step));
      return keys;
    }

    /** Keys of other lanes come and go. */
    private Set<String> ofLane(RespValue.Array listed) {
      Set<String> keys = new TreeSet<>();
      for (RespValue key : listed.elements()) {
        String text = new String(((RespValue.Bulk) key).bytes(), StandardCharsets.ISO_8859_1);
        if (text.startsWith(tag)) {
          keys.add(text);
        }
      }
      return keys;
    }

    @Override
    public void close() throws IOException {
      toRedis.close();
      for (RespConnection node : toNodes) {
        node.close();
      }
    }
  }

  /** Whether both are a time to live, and differ by little. */
  static boolean nearInTime(String name, RespValue expected, RespValue actual, long slackMillis) {
    long unit = MILLIS.contains(name) ? 1 : SECONDS.contains(name) ? 1000 : 0;
    return unit > 0
        && expected instanceof RespValue.Int one
        && actual instanceof RespValue.Int other
        && one.value() >= 0
        && other.value() >= 0
        && Math.abs(one.value() - other.value()) * unit <= slackMillis;
  }

  /** Whether a SCAN begins; what a cursor of its own goes on with is each server's own. */
  static boolean isStart(List<byte[]> words) {
    return new String(words.get(1), StandardCharsets.ISO_8859_1).equals("0");
  }

  static String name(List<byte[]> words) {
    return new String(words.get(0), StandardCharsets.US_ASCII);
  }

  static String shown(RespValue value) {
    if (value instanceof RespValue.Bulk bulk) {
      return CommandGenerator.shown(List.of(bulk.bytes()))
          + (bulk.bytes().length == 0 ? "(empty)" : "")
          + (bulk.bytes().length > 200 ? HexFormat.of().toHexDigits(bulk.bytes().length) : "");
    }
    return RespConnection.text(value);
  }
}
