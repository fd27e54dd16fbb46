// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.protocol.RespValue;
import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Scans over three nodes, another node each step, while one of them is killed: every key that was
 * there all along is seen.
 *
 * <p>By hand or before a release with a million keys: {@code -Dcairn.scan.keys=1000000}.
 */
@Tag("long")
class ScanClusterTest {
  private static final int KEYS = Integer.getInteger("cairn.scan.keys", 6_000);
  private static final int KEYS_AT_ONCE = 500;
  private static final int COUNT = 100;

  @RegisterExtension final Clusters clusters = Clusters.ofEachTest();

  private final BitSet seen = new BitSet(KEYS);
  private long shown;
  private long steps;

  @Test
  @Timeout(1_800)
  void everyKeyThatWasThereAllAlongIsSeen() throws IOException {
    ProcessCluster cluster = clusters.startHealthy(ProcessCluster.of(3));
    try (RespConnection connection = cluster.connect(0)) {
      for (int from = 0; from < KEYS; from += KEYS_AT_ONCE) {
        put(connection, from);
      }
      assertThat(connection.call("DBSIZE")).isEqualTo(new RespValue.Int(KEYS));
      List<String> keys = texts(connection.call("KEYS", key(7) + "*"));
      assertThat(keys).as("in their order").isSorted().contains(key(7));
    }

    scan(cluster, List.of(0), -1);
    assertThat(seen.cardinality()).isEqualTo(KEYS);
    assertThat(shown).as("nothing was changed: no key twice").isEqualTo(KEYS);

    scan(cluster, cluster.indexes(), -1);
    assertThat(seen.cardinality()).isEqualTo(KEYS);
    assertThat(shown).as("any node goes on where another ended").isEqualTo(KEYS);

    scan(cluster, cluster.indexes(), 1);
    assertThat(seen.cardinality()).isEqualTo(KEYS);
    System.out.printf(
        "scan of %d keys over three nodes, one killed half way: %d steps, %d keys shown%n",
        KEYS, steps, shown);
  }

  /**
   * From the start to the end, another of these nodes each step.
   *
   * @param killed the node that is killed half way; -1: none is
   */
  private void scan(ProcessCluster cluster, List<Integer> through, int killed) throws IOException {
    seen.clear();
    shown = 0;
    steps = 0;
    List<RespConnection> connections = new ArrayList<>();
    try {
      for (int node : through) {
        connections.add(cluster.connect(node));
      }
      boolean running = true;
      String cursor = "0";
      int node = 0;
      boolean ended = false;
      while (!ended) {
        if (running && killed >= 0 && seen.cardinality() >= KEYS / 2) {
          running = false;
          cluster.kill(killed);
          connections.remove(killed).close();
        }
        RespConnection connection = connections.get(node++ % connections.size());
        String[] step = {"SCAN", cursor, "COUNT", Integer.toString(COUNT), "MATCH", "scanned:*"};
        RespValue reply = connection.call(step);
        if (reply instanceof RespValue.ErrorReply error) {
          // For a moment its partition has no leader: the same step again.
          assertThat(error.code()).isIn("CLUSTERDOWN", "TRYAGAIN");
          continue;
        }
        List<RespValue> page = ((RespValue.Array) reply).elements();
        cursor = RespConnection.text(page.get(0));
        for (String key : texts(page.get(1))) {
          seen.set(Integer.parseInt(key.substring(key.indexOf(':') + 1)));
          shown++;
        }
        // It ends: what a killed node knew is looked at twice at most.
        assertThat(++steps).isLessThan(3L * (KEYS / COUNT + 100));
        ended = cursor.equals("0");
      }
    } finally {
      for (RespConnection connection : connections) {
        connection.close();
      }
    }
  }

  private static void put(RespConnection connection, int from) throws IOException {
    List<String> words = new ArrayList<>(List.of("MSET"));
    for (int i = from; i < Math.min(KEYS, from + KEYS_AT_ONCE); i++) {
      words.addAll(List.of(key(i), "v"));
    }
    assertThat(connection.call(words.toArray(new String[0]))).isEqualTo(RespValue.OK);
  }

  private static String key(int number) {
    return "scanned:" + number;
  }

  private static List<String> texts(RespValue array) {
    return ((RespValue.Array) array).elements().stream().map(RespConnection::text).toList();
  }
}
