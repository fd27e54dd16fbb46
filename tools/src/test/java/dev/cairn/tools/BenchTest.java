// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.cairn.protocol.RespValue;
import dev.cairn.protocol.Slots;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code cairn bench} against servers that answer as the test says. Logic only: no speed. */
@Tag("long")
final class BenchTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path folder;
  private FakeCluster server;

  @BeforeEach
  void start() throws IOException {
    server = new FakeCluster();
  }

  @AfterEach
  void stop() throws IOException {
    server.close();
  }

  private ToolRun bench(String... options) {
    Map<String, String> defaults = new TreeMap<>();
    defaults.put("--clients", "2");
    defaults.put("--keys", "50");
    defaults.put("--warm-up", "0");
    defaults.put("--seconds", "1"); // a window that a busy machine does not sleep through
    defaults.put("--nodes", server.nodes());
    defaults.keySet().removeAll(Arrays.asList(options));
    List<String> arguments = new ArrayList<>(List.of("bench"));
    defaults.forEach((option, value) -> arguments.addAll(List.of(option, value)));
    arguments.addAll(Arrays.asList(options));
    return ToolRun.of("", arguments.toArray(String[]::new));
  }

  private JsonNode json() throws IOException {
    return JSON.readTree(folder.resolve("result.json").toFile());
  }

  private String jsonFile() {
    return folder.resolve("result.json").toString();
  }

  @Test
  void loadsAndMeasuresAMixAndWritesFiles() throws IOException {
    Path csv = folder.resolve("result.csv");
    Path plot = folder.resolve("result.svg");
    ToolRun run =
        bench(
            "--workload",
            "a",
            "--load",
            "--seed",
            "7",
            "--pipeline",
            "4",
            "--key-prefix",
            "{t}:",
            "--csv",
            csv.toString(),
            "--json",
            jsonFile(),
            "--plot",
            plot.toString());

    assertThat(run.exitStatus()).as(run.err() + run.out()).isZero();
    assertThat(run.err()).contains("a (get=50,set=50), zipfian, 50 keys").contains("seed 7");
    assertThat(run.out()).contains("operation").contains("errors: none").contains("all  ");
    assertThat(server.values).hasSize(50).containsKeys("{t}:000000000000", "{t}:000000000049");
    assertThat(server.values.values())
        .allSatisfy(value -> assertThat(((RespValue.Bulk) value).bytes()).hasSize(100));
    assertThat(json().at("/not_found").asLong()).isZero();
    assertThat(json().at("/operations/0/operation").asText()).isEqualTo("get");
    assertThat(json().at("/operations/2/count").asLong())
        .isEqualTo(
            json().at("/operations/0/count").asLong() + json().at("/operations/1/count").asLong());
    assertThat(Files.readString(csv)).contains("\nall,");
    assertThat(Files.readString(plot)).startsWith("<svg");
  }

  @Test
  void aRateSendsWhatIsDueAndNoMore() throws IOException {
    ToolRun run =
        bench("--workload", "get", "--rate", "500", "--seconds", "400ms", "--json", jsonFile());

    assertThat(run.exitStatus()).as(run.err() + run.out()).isZero();
    assertThat(json().at("/operations/0/count").asLong() + json().get("never_started").asLong())
        .isEqualTo(200);
    assertThat(run.out()).contains("reads found no value; --load writes all keys first");
  }

  @Test
  void insertsAreNewKeysAndReadModifyWriteIsTwoRequests() throws IOException {
    ConcurrentLinkedQueue<List<String>> seen = new ConcurrentLinkedQueue<>();
    server.first(
        words -> {
          seen.add(words);
          return Optional.empty();
        });
    ToolRun run = bench("--mix", "insert=1,rmw=1", "--clients", "1", "--json", jsonFile());

    assertThat(run.exitStatus()).as(run.err() + run.out()).isZero();
    assertThat(server.values).containsKey("bench:000000000050").containsKey("bench:000000000051");
    long reads = seen.stream().filter(words -> words.get(0).equals("GET")).count();
    assertThat(json().at("/operations/1/operation").asText()).isEqualTo("rmw");
    assertThat(reads).isEqualTo(json().at("/operations/1/count").asLong());
    String read = null;
    for (List<String> words : seen) {
      if (read != null) {
        assertThat(words.get(0)).isEqualTo("SET");
        assertThat(words.get(1)).isEqualTo(read);
      }
      read = words.get(0).equals("GET") ? words.get(1) : null;
    }
  }

  @Test
  void anErrorIsCountedByItsCodeAndNeverAsSuccess() throws IOException {
    AtomicInteger refused = new AtomicInteger();
    server.first(
        words -> {
          if (words.get(0).equals("SET")) {
            refused.incrementAndGet();
            return Optional.of(new RespValue.ErrorReply("TRYAGAIN no majority"));
          }
          return Optional.empty();
        });
    ToolRun run = bench("--workload", "a", "--json", jsonFile());

    assertThat(run.exitStatus()).isEqualTo(3);
    assertThat(run.out()).contains(" x TRYAGAIN, the first: TRYAGAIN no majority");
    assertThat(json().at("/errors/0/count").asInt()).isEqualTo(refused.get());
    assertThat(json().at("/operations/0/operation").asText()).isEqualTo("get");
    assertThat(json().at("/operations/1/operation").asText()).isEqualTo("all");
  }

  @Test
  void onlyErrorsIsNothingMeasured() {
    server.first(words -> Optional.of(new RespValue.ErrorReply("NOAUTH Authentication required.")));

    ToolRun run = bench();

    assertThat(run.exitStatus()).isEqualTo(1);
    assertThat(run.out()).contains(" x NOAUTH, the first: NOAUTH Authentication required.");
  }

  @Test
  void aReplyOfAnotherTypeIsAnError() {
    server.first(words -> Optional.of(new RespValue.Int(1)));

    assertThat(bench().out()).contains(" x UNEXPECTED_REPLY");
  }

  @Test
  void aWriteIsDoneWhenEnoughReplicasConfirmed() throws IOException {
    AtomicInteger waits = new AtomicInteger();
    AtomicInteger tooFew = new AtomicInteger();
    ConcurrentLinkedQueue<String> seen = new ConcurrentLinkedQueue<>();
    server.first(
        words -> {
          seen.add(words.get(0));
          if (!words.get(0).equals("WAIT")) {
            return Optional.empty();
          }
          assertThat(words).containsExactly("WAIT", "2", "1000");
          boolean few = waits.incrementAndGet() % 3 == 0;
          tooFew.addAndGet(few ? 1 : 0);
          return Optional.of(new RespValue.Int(few ? 1 : 2));
        });
    ToolRun run = bench("--wait", "2", "--clients", "1", "--pipeline", "3", "--json", jsonFile());

    assertThat(run.exitStatus()).isEqualTo(3);
    assertThat(run.out())
        .contains("x TOO_FEW_REPLICAS, the first: 1 of 2 replicas confirmed within 1 s");
    assertThat(json().at("/errors/0/count").asInt()).isEqualTo(tooFew.get());
    assertThat(json().at("/operations/0/count").asInt()).isEqualTo(waits.get() - tooFew.get());
    int i = 0;
    for (String command : seen) {
      assertThat(command).isEqualTo(i++ % 2 == 0 ? "SET" : "WAIT");
    }
  }

  @Test
  void keysGoToTheMasterOfTheirSlotAndMovedIsFollowed() throws IOException {
    try (FakeCluster other = new FakeCluster()) {
      AtomicInteger asked = new AtomicInteger();
      AtomicInteger moved = new AtomicInteger();
      int half = Slots.COUNT / 2;
      // The first answer is out of date: it knows one master only.
      server.first(
          words -> {
            if (words.get(0).equals("CLUSTER")) {
              return Optional.of(
                  asked.incrementAndGet() == 1
                      ? slots(range(0, Slots.COUNT - 1, server))
                      : slots(range(0, half - 1, server), range(half, Slots.COUNT - 1, other)));
            }
            int slot = Slots.of(words.get(1).getBytes(StandardCharsets.UTF_8));
            if (slot < half) {
              return Optional.empty();
            }
            moved.incrementAndGet();
            return Optional.of(new RespValue.ErrorReply("MOVED " + slot + " " + other.nodes()));
          });
      ToolRun run = bench("--cluster", "--load", "--json", jsonFile());

      assertThat(run.exitStatus()).as(run.err() + run.out()).isZero();
      assertThat(asked.get()).isGreaterThanOrEqualTo(2);
      assertThat(moved.get()).isPositive();
      assertThat(server.values.keySet()).isNotEmpty().allMatch(key -> slot(key) < half);
      assertThat(other.values.keySet()).isNotEmpty().allMatch(key -> slot(key) >= half);
      assertThat(server.values.size() + other.values.size()).isEqualTo(50);
    }
  }

  @Test
  void movedRoundInCirclesIsAnErrorInTheEnd() {
    server.first(
        words ->
            Optional.of(
                words.get(0).equals("CLUSTER")
                    ? slots(range(0, Slots.COUNT - 1, server))
                    : new RespValue.ErrorReply(
                        "MOVED "
                            + Slots.of(words.get(1).getBytes(StandardCharsets.UTF_8))
                            + " "
                            + server.nodes())));

    ToolRun run = bench("--cluster");

    assertThat(run.exitStatus()).isEqualTo(1);
    assertThat(run.out()).contains(" x MOVED, the first: MOVED ").contains("MOVED, followed: ");
  }

  @Test
  void withoutAClusterModeAServerSaysSo() {
    server.first(
        words ->
            Optional.of(
                new RespValue.ErrorReply("ERR This instance has cluster support disabled")));

    ToolRun run = bench("--cluster");

    assertThat(run.exitStatus()).isEqualTo(1);
    assertThat(run.err())
        .contains(
            "CLUSTER SLOTS of " + server.nodes() + ": it answered ERR This instance has cluster");
  }

  @Test
  void aConnectionThatBreaksIsCountedAndOpenedAgain() throws IOException {
    AtomicInteger count = new AtomicInteger();
    AtomicInteger cut = new AtomicInteger();
    server.first(
        words -> {
          if (count.incrementAndGet() % 20 == 0) {
            cut.incrementAndGet();
            return Optional.of(FakeCluster.CUT);
          }
          return Optional.empty();
        });
    ToolRun run = bench("--seconds", "0.5", "--json", jsonFile());

    assertThat(run.exitStatus()).isEqualTo(3);
    assertThat(run.out()).contains(" x CONNECTION_LOST").contains("connections lost: ");
    assertThat(cut.get()).isGreaterThan(2); // so it was opened again
    // One that was cut in the last moment was lost after the time that counts.
    assertThat(json().get("connections_lost").asInt()).isBetween(cut.get() - 2, cut.get());
    assertThat(json().at("/errors/0/count").asInt()).isEqualTo(cut.get());
  }

  @Test
  void aServerThatNeverAnswersIsATimeout() {
    CountDownLatch never = new CountDownLatch(1);
    server.first(
        words -> {
          try {
            never.await();
          } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
          }
          return Optional.of(FakeCluster.CUT);
        });
    ToolRun run = bench("--timeout", "0.2");
    never.countDown();

    assertThat(run.exitStatus()).isEqualTo(1);
    assertThat(run.out()).contains(" x TIMEOUT");
  }

  @Test
  void aLoadThatGetsNowhereEndsWithTheReason() {
    server.first(words -> Optional.of(new RespValue.ErrorReply("READONLY You can't write")));

    ToolRun run = bench("--load", "--timeout", "0.1", "--keys", "1000000000");

    assertThat(run.exitStatus()).isEqualTo(1);
    assertThat(run.err()).contains("no key could be written for 0.2 s: READONLY You can't write");
  }

  @Test
  void noConnectionIsSaid() throws IOException {
    FakeCluster gone = new FakeCluster();
    String nodes = gone.nodes();
    gone.close();

    ToolRun run = bench("--nodes", nodes);

    assertThat(run.exitStatus()).isEqualTo(1);
    assertThat(run.err()).contains("cairn bench: no connection to " + nodes + ": ");
  }

  @Test
  void progressIsALineASecondWhereThereIsNoTerminal() {
    ToolRun run = bench("--warm-up", "1100ms", "--seconds", "1100ms");

    assertThat(run.err()).containsPattern("warm-up  1 of 1 s  [\\d,]+ ops/s  p50 .* errors 0");
    assertThat(run.err()).contains("measure  1 of 1 s");
  }

  @Test
  void wrongUseSaysWhatIsRight() {
    assertMisuse("--workload must be set, get, a, b, c, d or f, not 'e'", "--workload", "e");
    assertMisuse("--workload or --mix, not both", "--workload", "a", "--mix", "get=1");
    assertMisuse("--mix: 'scan=1' is no share", "--mix", "scan=1");
    assertMisuse("--distribution must be uniform, zipfian or latest", "--distribution", "normal");
    assertMisuse("--clients must be 1 to 10000", "--clients", "0");
    assertMisuse("--clients must be 1 to 10000", "--clients", "10001");
    assertMisuse("--pipeline must be 1 to 1000", "--pipeline", "1001");
    assertMisuse("--rate must be 0.01", "--rate", "-1");
    assertMisuse("--rate must be 0.01", "--rate", "0");
    assertMisuse("--keys must be 1 to 1000000000", "--keys", "0");
    assertMisuse("--value-bytes must be 0 to 16777216", "--value-bytes", "16777217");
    assertMisuse("take fewer --clients", "--value-bytes", "16777216", "--clients", "64");
    assertMisuse("--wait must be 0 to 100", "--wait", "101");
    assertMisuse("--warm-up must be a time such as 30s", "--warm-up", "soon");
    assertMisuse("--seconds must be 0.01 to 86400", "--seconds", "0");
    assertMisuse("--timeout must be 0.01 to 3600 seconds", "--timeout", "0");
    assertMisuse("--pids must be numbers such as 71,72, not 'x'", "--pids", "1,x");
    assertMisuse("cannot write to ", "--csv", folder.resolve("no/such/file").toString());
    assertMisuse("--nodes: ", "--nodes", "nowhere");
  }

  private void assertMisuse(String message, String... options) {
    List<String> arguments = new ArrayList<>(List.of("bench"));
    if (!List.of(options).contains("--nodes")) {
      arguments.addAll(List.of("--nodes", server.nodes()));
    }
    arguments.addAll(Arrays.asList(options));
    ToolRun run = ToolRun.of("", arguments.toArray(String[]::new));
    assertThat(run.err()).contains(message).contains("How to use it: cairn bench --help");
    assertThat(run.exitStatus()).as(message).isEqualTo(2);
  }

  private static int slot(String key) {
    return Slots.of(key.getBytes(StandardCharsets.UTF_8));
  }

  private static RespValue slots(RespValue... ranges) {
    return new RespValue.Array(List.of(ranges));
  }

  private static RespValue range(int from, int to, FakeCluster master) {
    String port = master.nodes().substring(master.nodes().indexOf(':') + 1);
    return new RespValue.Array(
        List.of(
            new RespValue.Int(from),
            new RespValue.Int(to),
            new RespValue.Array(
                List.of(
                    RespValue.bulk("127.0.0.1"),
                    new RespValue.Int(Integer.parseInt(port)),
                    RespValue.bulk("id")))));
  }
}
