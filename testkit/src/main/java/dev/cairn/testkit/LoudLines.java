// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What the nodes of a cluster log at WARN and ERROR from a moment on. Lines that belong to such a
 * line count too, as those of a stack trace do: an event is one line.
 */
public final class LoudLines {
  /** The most such lines that a node may log of one fault of a minute, its end included. */
  public static final int MAX = 20;

  private static final int SHOWN = 3 * MAX;

  private final ProcessCluster cluster;
  private final List<Integer> from;

  private LoudLines(ProcessCluster cluster) {
    this.cluster = cluster;
    from = cluster.indexes().stream().map(node -> cluster.node(node).log().length()).toList();
  }

  /** From now on, of a cluster that was started. */
  public static LoudLines since(ProcessCluster cluster) {
    return new LoudLines(cluster);
  }

  /** All that a node has logged since, at any level. */
  public String logOf(int node) {
    return cluster.node(node).log().substring(from.get(node));
  }

  /** The lines of WARN and ERROR of a node since. */
  private List<String> linesOf(int node) {
    return loud(logOf(node));
  }

  /** The most lines that any node has logged since. */
  public int most() {
    return cluster.indexes().stream().mapToInt(node -> linesOf(node).size()).max().orElse(0);
  }

  /** Each node that has logged more than {@value #MAX} lines, with the first of them. */
  public List<String> excesses() {
    List<String> found = new ArrayList<>();
    for (int node : cluster.indexes()) {
      List<String> lines = linesOf(node);
      if (lines.size() > MAX) {
        found.add(
            String.format(
                "node %d logged %d lines of WARN and ERROR:%n%s",
                node,
                lines.size(),
                lines.stream().limit(SHOWN).collect(Collectors.joining(System.lineSeparator()))));
      }
    }
    return found;
  }

  private static List<String> loud(String log) {
    List<String> found = new ArrayList<>();
    boolean loud = false;
    for (String line : log.lines().toList()) {
      if (line.matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z .*")) {
        loud = line.matches("\\S+ (WARN|ERROR) .*");
      }
      if (loud) {
        found.add(line);
      }
    }
    return found;
  }
}
