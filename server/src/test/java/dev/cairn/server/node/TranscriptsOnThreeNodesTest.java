// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.protocol.RespValue;
import dev.cairn.server.command.PortKind;
import dev.cairn.server.partition.LogLimits;
import dev.cairn.server.resp.RespServer;
import dev.cairn.server.resp.Transcript;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The transcripts of the client port that are about data, on a cluster of three nodes with each
 * command sent to the next node: nothing may tell which one was asked.
 */
class TranscriptsOnThreeNodesTest {
  /** Those of what a connection or a node says of itself. */
  private static final Set<String> NOT_ABOUT_DATA =
      Set.of(
          "administration.txt",
          "cairn.txt",
          "cluster-on-client-port.txt",
          "cluster-with-replica.txt",
          "connection.txt",
          "consistency.txt",
          "help.txt",
          "server.txt",
          "users.txt");

  /** What the replies are that a clock decides; transcripts have those of a clock of 2026. */
  private static final Set<String> TIMES = Set.of("TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME");

  @TempDir Path folder;

  @Test
  void nobodyCanTellWhichNodeIsAsked() throws IOException {
    List<String> played = new ArrayList<>();
    try (RuntimeCluster cluster = RuntimeCluster.start(folder, LogLimits.DEFAULT)) {
      for (Transcript transcript : Transcript.all()) {
        if (transcript.face() == PortKind.CLIENT && !NOT_ABOUT_DATA.contains(transcript.name())) {
          played.add(transcript.name());
          play(transcript, cluster);
        }
      }
    }
    assertThat(played)
        .containsExactly(
            "bits.txt",
            "compare-and-set.txt",
            "expiry.txt",
            "keys.txt",
            "scan.txt",
            "strings.txt",
            "transactions.txt");
  }

  private static void play(Transcript transcript, RuntimeCluster cluster) throws IOException {
    List<RespServer> servers = new ArrayList<>();
    try {
      for (int i = 0; i < 3; i++) {
        servers.add(Transcript.serve(cluster.node(i).router(), PortKind.CLIENT));
      }
      try (RoundRobin nodes = new RoundRobin(servers)) {
        String played = transcript.play(nodes);
        assertThat(withoutTimes(played)).isEqualTo(withoutTimes(transcript.text()));
        assertThat(nodes.asked).as(transcript.name()).containsExactly(0, 1, 2);
        assertThat(nodes.say("FLUSHALL")).isEqualTo(RespValue.OK);
      }
    } finally {
      servers.forEach(RespServer::close);
    }
  }

  /** How long a key stays depends on when it is asked: what a command about it replied is left. */
  private static String withoutTimes(String text) {
    List<String> lines = new ArrayList<>(text.lines().toList());
    for (int i = 1; i < lines.size(); i++) {
      String[] command = lines.get(i - 1).split(" ");
      if (command[0].equals(">") && TIMES.contains(command[1])) {
        lines.set(i, lines.get(i).replaceFirst("\\) \\d+$", ") TIME"));
      }
    }
    return String.join("\n", lines);
  }

  /**
   * A connection to each node, spoken to in turn. What belongs to a transaction goes to the node at
   * which it began, what sets up a connection to all.
   */
  private static final class RoundRobin implements Transcript.Speaker, AutoCloseable {
    private static final Set<String> TRANSACTION =
        Set.of("MULTI", "EXEC", "DISCARD", "WATCH", "UNWATCH");
    private static final Set<String> SET_UP = Set.of("HELLO", "RESET");

    final Set<Integer> asked = new TreeSet<>();
    private final List<Transcript.Connection> nodes = new ArrayList<>();
    private int next;
    private int bound; // the node of the transaction
    private boolean inMulti;

    RoundRobin(List<RespServer> servers) throws IOException {
      for (RespServer server : servers) {
        nodes.add(new Transcript.Connection(server));
      }
    }

    @Override
    public RespValue say(String line) throws IOException {
      List<String> words = Arrays.asList(line.toUpperCase(Locale.ROOT).split(" "));
      String name = words.get(0);
      if (SET_UP.contains(name)) {
        inMulti = false;
        RespValue reply = null;
        for (Transcript.Connection node : nodes) {
          reply = node.say(line);
        }
        return reply;
      }
      boolean stays = inMulti || TRANSACTION.contains(name);
      int node = stays ? bound : next++ % nodes.size();
      asked.add(node);
      RespValue reply = nodes.get(node).say(line);
      boolean done = reply.equals(RespValue.OK);
      if (name.equals("MULTI") && done) {
        inMulti = true;
      } else if (inMulti && (words.contains("EXEC") || (name.equals("DISCARD") && done))) {
        inMulti = false;
        bound = next % nodes.size();
      }
      return reply;
    }

    @Override
    public void close() throws IOException {
      for (Transcript.Connection node : nodes) {
        node.close();
      }
    }
  }
}
