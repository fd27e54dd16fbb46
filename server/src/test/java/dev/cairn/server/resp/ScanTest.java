// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.resp;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.protocol.ErrorCode;
import dev.cairn.protocol.RespReader;
import dev.cairn.protocol.RespValue;
import dev.cairn.protocol.RespWriter;
import dev.cairn.server.TestLoops;
import dev.cairn.server.command.PortKind;
import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.operation.Reply;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Scans over two fronts of one cluster in memory, which at times forgets the cursors it gave. */
final class ScanTest {
  private final FakeRouter router = new FakeRouter(6, Runnable::run);
  private final List<RespServer> servers = new ArrayList<>();
  private final List<Client> clients = new ArrayList<>();

  @BeforeEach
  void open() throws IOException {
    for (int i = 0; i < 2; i++) {
      RespServer server =
          RespServer.start(
              FrontConfig.of("127.0.0.1", 0, "x", TestLoops.SHARED),
              router,
              PortKind.CLIENT,
              new Metrics(),
              () -> {});
      servers.add(server);
      clients.add(new Client(server.port()));
    }
  }

  @AfterEach
  void close() throws IOException {
    for (Client client : clients) {
      client.socket.close();
    }
    servers.forEach(RespServer::stop);
  }

  @Test
  void everyKeyThatWasThereAllAlongIsSeenWhateverHappensMeanwhile() throws IOException {
    for (long seed = 1; seed <= 30; seed++) {
      Random random = new Random(seed);
      clients.get(0).call("FLUSHALL");
      Set<String> staying = new TreeSet<>();
      Set<String> ever = new TreeSet<>();
      for (int i = 0; i < 300; i++) {
        put(staying, ever, key(random));
      }
      String pattern = List.of("*", "k1*", "k[12]*", "*5").get(random.nextInt(4));
      boolean forgets = random.nextInt(3) == 0;
      Set<String> seen = new TreeSet<>();
      String cursor = "0";
      int steps = 0;
      do {
        int count = 1 + random.nextInt(20);
        if (forgets && random.nextInt(30) == 0) {
          router.forgetCursors();
        }
        RespValue reply =
            clients
                .get(random.nextInt(2))
                .call("SCAN", cursor, "MATCH", pattern, "COUNT", Integer.toString(count));
        List<RespValue> page = ((RespValue.Array) reply).elements();
        cursor = text(page.get(0));
        seen.addAll(keys(page));
        change(random, staying, ever);
        assertThat(++steps).as("seed %d", seed).isLessThan(2_000);
      } while (!cursor.equals("0"));
      String regex = pattern.replace("*", ".*");
      assertThat(seen)
          .as("seed %d, %s", seed, pattern)
          .containsAll(staying.stream().filter(key -> key.matches(regex)).toList())
          .allSatisfy(key -> assertThat(ever).contains(key))
          .allSatisfy(key -> assertThat(key).matches(regex));
    }
  }

  @Test
  void aCursorThatIsNotKnownAnyMoreBeginsThePartitionAnew() throws IOException {
    for (int i = 0; i < 50; i++) {
      clients.get(0).call("SET", "{u}%02d".formatted(i), "v");
    }
    List<RespValue> first = scan(clients.get(0), "0", "10");
    List<RespValue> second = scan(clients.get(1), text(first.get(0)), "10");
    List<RespValue> again = scan(clients.get(0), text(first.get(0)), "10");
    assertThat(keys(second)).first().isEqualTo("{u}10");
    assertThat(keys(again)).as("a step can be repeated").isEqualTo(keys(second));
    router.forgetCursors();
    List<RespValue> anew = scan(clients.get(0), text(second.get(0)), "10");
    assertThat(keys(anew)).first().isEqualTo("{u}00");
  }

  @Test
  void aPartitionWithoutLeaderIsSaidAndGoneOnWithLater() throws IOException {
    for (int i = 0; i < 100; i++) {
      clients.get(0).call("SET", "key" + i, "v");
    }
    router.failures.put(2, new Reply.Failed(ErrorCode.CLUSTERDOWN, "no leader"));
    assertThat(clients.get(0).call("KEYS", "*"))
        .isEqualTo(new RespValue.ErrorReply("CLUSTERDOWN no leader"));
    List<RespValue> until = scan(clients.get(0), "0", "1000");
    assertThat(text(until.get(0))).as("what came before it is told").isEqualTo("2");
    assertThat(clients.get(0).call("SCAN", "2", "COUNT", "1000"))
        .isEqualTo(new RespValue.ErrorReply("CLUSTERDOWN no leader"));
    router.failures.clear();
    List<RespValue> rest = scan(clients.get(0), "2", "1000");
    assertThat(text(rest.get(0))).isEqualTo("0");
    assertThat(
            ((RespValue.Array) until.get(1)).elements().size()
                + ((RespValue.Array) rest.get(1)).elements().size())
        .isEqualTo(100);
  }

  @Test
  void randomKeyComesOverAllKeys() throws IOException {
    Set<String> all = new TreeSet<>();
    for (int i = 0; i < 1_000; i++) {
      all.add("key" + i);
      clients.get(0).call("SET", "key" + i, "v");
    }
    Set<String> seen = new TreeSet<>();
    for (int i = 0; i < 200_000 && !seen.equals(all); i++) {
      seen.add(text(clients.get(0).call("RANDOMKEY")));
    }
    assertThat(seen).isEqualTo(all);
  }

  @Test
  void moreKeysThanMemoryAreNotGathered() throws IOException {
    String longKey = "k".repeat(60_000);
    for (int i = 0; i < 1_200; i++) {
      clients.get(0).call("SET", longKey + i, "v");
    }
    RespValue reply = clients.get(0).call("KEYS", "*");
    assertThat(reply)
        .isEqualTo(
            new RespValue.ErrorReply("ERR too many keys for one reply: walk over them by SCAN"));
    assertThat(clients.get(0).call("KEYS", "x*")).isEqualTo(RespValue.array());
    clients.get(0).call("FLUSHALL");
    clients.get(0).call("SET", "x", "v");
    assertThat(clients.get(0).call("KEYS", "*")).isEqualTo(RespValue.array(RespValue.bulk("x")));
  }

  private void put(Set<String> staying, Set<String> ever, String key) throws IOException {
    clients.get(0).call("SET", key, "v");
    staying.add(key);
    ever.add(key);
  }

  /** Adds keys, which may be seen or not, and removes some, which then were not there all along. */
  private void change(Random random, Set<String> staying, Set<String> ever) throws IOException {
    String added = key(random);
    if (!ever.contains(added)) {
      clients.get(1).call("SET", added, "v");
      ever.add(added);
    }
    String removed = key(random);
    clients.get(1).call("DEL", removed);
    staying.remove(removed);
  }

  private static String key(Random random) {
    return "k" + random.nextInt(1_000);
  }

  private static List<RespValue> scan(Client client, String cursor, String count)
      throws IOException {
    return ((RespValue.Array) client.call("SCAN", cursor, "COUNT", count)).elements();
  }

  private static List<String> keys(List<RespValue> page) {
    return ((RespValue.Array) page.get(1)).elements().stream().map(ScanTest::text).toList();
  }

  private static String text(RespValue value) {
    return new String(((RespValue.Bulk) value).bytes(), UTF_8);
  }

  private static final class Client {
    private final Socket socket;
    private final RespReader reader = new RespReader();
    private final byte[] chunk = new byte[65_536];

    Client(int port) throws IOException {
      socket = new Socket(InetAddress.getLoopbackAddress(), port);
      socket.setTcpNoDelay(true);
    }

    RespValue call(String... words) throws IOException {
      socket.getOutputStream().write(RespWriter.command(words));
      while (true) {
        Optional<RespValue> value = reader.next();
        if (value.isPresent()) {
          return value.get();
        }
        int count = socket.getInputStream().read(chunk);
        assertThat(count).as("the server closed").isPositive();
        reader.feed(chunk, 0, count);
      }
    }
  }
}
