// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cairn.client.CairnClient;
import dev.cairn.client.Security;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * Whoever has no node's certificate at the peer port of a node that serves meanwhile: noise, TLS
 * hellos that are cut and spoiled, what other nodes said to each other in the clear, and whole
 * handshakes with a client's certificate, a stranger's and none. The node answers with TLS' own
 * bytes at most, keeps nothing of it, and stays healthy.
 *
 * <p>Twenty seconds, or {@code -Dcairn.fuzz.minutes=10}; {@code -Dcairn.fuzz.seed} repeats the
 * choices.
 */
@Tag("nightly")
class PeerPortFuzzTest {
  private static final long MINUTES = Long.getLong("cairn.fuzz.minutes", 0);
  private static final long SECONDS = MINUTES > 0 ? 60 * MINUTES : 20;
  private static final long WARM_UP_SECONDS = 8;
  private static final int ATTACKERS = 3;
  private static final int TIMEOUT_MILLIS = 20_000;
  private static final int CHUNKS_MAX = 2_000;

  /** What who speaks no TLS is told: magic, version, and that TLS is wanted. */
  private static final byte[] TLS_ONLY = {'C', 'R', 'N', 'T', 0, 2, 127};

  /** More than a node's part of a handshake has. */
  private static final int HANDSHAKE_BYTES_MAX = 8 * 1024;

  private static final int HANDSHAKE = 22;
  private static final int APPLICATION = 23;
  private static final long HEAP_GROWTH_KILOBYTES_MAX = 8 * 1024;

  /** Connections between nodes that come and go by themselves, and a client's. */
  private static final int SOCKETS_SLACK = 12;

  @RegisterExtension final Clusters clusters = Clusters.ofEachTest();
  @TempDir Path folder;
  @TempDir Path others;

  private final List<String> wrong = new CopyOnWriteArrayList<>();
  private final Map<String, Long> counts = new ConcurrentSkipListMap<>();
  private List<byte[]> conversation;
  private List<SSLContext> contexts;
  private InetSocketAddress target;

  /** One connection to the peer port. */
  private interface Attack {
    void by(Random random) throws IOException;
  }

  @Test
  @Timeout(value = 2, unit = TimeUnit.HOURS)
  void whoIsNoNodeGetsNothingAndLeavesNothing() throws Exception {
    conversation = recorded();
    Secured secured = Secured.in(folder);
    ProcessCluster cluster = clusters.startHealthy(ProcessCluster.of(3).in(secured));
    target = new InetSocketAddress(cluster.node(0).host(), cluster.node(0).peerPort());
    contexts = contexts(secured);
    long seed = Long.getLong("cairn.fuzz.seed", System.nanoTime());
    try (SteadyLoad load =
        SteadyLoad.start(cluster.client().build(), Pairs.packages().subList(0, 1_000), 20)) {
      load.awaitProgress(20);
      LoudLines loud = LoudLines.since(cluster);
      attack(seed, WARM_UP_SECONDS);
      awaitNoHandshake(cluster, secured);
      long heap = Memory.heapKilobytes(cluster.node(0).pid());
      long sockets = Memory.sockets(cluster.node(0).pid());
      counts.clear();
      attack(seed + 1, SECONDS);
      awaitNoHandshake(cluster, secured);
      load.awaitProgress(20);
      load.finish();
      cluster.awaitHealthy();
      long grown = Memory.heapKilobytes(cluster.node(0).pid()) - heap;
      long more = Memory.sockets(cluster.node(0).pid()) - sockets;
      System.out.printf(
          "seed %d, %d s: %s; heap after a collection %+d KB, sockets %+d, at most %d loud lines a node%n",
          seed, SECONDS, counts, grown, more, loud.most());
      assertThat(wrong).as("seed %d", seed).isEmpty();
      assertThat(counts).hasSize(attacks().size()).allSatisfy((k, n) -> assertThat(n).isPositive());
      assertThat(grown).as("KB").isLessThan(HEAP_GROWTH_KILOBYTES_MAX);
      assertThat(more).as("sockets").isLessThanOrEqualTo(SOCKETS_SLACK);
      assertThat((long) loud.most()).isLessThanOrEqualTo(LoudLines.MAX * Math.max(1, MINUTES));
      try (CairnClient reader = cluster.client().build()) {
        assertThat(load.differences(reader)).isEmpty();
      }
    }
  }

  /** What nodes without TLS say to each other while they form a cluster and take a few writes. */
  private static List<byte[]> recorded() throws IOException {
    List<byte[]> chunks = Collections.synchronizedList(new ArrayList<>());
    try (ProcessCluster plain =
        ProcessCluster.of(3)
            .withNetwork(
                network ->
                    network.tap(
                        bytes -> {
                          if (chunks.size() < CHUNKS_MAX) {
                            chunks.add(bytes);
                          }
                        }))
            .start()) {
      plain.awaitHealthy();
      try (RespConnection connection = plain.connect(0)) {
        for (int i = 0; i < 200; i++) {
          connection.call("SET", "recorded" + i, "value");
        }
      }
    }
    assertThat(chunks).hasSizeGreaterThan(100);
    return List.copyOf(chunks);
  }

  /** A client's certificate of the nodes' own CA, a node's of another CA, and none. */
  private List<SSLContext> contexts(Secured secured) throws IOException {
    Secured strangers = Secured.in(others);
    Optional<Path> ca = Optional.of(secured.ca());
    return List.of(
        Security.context(
            ca, Optional.of(secured.clientCertificate()), Optional.of(secured.clientKey())),
        Security.context(
            ca, Optional.of(strangers.nodeCertificate()), Optional.of(strangers.nodeKey())),
        Security.context(ca, Optional.empty(), Optional.empty()));
  }

  private void attack(long seed, long seconds) throws InterruptedException {
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
    List<Thread> attackers = new ArrayList<>();
    for (int i = 0; i < ATTACKERS; i++) {
      Random random = new Random(seed + 31L * i);
      attackers.add(
          new Thread(
              () -> {
                while (System.nanoTime() < until) {
                  attack(random);
                }
              },
              "attacker-" + i));
    }
    attackers.forEach(Thread::start);
    for (Thread attacker : attackers) {
      attacker.join();
    }
  }

  private Map<String, Attack> attacks() {
    return Map.of(
        "noise", this::noise,
        "spoiled hellos", this::spoiledHello,
        "frames in the clear", this::frames,
        "handshakes", this::handshake);
  }

  private void attack(Random random) {
    List<Map.Entry<String, Attack>> all = List.copyOf(new TreeMap<>(attacks()).entrySet());
    Map.Entry<String, Attack> one = all.get(random.nextInt(all.size()));
    try {
      one.getValue().by(random);
    } catch (SocketTimeoutException e) {
      wrong.add(one.getKey() + ": a connection is neither answered nor closed");
    } catch (IOException reset) {
      // Closed with bytes of ours unread: nothing was answered.
    }
    counts.merge(one.getKey(), 1L, Long::sum);
  }

  // ---- in the clear ----

  private void noise(Random random) throws IOException {
    byte[][] beginnings = {
      {}, {22, 3, 1}, {22, 3, 3, 0, 50, 1}, {22, 3, 1, 64, 0, 1, 0, 63}, {'C', 'R', 'N', 'P', 0, 2}
    };
    byte[] noise = new byte[random.nextInt(2_000)];
    random.nextBytes(noise);
    send(List.of(beginnings[random.nextInt(beginnings.length)], noise));
  }

  private void spoiledHello(Random random) throws IOException {
    byte[] hello = hello(contexts.get(random.nextInt(contexts.size())), random);
    for (int i = random.nextInt(4); i > 0; i--) {
      hello[random.nextInt(hello.length)] ^= (byte) (1 << random.nextInt(8));
    }
    int cut = random.nextInt(3) == 0 ? random.nextInt(hello.length) : hello.length;
    byte[] more = new byte[random.nextInt(3) == 0 ? random.nextInt(200) : 0];
    random.nextBytes(more);
    send(List.of(Arrays.copyOf(hello, cut), more));
  }

  private static byte[] hello(SSLContext context, Random random) throws IOException {
    SSLEngine engine = context.createSSLEngine("127.0.0.1", 1);
    engine.setUseClientMode(true);
    if (random.nextBoolean()) {
      engine.setEnabledProtocols(new String[] {"TLSv1.2"});
    }
    engine.beginHandshake();
    ByteBuffer record = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
    engine.wrap(ByteBuffer.allocate(0), record);
    return Arrays.copyOf(record.array(), record.position());
  }

  private void frames(Random random) throws IOException {
    int from = random.nextInt(conversation.size());
    send(conversation.subList(from, Math.min(conversation.size(), from + 1 + random.nextInt(4))));
  }

  private void send(List<byte[]> parts) throws IOException {
    try (Socket socket = new Socket()) {
      socket.connect(target, TIMEOUT_MILLIS);
      socket.setSoTimeout(TIMEOUT_MILLIS);
      for (byte[] part : parts) {
        socket.getOutputStream().write(part);
      }
      socket.shutdownOutput();
      byte[] answer = socket.getInputStream().readAllBytes();
      if (answer.length > 0 && !Arrays.equals(answer, TLS_ONLY) && !isOfHandshake(answer)) {
        wrong.add("answered " + HexFormat.of().formatHex(answer));
      }
    }
  }

  /** Whether it is records of a handshake and alerts; what is encrypted follows a hello only. */
  private static boolean isOfHandshake(byte[] answer) {
    boolean greeted = false;
    int at = 0;
    while (at + 5 <= answer.length) {
      int type = answer[at];
      int length = ((answer[at + 3] & 0xFF) << 8) | (answer[at + 4] & 0xFF);
      if (type < 20 || type > APPLICATION || answer[at + 1] != 3) {
        return false;
      }
      if (type == APPLICATION && !greeted) {
        return false;
      }
      greeted |= type == HANDSHAKE;
      at += 5 + length;
    }
    return at == answer.length && answer.length <= HANDSHAKE_BYTES_MAX;
  }

  // ---- inside TLS ----

  private void handshake(Random random) throws IOException {
    SSLContext context = contexts.get(random.nextInt(contexts.size()));
    try (SSLSocket socket =
        (SSLSocket)
            context.getSocketFactory().createSocket(target.getAddress(), target.getPort())) {
      socket.setSoTimeout(TIMEOUT_MILLIS);
      if (random.nextBoolean()) {
        socket.setEnabledProtocols(new String[] {"TLSv1.2"});
      }
      socket.startHandshake(); // with TLS 1.3 it is refused only behind its end
      int from = random.nextInt(conversation.size());
      socket.getOutputStream().write(conversation.get(0));
      socket.getOutputStream().write(conversation.get(from));
      int first = socket.getInputStream().read();
      if (first >= 0) {
        wrong.add("answered inside TLS, beginning with " + first);
      }
    }
  }

  private static void awaitNoHandshake(ProcessCluster cluster, Secured secured) {
    await("nobody to be at a handshake")
        .atMost(Duration.ofSeconds(60))
        .ignoreExceptions()
        .until(
            () ->
                secured.measured(cluster.node(0), "cairn_handshakes_under_way{port=\"peer\"}")
                    == 0);
  }
}
