// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.differential;

import dev.cairn.protocol.RespWriter;
import dev.cairn.testkit.RespConnection;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Small things that Redis does, asked of a redis-server and of a node: each {@link Probe} on a
 * connection of its own, in one write, with QUIT behind it, once in RESP2 and once in RESP3. The
 * bytes that come back until the end must be the same, and the connection must end.
 *
 * <p>All probes run one after the other, and both servers are empty before the first: what one
 * leaves behind the next may read.
 */
final class Manners {
  private static final int SHOWN_MAX = 3000;

  private final Differential.Server node;
  private final Differential.Server redis;
  private final List<String> differences = new ArrayList<>();

  private Manners(Differential.Server node, Differential.Server redis) {
    this.node = node;
    this.redis = redis;
  }

  /** Asks everything; what differs and should not, and what should and does not. */
  static List<String> compare(
      Differential.Server node, Differential.Server redis, List<Probe> probes) throws IOException {
    Manners manners = new Manners(node, redis);
    boolean[] differed = new boolean[probes.size()];
    for (int version = 2; version <= 3; version++) {
      for (Differential.Server server : List.of(node, redis)) {
        try (RespConnection connection = server.connect()) {
          connection.call("FLUSHALL");
        }
      }
      for (int i = 0; i < probes.size(); i++) {
        try {
          differed[i] |= manners.differs(probes.get(i), version);
        } catch (IOException gone) {
          manners.differences.add(probes.get(i).name() + ": " + gone);
          return manners.differences; // a server that is gone, or answers no more
        }
      }
    }
    for (int i = 0; i < probes.size(); i++) {
      if (!differed[i] && probes.get(i).known().isPresent()) {
        manners.differences.add(probes.get(i).name() + ": is known to differ, and does not");
      }
    }
    return manners.differences;
  }

  private boolean differs(Probe probe, int version) throws IOException {
    String expected = probe.comparable(answer(redis, probe, version));
    String actual = probe.comparable(answer(node, probe, version));
    boolean same = expected.equals(actual);
    if (!same && probe.known().isEmpty()) {
      differences.add(
          "%s (RESP%d)%n--- Redis%n%s%n--- Cairn%n%s%n"
              .formatted(probe.name(), version, shown(expected), shown(actual)));
    }
    return !same;
  }

  private static byte[] answer(Differential.Server server, Probe probe, int version)
      throws IOException {
    try (RespConnection connection = server.connect()) {
      if (version > 2) {
        connection.call("HELLO", Integer.toString(version));
      }
      ByteArrayOutputStream request = new ByteArrayOutputStream();
      request.writeBytes(probe.request());
      if (!probe.open()) {
        request.writeBytes(RespWriter.command("QUIT"));
      }
      connection.send(request.toByteArray());
      return connection.readToEnd(probe.open());
    }
  }

  /** With the ends of lines as they are read. */
  private static String shown(String answer) {
    String text = answer.replace("\r\n", "\n");
    return text.length() <= SHOWN_MAX ? text : text.substring(0, SHOWN_MAX) + "...";
  }
}
