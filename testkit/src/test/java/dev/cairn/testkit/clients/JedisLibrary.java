// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.clients;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import redis.clients.jedis.AbstractPipeline;
import redis.clients.jedis.AbstractTransaction;
import redis.clients.jedis.ConnectionPoolConfig;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.JedisClientConfig;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.RedisClusterClient;
import redis.clients.jedis.Response;
import redis.clients.jedis.SslOptions;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.params.ScanParams;
import redis.clients.jedis.params.SetParams;
import redis.clients.jedis.resps.ScanResult;

/** Jedis: {@code RedisClient} and {@code RedisClusterClient}. */
final class JedisLibrary extends SetAndGetLibrary {
  private static final String STORE_PASSWORD = "changeit";

  private final Seed seed;
  private final RedisClient one;
  private final RedisClusterClient cluster;

  JedisLibrary(Seed seed) {
    super("jedis");
    this.seed = seed;
    one = one(seed);
    cluster = cluster(seed);
  }

  private static RedisClient one(Seed seed) {
    return RedisClient.builder()
        .hostAndPort(new HostAndPort(seed.host(), seed.port()))
        .clientConfig(config(seed))
        .poolConfig(pool())
        .build();
  }

  private static RedisClusterClient cluster(Seed seed) {
    return RedisClusterClient.builder()
        .nodes(Set.of(new HostAndPort(seed.host(), seed.port())))
        .clientConfig(config(seed))
        .poolConfig(pool())
        .maxAttempts(10)
        .maxTotalRetriesDuration(Duration.ofSeconds(20))
        .build();
  }

  private static JedisClientConfig config(Seed seed) {
    DefaultJedisClientConfig.Builder builder =
        DefaultJedisClientConfig.builder().timeoutMillis(5_000);
    seed.account()
        .ifPresent(
            account ->
                builder
                    .sslOptions(
                        SslOptions.builder()
                            .trustStoreType("PKCS12")
                            .truststore(trustStore(account.ca()), STORE_PASSWORD.toCharArray())
                            .build())
                    .user(account.user())
                    .password(account.password()));
    return builder.build();
  }

  /** As {@code keytool -importcert} makes it. */
  private static File trustStore(Path ca) {
    Path file = ca.resolveSibling("trust.p12");
    try (InputStream certificate = Files.newInputStream(ca)) {
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(null, null);
      store.setCertificateEntry(
          "ca", CertificateFactory.getInstance("X.509").generateCertificate(certificate));
      try (OutputStream written = Files.newOutputStream(file)) {
        store.store(written, STORE_PASSWORD.toCharArray());
      }
      return file.toFile();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private static ConnectionPoolConfig pool() {
    ConnectionPoolConfig pool = new ConnectionPoolConfig();
    // A pooled connection that a node has closed meanwhile is noticed before it is used.
    pool.setTestOnBorrow(true);
    return pool;
  }

  @Override
  public List<String> comingWith(String password) {
    Seed other = seed.withPassword(password);
    return List.of(
        met(
            () -> {
              try (RedisClient refused = one(other)) {
                refused.ping();
              }
            }),
        met(
            () -> {
              try (RedisClusterClient refused = cluster(other)) {
                refused.get("key");
              }
            }));
  }

  @Override
  public String expectedErrors() {
    return "JedisConnectionException: .*|JedisClusterOperationException: (No more|Cluster retry) .*"
        + "|JedisClusterException: CLUSTERDOWN .*|JedisDataException: (TRYAGAIN|UNKNOWN|CLUSTERDOWN) .*";
  }

  @Override
  SetAndGet onClientPort() {
    return client(one);
  }

  @Override
  Optional<SetAndGet> inClusterMode() {
    return Optional.of(client(cluster));
  }

  private static SetAndGet client(UnifiedJedis jedis) {
    return new SetAndGet() {
      @Override
      public void set(String key, String value) {
        jedis.set(key, value);
      }

      @Override
      public String get(String key) {
        return jedis.get(key);
      }
    };
  }

  @Override
  public void worksOnTheClientPort() {
    pipeline(one);
    transaction();
    expiry(one);
    assertThat(one.dbSize()).isEqualTo(KEYS + 1);
    assertThat(one.keys("key*")).hasSize(KEYS);
    List<String> scanned = new ArrayList<>();
    ScanParams few = new ScanParams().count(5).match("key*");
    String cursor = ScanParams.SCAN_POINTER_START;
    do {
      ScanResult<String> page = one.scan(cursor, few);
      scanned.addAll(page.getResult());
      cursor = page.getCursor();
    } while (!cursor.equals(ScanParams.SCAN_POINTER_START));
    assertThat(scanned).doesNotHaveDuplicates().hasSize(KEYS);
  }

  @Override
  public void worksInClusterMode() {
    pipeline(cluster);
    expiry(cluster);
    assertThat(cluster.dbSize()).isEqualTo(KEYS + 1);
    List<String> scanned = new ArrayList<>();
    cluster.scanIteration(5, "key*").collect(scanned);
    assertThat(scanned).doesNotHaveDuplicates().hasSize(KEYS);
  }

  private static void pipeline(UnifiedJedis jedis) {
    List<Response<String>> values = new ArrayList<>();
    try (AbstractPipeline pipeline = jedis.pipelined()) {
      for (int i = 0; i < KEYS; i++) {
        pipeline.set("key" + i, "value" + i);
      }
      for (int i = 0; i < KEYS; i++) {
        values.add(pipeline.get("key" + i));
      }
    }
    for (int i = 0; i < KEYS; i++) {
      assertThat(values.get(i).get()).isEqualTo("value" + i);
    }
  }

  /** On the client port: Jedis has none in cluster mode. */
  private void transaction() {
    one.set("{user7}visits", "1");
    one.set("{user7}name", "ada");
    try (AbstractTransaction transaction = one.transaction(false)) {
      transaction.watch("{user7}visits");
      transaction.multi();
      Response<Long> visits = transaction.incr("{user7}visits");
      Response<String> name = transaction.get("{user7}name");
      assertThat(transaction.exec()).isEqualTo(List.of(2L, "ada"));
      assertThat(visits.get()).isEqualTo(2);
      assertThat(name.get()).isEqualTo("ada");
    }
    try (AbstractTransaction transaction = one.transaction(false)) {
      transaction.watch("{user7}visits");
      one.set("{user7}visits", "7"); // somebody else does
      transaction.multi();
      transaction.incr("{user7}visits");
      assertThat(transaction.exec()).isNull();
    }
    assertThat(one.get("{user7}visits")).isEqualTo("7");
    assertThat(one.del("{user7}visits", "{user7}name")).isEqualTo(2);
  }

  private static void expiry(UnifiedJedis jedis) {
    jedis.set("short", "lived", SetParams.setParams().ex(100));
    assertThat(jedis.ttl("short")).isBetween(90L, 100L);
    assertThat(jedis.persist("short")).isOne();
    assertThat(jedis.ttl("short")).isEqualTo(-1);
  }

  @Override
  public void close() {
    one.close();
    cluster.close();
  }
}
