// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.clients;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.springframework.cache.Cache;
import org.springframework.data.redis.cache.RedisCacheConfiguration;
import org.springframework.data.redis.cache.RedisCacheManager;
import org.springframework.data.redis.cache.RedisCacheWriter;
import org.springframework.data.redis.connection.RedisClusterConfiguration;
import org.springframework.data.redis.connection.RedisClusterConnection;
import org.springframework.data.redis.connection.RedisClusterNode;
import org.springframework.data.redis.connection.RedisConfiguration;
import org.springframework.data.redis.connection.RedisStandaloneConfiguration;
import org.springframework.data.redis.connection.lettuce.LettuceClientConfiguration;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;
import org.springframework.data.redis.core.Cursor;
import org.springframework.data.redis.core.RedisCallback;
import org.springframework.data.redis.core.RedisOperations;
import org.springframework.data.redis.core.ScanOptions;
import org.springframework.data.redis.core.SessionCallback;
import org.springframework.data.redis.core.StringRedisTemplate;

/** Spring Data Redis over Lettuce: {@code StringRedisTemplate}, and a cache of Spring's. */
final class SpringLibrary extends SetAndGetLibrary {
  private final Seed seed;
  private final LettuceConnectionFactory one;
  private final LettuceConnectionFactory cluster;

  SpringLibrary(Seed seed) {
    super("spring");
    this.seed = seed;
    one = one(seed);
    cluster = cluster(seed);
  }

  private static LettuceConnectionFactory one(Seed seed) {
    RedisStandaloneConfiguration where = new RedisStandaloneConfiguration(seed.host(), seed.port());
    logIn(where, seed);
    return factory(where, seed);
  }

  private static LettuceConnectionFactory cluster(Seed seed) {
    RedisClusterConfiguration where =
        new RedisClusterConfiguration(List.of(seed.host() + ":" + seed.port()));
    logIn(where, seed);
    return factory(where, seed);
  }

  private static void logIn(RedisConfiguration.WithAuthentication where, Seed seed) {
    seed.account()
        .ifPresent(
            account -> {
              where.setUsername(account.user());
              where.setPassword(account.password());
            });
  }

  private static LettuceConnectionFactory factory(RedisConfiguration where, Seed seed) {
    LettuceClientConfiguration.LettuceClientConfigurationBuilder how =
        LettuceClientConfiguration.builder()
            .commandTimeout(LettuceLibrary.TIMEOUT)
            .clientOptions(LettuceLibrary.options(seed))
            .clientResources(LettuceLibrary.RESOURCES)
            .shutdownTimeout(Duration.ZERO);
    if (seed.account().isPresent()) {
      how.useSsl();
    }
    LettuceConnectionFactory factory = new LettuceConnectionFactory(where, how.build());
    factory.afterPropertiesSet();
    factory.start();
    return factory;
  }

  @Override
  public String expectedErrors() {
    return "QueryTimeoutException: .*|RedisConnectionFailureException: .*|RedisSystemException: .*("
        + LettuceLibrary.ERRORS
        + ")";
  }

  @Override
  SetAndGet onClientPort() {
    return client(new StringRedisTemplate(one));
  }

  @Override
  Optional<SetAndGet> inClusterMode() {
    return Optional.of(client(new StringRedisTemplate(cluster)));
  }

  @Override
  public List<String> comingWith(String password) {
    Seed other = seed.withPassword(password);
    LettuceConnectionFactory refused = one(other);
    LettuceConnectionFactory refusedToo = cluster(other);
    try {
      return List.of(
          met(() -> new StringRedisTemplate(refused).opsForValue().get("key")),
          met(() -> new StringRedisTemplate(refusedToo).opsForValue().get("key")));
    } finally {
      refused.destroy();
      refusedToo.destroy();
    }
  }

  /** A cache of Spring's, too. */
  @Override
  Map<String, SetAndGet> others() {
    Cache cache = cacheOf(one);
    return Map.of(
        "cache",
        new SetAndGet() {
          @Override
          public void set(String key, String value) {
            cache.put(key, value);
          }

          @Override
          public String get(String key) {
            return cache.get(key, String.class);
          }
        });
  }

  private static SetAndGet client(StringRedisTemplate template) {
    return new SetAndGet() {
      @Override
      public void set(String key, String value) {
        template.opsForValue().set(key, value);
      }

      @Override
      public String get(String key) {
        return template.opsForValue().get(key);
      }
    };
  }

  @Override
  public void worksOnTheClientPort() {
    StringRedisTemplate template = new StringRedisTemplate(one);
    pipeline(template);
    transaction(template);
    expiry(template);
    List<String> scanned = new ArrayList<>();
    try (Cursor<String> cursor =
        template.scan(ScanOptions.scanOptions().match("key*").count(5).build())) {
      cursor.forEachRemaining(scanned::add);
    }
    assertThat(scanned).doesNotHaveDuplicates().hasSize(KEYS);
    assertThat(size(template)).isEqualTo(KEYS + 1);
    cache(one);
  }

  @Override
  public void worksInClusterMode() {
    StringRedisTemplate template = new StringRedisTemplate(cluster);
    pipeline(template);
    expiry(template);
    assertThat(template.keys("key*")).hasSize(KEYS);
    assertThat(scanNodeByNode()).doesNotHaveDuplicates().hasSize(KEYS);
    assertThat(size(template)).isEqualTo(KEYS + 1);
    cache(cluster);
  }

  /** It scans no cluster as a whole. */
  private List<String> scanNodeByNode() {
    List<String> scanned = new ArrayList<>();
    ScanOptions options = ScanOptions.scanOptions().match("key*").count(5).build();
    try (RedisClusterConnection connection = cluster.getClusterConnection()) {
      for (RedisClusterNode node : connection.clusterGetNodes()) {
        if (node.isMaster()) {
          try (Cursor<byte[]> cursor = connection.scan(node, options)) {
            cursor.forEachRemaining(key -> scanned.add(new String(key, StandardCharsets.UTF_8)));
          }
        }
      }
    }
    return scanned;
  }

  private static Long size(StringRedisTemplate template) {
    return template.execute(
        (RedisCallback<Long>) connection -> connection.serverCommands().dbSize());
  }

  private static void pipeline(StringRedisTemplate template) {
    List<Object> answers =
        template.executePipelined(
            (RedisCallback<Object>)
                connection -> {
                  for (int i = 0; i < KEYS; i++) {
                    connection.stringCommands().set(bytes("key" + i), bytes("value" + i));
                  }
                  for (int i = 0; i < KEYS; i++) {
                    connection.stringCommands().get(bytes("key" + i));
                  }
                  return null;
                });
    assertThat(answers).hasSize(2 * KEYS);
    for (int i = 0; i < KEYS; i++) {
      assertThat(answers.get(KEYS + i)).isEqualTo("value" + i);
    }
  }

  private static void transaction(StringRedisTemplate template) {
    List<Object> answers =
        template.execute(
            new SessionCallback<List<Object>>() {
              @Override
              @SuppressWarnings("unchecked")
              public <K, V> List<Object> execute(RedisOperations<K, V> operations) {
                RedisOperations<String, String> strings =
                    (RedisOperations<String, String>) operations;
                strings.multi();
                strings.opsForValue().set("{user7}name", "ada");
                strings.opsForValue().increment("{user7}visits");
                return strings.exec();
              }
            });
    assertThat(answers).containsExactly(true, 1L);
    assertThat(disturbed(template)).isNullOrEmpty();
    assertThat(template.opsForValue().get("{user7}visits")).isEqualTo("7");
    assertThat(template.delete(List.of("{user7}name", "{user7}visits"))).isEqualTo(2);
  }

  /** One whose watched key another connection writes before it is carried out. */
  private static List<Object> disturbed(StringRedisTemplate template) {
    return template.execute(
        new SessionCallback<List<Object>>() {
          @Override
          @SuppressWarnings("unchecked")
          public <K, V> List<Object> execute(RedisOperations<K, V> operations) {
            RedisOperations<String, String> strings = (RedisOperations<String, String>) operations;
            strings.watch("{user7}visits");
            // By another thread, since this one's connection is the session's.
            CompletableFuture.runAsync(() -> template.opsForValue().set("{user7}visits", "7"))
                .join();
            strings.multi();
            strings.opsForValue().increment("{user7}visits");
            return strings.exec();
          }
        });
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static void expiry(StringRedisTemplate template) {
    template.opsForValue().set("short", "lived", Duration.ofSeconds(100));
    assertThat(template.getExpire("short")).isBetween(90L, 100L);
    assertThat(template.persist("short")).isTrue();
    assertThat(template.getExpire("short")).isEqualTo(-1);
  }

  private static Cache cacheOf(LettuceConnectionFactory factory) {
    RedisCacheConfiguration configuration =
        RedisCacheConfiguration.defaultCacheConfig().entryTtl(Duration.ofMinutes(5));
    // Else Spring does not wait for what it puts.
    RedisCacheWriter writer =
        RedisCacheWriter.create(
            factory, RedisCacheWriter.RedisCacheWriterConfigurer::immediateWrites);
    Cache cache =
        RedisCacheManager.builder(writer).cacheDefaults(configuration).build().getCache("books");
    assertThat(cache).isNotNull();
    return cache;
  }

  private static void cache(LettuceConnectionFactory factory) {
    Cache cache = cacheOf(factory);
    cache.put("moby", "a whale");
    assertThat(cache.get("moby", String.class)).isEqualTo("a whale");
    assertThat(cache.putIfAbsent("moby", "a fish")).isNotNull();
    assertThat(cache.get("dick", () -> "computed")).isEqualTo("computed");
    assertThat(cache.get("dick", String.class)).isEqualTo("computed");
    cache.evict("moby");
    assertThat(cache.get("moby")).isNull();
    assertThat(new StringRedisTemplate(factory).getExpire("books::dick")).isBetween(200L, 300L);
    cache.clear();
    assertThat(cache.get("dick")).isNull();
  }

  @Override
  public void close() {
    one.destroy();
    cluster.destroy();
  }
}
