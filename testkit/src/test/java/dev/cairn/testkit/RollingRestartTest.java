// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cairn.client.CairnClient;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import redis.clients.jedis.ConnectionPoolConfig;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.RedisClusterClient;

/**
 * An upgrade: one node after the other is stopped by SIGTERM and started again, and those who use
 * the cluster do not notice.
 */
@Tag("nightly")
@Tag("loaded")
class RollingRestartTest {
  private static final int CLIENTS = 16;
  private static final int JEDIS_THREADS = 4;

  /** By hand or before a release twice: {@code -Dcairn.rolling.rounds=2}. */
  private static final int ROUNDS = Integer.getInteger("cairn.rolling.rounds", 1);

  /** How many keys each client writes and then reads at once; by hand 12, for the rate. */
  private static final int ABREAST = Integer.getInteger("cairn.rolling.abreast", 1);

  @RegisterExtension final Clusters clusters = Clusters.ofEachTest();

  /** Errors of Redis that tell a client to come again: nothing was done. */
  private static final Set<String> RETRY = Set.of("TRYAGAIN", "CLUSTERDOWN", "MOVED");

  @Test
  @Timeout(300)
  void clientsMeetNoErrorWhileEachNodeIsRestarted() throws InterruptedException {
    ProcessCluster cluster = clusters.startHealthy(ProcessCluster.of(3));
    try (CairnClient client = cluster.client().build();
        CairnClient steady = cluster.client().build();
        SteadyLoad load = SteadyLoad.start(steady, Pairs.packages().subList(0, 1_000), 100);
        RedisClusterClient jedis = jedis(cluster)) {
      Work viaCairn = new Work("cairn", CLIENTS, work -> putAndGet(client, work));
      Work viaJedis = new Work("jedis", JEDIS_THREADS, work -> setAndGet(jedis, work));
      List<Work> both = List.of(viaCairn, viaJedis);
      long begun = System.nanoTime();
      both.forEach(Work::start);
      both.forEach(work -> work.awaitProgress(200));
      for (int round = 0; round < ROUNDS; round++) {
        for (int node : cluster.indexes()) {
          assertThat(cluster.stop(node)).as("exit status").isZero();
          load.awaitProgress(50);
          both.forEach(work -> work.awaitProgress(200));
          cluster.start(node);
          cluster.awaitHealthy();
          both.forEach(work -> work.awaitProgress(200));
        }
      }
      both.forEach(Work::finish);
      load.finish();
      for (int node : cluster.indexes()) {
        try (CairnClient reader = cluster.clientThrough(node).build()) {
          assertThat(load.differences(reader)).as("through node %d", node).isEmpty();
        }
      }
      System.out.printf(
          "rolling restart: %d operations a second; errors: cairn %s, jedis %s%n",
          (viaCairn.done.get() + viaJedis.done.get())
              * 1_000_000_000L
              / (System.nanoTime() - begun),
          viaCairn.errors,
          viaJedis.errors);
      assertThat(viaCairn.errors).isEmpty();
      assertThat(viaJedis.errors.keySet().stream().map(RollingRestartTest::code))
          .allMatch(RETRY::contains);
    }
    theLastNodeStopsTooAndAllComeBack(cluster);
  }

  private static void theLastNodeStopsTooAndAllComeBack(ProcessCluster cluster) {
    try (CairnClient client = cluster.client().build()) {
      client.put("mykey", "myvalue");
      for (int node : cluster.indexes()) {
        assertThat(cluster.stop(node)).as("exit status").isZero();
      }
      cluster.indexes().forEach(cluster::start);
      cluster.awaitHealthy();
      assertThat(client.get("mykey")).hasValue("myvalue");
    }
  }

  private static String code(String error) {
    return error.replaceFirst("^[^:]*: ", "").split(" ", 2)[0];
  }

  private static int putAndGet(CairnClient client, Work work) {
    byte[] value = bytes("value");
    long first = work.done.get();
    List<byte[]> keys =
        LongStream.range(first, first + ABREAST).mapToObj(i -> bytes("cairn" + i % 1_000)).toList();
    keys.stream().map(key -> client.putAsync(key, value)).toList().forEach(CompletableFuture::join);
    keys.stream()
        .map(client::getAsync)
        .toList()
        .forEach(answer -> assertThat(answer.join().value().orElseThrow()).isEqualTo(value));
    return 2 * ABREAST;
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static int setAndGet(RedisClusterClient jedis, Work work) {
    String key = "jedis" + work.done.get() % 1_000;
    jedis.set(key, "value");
    assertThat(jedis.get(key)).isEqualTo("value");
    return 2;
  }

  private static RedisClusterClient jedis(ProcessCluster cluster) {
    ConnectionPoolConfig pool = new ConnectionPoolConfig();
    // A pooled connection that the node has closed meanwhile is noticed before it is used.
    pool.setTestOnBorrow(true);
    return RedisClusterClient.builder()
        .nodes(
            cluster.indexes().stream()
                .map(node -> new HostAndPort("127.0.0.1", cluster.clusterPort(node)))
                .collect(Collectors.toSet()))
        .clientConfig(DefaultJedisClientConfig.builder().timeoutMillis(5_000).build())
        .maxAttempts(10)
        .poolConfig(pool)
        .build();
  }

  private interface Observation {
    /** Returns how many operations that were. */
    int run(Work work);
  }

  /** Threads that do one operation after the other, and count what went wrong. */
  private static final class Work {
    private final AtomicLong done = new AtomicLong();
    private final Map<String, Long> errors = new ConcurrentHashMap<>();
    private final List<Thread> threads = new ArrayList<>();
    private final String name;
    private volatile boolean finished;

    Work(String name, int count, Observation operation) {
      this.name = name;
      for (int i = 0; i < count; i++) {
        threads.add(new Thread(() -> run(operation), name + "-" + i));
      }
    }

    private void run(Observation operation) {
      while (!finished) {
        try {
          done.addAndGet(operation.run(this));
        } catch (RuntimeException | AssertionError e) {
          errors.merge(e.toString().replaceAll("\\d+", "N"), 1L, Long::sum);
        }
      }
    }

    void start() {
      threads.forEach(Thread::start);
    }

    void awaitProgress(long more) {
      long until = done.get() + more;
      await(name + " to go on").atMost(Duration.ofSeconds(60)).until(() -> done.get() >= until);
    }

    void finish() {
      finished = true;
      threads.forEach(
          thread -> {
            try {
              thread.join();
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
          });
    }
  }
}
