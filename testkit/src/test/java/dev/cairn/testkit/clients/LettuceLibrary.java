// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.lettuce.core.LettuceFutures;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisFuture;
import io.lettuce.core.RedisURI;
import io.lettuce.core.ScanArgs;
import io.lettuce.core.ScanIterator;
import io.lettuce.core.SetArgs;
import io.lettuce.core.SslOptions;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.async.RedisStringAsyncCommands;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.api.sync.RedisKeyCommands;
import io.lettuce.core.cluster.ClusterClientOptions;
import io.lettuce.core.cluster.ClusterTopologyRefreshOptions;
import io.lettuce.core.cluster.RedisClusterClient;
import io.lettuce.core.cluster.api.StatefulRedisClusterConnection;
import io.lettuce.core.cluster.api.sync.RedisClusterCommands;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.Delay;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** Lettuce: {@code RedisClient} and {@code RedisClusterClient}. */
final class LettuceLibrary extends SetAndGetLibrary {
  /** More than a node takes to give up. */
  static final Duration TIMEOUT = Duration.ofSeconds(4);

  static final String ERRORS =
      "RedisCommandTimeoutException: .*|RedisConnectionException: .*|RedisException: (Connection |.*Connection reset|.*Broken pipe).*"
          + "|ConnectException: .*|RedisCommandExecutionException: (CLUSTERDOWN|TRYAGAIN|UNKNOWN) .*";

  /** An attempt to reach a lost node a second: by default the pauses grow to 30 s. */
  static final ClientResources RESOURCES =
      ClientResources.builder().reconnectDelay(Delay.constant(Duration.ofSeconds(1))).build();

  private final Seed seed;
  private final RedisClient one;
  private final StatefulRedisConnection<String, String> connection;
  private final RedisClusterClient cluster;
  private final StatefulRedisClusterConnection<String, String> connections;

  LettuceLibrary(Seed seed) {
    super("lettuce");
    this.seed = seed;
    one = one(seed);
    connection = one.connect();
    cluster = cluster(seed);
    connections = cluster.connect();
  }

  private static RedisClient one(Seed seed) {
    RedisClient client = RedisClient.create(RESOURCES, uri(seed));
    client.setOptions(options(seed));
    return client;
  }

  private static RedisClusterClient cluster(Seed seed) {
    RedisClusterClient client = RedisClusterClient.create(RESOURCES, uri(seed));
    client.setOptions(options(seed));
    return client;
  }

  private static RedisURI uri(Seed seed) {
    RedisURI.Builder uri =
        RedisURI.builder().withHost(seed.host()).withPort(seed.port()).withTimeout(TIMEOUT);
    seed.account()
        .ifPresent(
            account ->
                uri.withSsl(true)
                    .withAuthentication(account.user(), (CharSequence) account.password()));
    return uri.build();
  }

  /** Of clients of one node and of a cluster. */
  static ClusterClientOptions options(Seed seed) {
    ClusterClientOptions.Builder options =
        ClusterClientOptions.builder().topologyRefreshOptions(refresh());
    seed.account()
        .ifPresent(
            account ->
                options.sslOptions(
                    SslOptions.builder().trustManager(account.ca().toFile()).build()));
    return options.build();
  }

  @Override
  public List<String> comingWith(String password) {
    Seed other = seed.withPassword(password);
    RedisClient refused = one(other);
    RedisClusterClient refusedToo = cluster(other);
    try {
      return List.of(met(refused::connect), met(refusedToo::connect));
    } finally {
      refused.shutdown(0, 0, TimeUnit.MILLISECONDS);
      refusedToo.shutdown(0, 0, TimeUnit.MILLISECONDS);
    }
  }

  /** Lettuce asks for the topology when it meets MOVED: once a second, not once in five. */
  private static ClusterTopologyRefreshOptions refresh() {
    return ClusterTopologyRefreshOptions.builder()
        .adaptiveRefreshTriggersTimeout(Duration.ofSeconds(1))
        .build();
  }

  @Override
  public String expectedErrors() {
    return ERRORS;
  }

  @Override
  SetAndGet onClientPort() {
    return client(connection.sync());
  }

  @Override
  Optional<SetAndGet> inClusterMode() {
    return Optional.of(client(connections.sync()));
  }

  private static SetAndGet client(RedisClusterCommands<String, String> commands) {
    return new SetAndGet() {
      @Override
      public void set(String key, String value) {
        commands.set(key, value);
      }

      @Override
      public String get(String key) {
        return commands.get(key);
      }
    };
  }

  @Override
  public void worksOnTheClientPort() {
    pipeline(connection.async());
    transaction();
    expiry(connection.sync());
    assertThat(connection.sync().dbsize()).isEqualTo(KEYS + 1);
    scan(connection.sync());
  }

  @Override
  public void worksInClusterMode() {
    pipeline(connections.async());
    expiry(connections.sync());
    assertThat(connections.sync().dbsize()).isEqualTo(KEYS + 1);
    scan(connections.sync());
  }

  private static void pipeline(RedisStringAsyncCommands<String, String> commands) {
    List<RedisFuture<String>> values = new ArrayList<>();
    for (int i = 0; i < KEYS; i++) {
      commands.set("key" + i, "value" + i);
      values.add(commands.get("key" + i));
    }
    assertThat(LettuceFutures.awaitAll(TIMEOUT, values.toArray(new RedisFuture<?>[0]))).isTrue();
    for (int i = 0; i < KEYS; i++) {
      assertThat(values.get(i).toCompletableFuture().join()).isEqualTo("value" + i);
    }
  }

  /** On the client port: Lettuce has none in cluster mode. */
  private void transaction() {
    RedisCommands<String, String> commands = connection.sync();
    commands.set("{user7}visits", "1");
    commands.set("{user7}name", "ada");
    commands.watch("{user7}visits");
    commands.multi();
    commands.incr("{user7}visits");
    commands.get("{user7}name");
    assertThat(commands.exec()).containsExactly(2L, "ada");
    commands.watch("{user7}visits");
    try (StatefulRedisConnection<String, String> other = one.connect()) {
      other.sync().set("{user7}visits", "7");
    }
    commands.multi();
    commands.incr("{user7}visits");
    assertThat(commands.exec().wasDiscarded()).isTrue();
    assertThat(commands.get("{user7}visits")).isEqualTo("7");
    assertThat(commands.del("{user7}visits", "{user7}name")).isEqualTo(2);
  }

  private static void scan(RedisKeyCommands<String, String> commands) {
    assertThat(commands.keys("key*")).hasSize(KEYS);
    List<String> scanned = new ArrayList<>();
    ScanIterator.scan(commands, ScanArgs.Builder.limit(5).match("key*"))
        .forEachRemaining(scanned::add);
    assertThat(scanned).doesNotHaveDuplicates().hasSize(KEYS);
  }

  private static void expiry(RedisClusterCommands<String, String> commands) {
    commands.set("short", "lived", SetArgs.Builder.ex(100));
    assertThat(commands.ttl("short")).isBetween(90L, 100L);
    assertThat(commands.persist("short")).isTrue();
    assertThat(commands.ttl("short")).isEqualTo(-1);
  }

  @Override
  public void close() {
    connection.close();
    connections.close();
    one.shutdown(0, 0, TimeUnit.MILLISECONDS);
    cluster.shutdown(0, 0, TimeUnit.MILLISECONDS);
  }
}
