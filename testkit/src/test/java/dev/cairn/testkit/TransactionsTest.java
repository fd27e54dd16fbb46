// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.protocol.RespValue;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Clients move money between accounts by WATCH, MULTI and EXEC, each through another node, while
 * others look at all accounts at once, and the node that leads them is killed.
 */
@Tag("long")
class TransactionsTest {
  private static final int ACCOUNTS = 5;
  private static final int MONEY = 100;
  private static final int MOVERS = 6;
  private static final int MOVED_BEFORE_AND_AFTER = Integer.getInteger("cairn.transactions", 100);

  @RegisterExtension final Clusters clusters = Clusters.ofEachTest();

  private final AtomicBoolean ended = new AtomicBoolean();
  private final AtomicLong moved = new AtomicLong();
  private final AtomicLong unknown = new AtomicLong();
  private final AtomicLong refused = new AtomicLong(); // a watched key had changed
  private final AtomicLong looks = new AtomicLong();

  @Test
  @Timeout(300)
  void noMoneyIsMadeOrLostOrSeenInTwoPlaces() throws Exception {
    ProcessCluster cluster = clusters.startHealthy(ProcessCluster.of(3));
    try (RespConnection connection = cluster.connect(0)) {
      for (int account = 0; account < ACCOUNTS; account++) {
        connection.call("SET", account(account), Integer.toString(MONEY));
      }
    }
    int leader = cluster.leaderOf(account(0));
    List<Integer> others = cluster.indexes().stream().filter(node -> node != leader).toList();
    ExecutorService threads = Executors.newFixedThreadPool(MOVERS + 1);
    try {
      List<Future<?>> all = new ArrayList<>();
      for (int mover = 0; mover < MOVERS; mover++) {
        // Two on each node; those of the one that is killed go on elsewhere.
        int number = mover;
        all.add(threads.submit(() -> move(cluster, new Random(number), number % 3)));
      }
      all.add(threads.submit(() -> look(cluster, others.get(0))));
      awaitMore(MOVED_BEFORE_AND_AFTER);
      cluster.kill(leader);
      awaitMore(MOVED_BEFORE_AND_AFTER);
      ended.set(true);
      for (Future<?> one : all) {
        one.get(60, TimeUnit.SECONDS);
      }
    } finally {
      ended.set(true);
      threads.shutdownNow();
    }
    try (RespConnection connection = cluster.connect(others.get(1))) {
      long counted = Long.parseLong(RespConnection.text(connection.call("GET", "{bank}moved")));
      assertThat(counted).isBetween(moved.get(), moved.get() + unknown.get());
    }
    assertThat(looks.get()).isPositive();
    System.out.printf(
        "transactions: %d moved, %d refused since a key had changed, %d unknown, %d looks%n",
        moved.get(), refused.get(), unknown.get(), looks.get());
  }

  private void awaitMore(long count) {
    long wanted = moved.get() + count;
    Awaitility.await().atMost(120, TimeUnit.SECONDS).until(() -> moved.get() >= wanted);
  }

  /** Moves money as long as the test lasts, through one node, and when that is gone the next. */
  private Void move(ProcessCluster cluster, Random random, int firstNode) {
    int node = firstNode;
    while (!ended.get()) {
      try (RespConnection connection = cluster.connect(node)) {
        while (!ended.get()) {
          moveOnce(connection, random);
        }
      } catch (IOException gone) {
        // If EXEC was sent, it is not known whether it was carried out.
        unknown.incrementAndGet();
        node = (node + 1) % cluster.size();
      }
    }
    return null;
  }

  private void moveOnce(RespConnection connection, Random random) throws IOException {
    String from = account(random.nextInt(ACCOUNTS));
    String to = account(random.nextInt(ACCOUNTS));
    connection.call("WATCH", from, to);
    RespValue has = connection.call("GET", from);
    RespValue gets = connection.call("GET", to);
    if (from.equals(to)
        || has instanceof RespValue.ErrorReply
        || gets instanceof RespValue.ErrorReply) {
      connection.call("UNWATCH");
      return;
    }
    int sum = 1 + random.nextInt(5);
    connection.call("MULTI");
    connection.call("SET", from, Long.toString(Long.parseLong(RespConnection.text(has)) - sum));
    connection.call("INCR", "{bank}moved");
    connection.call("SET", to, Long.toString(Long.parseLong(RespConnection.text(gets)) + sum));
    RespValue reply = connection.call("EXEC");
    if (reply instanceof RespValue.Array) {
      moved.incrementAndGet();
    } else if (reply instanceof RespValue.Nil) {
      refused.incrementAndGet();
    } else if (((RespValue.ErrorReply) reply).code().equals("UNKNOWN")) {
      unknown.incrementAndGet();
    }
  }

  /** By MGET and by reads in a transaction, in turn. */
  private Void look(ProcessCluster cluster, int node) throws IOException {
    String[] mget = new String[1 + ACCOUNTS];
    mget[0] = "MGET";
    for (int account = 0; account < ACCOUNTS; account++) {
      mget[1 + account] = account(account);
    }
    try (RespConnection connection = cluster.connect(node)) {
      while (!ended.get()) {
        seen(connection.call(mget));
        connection.call("MULTI");
        for (int account = 0; account < ACCOUNTS; account++) {
          connection.call("GET", account(account));
        }
        seen(connection.call("EXEC"));
      }
    }
    return null;
  }

  private void seen(RespValue reply) {
    if (reply instanceof RespValue.Array balances) {
      assertThat(
              balances.elements().stream()
                  .mapToLong(balance -> Long.parseLong(RespConnection.text(balance)))
                  .sum())
          .isEqualTo(ACCOUNTS * MONEY);
      looks.incrementAndGet();
    } else {
      assertThat(((RespValue.ErrorReply) reply).code()).isIn("CLUSTERDOWN", "TRYAGAIN", "UNKNOWN");
    }
  }

  private static String account(int number) {
    return "{bank}" + number;
  }
}
