// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.fault;

import dev.cairn.testkit.Surroundings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/**
 * A network namespace for each node, all on one bridge that this machine is on as well, so that
 * clients reach every node whatever stands between the nodes. Packets between two nodes are dropped
 * by iptables where they arrive: connections stay open and hear nothing, as behind a broken switch.
 *
 * <p>Needs Linux, root, iproute2 and iptables with its statistic module.
 */
public final class Namespaces implements Surroundings {
  private static final int NODES_MAX = 100;
  private static final String NETWORK = "10.213.";
  private static final String CUT = "cairn-cut";
  private static final String LOSS = "cairn-loss";

  private final List<String> names = new ArrayList<>();
  private final String bridge;
  private final String prefix;

  private Namespaces(int subnet) {
    prefix = NETWORK + subnet + ".";
    bridge = "cairn-b" + subnet;
  }

  /** Makes the namespaces of that many nodes. */
  public static Namespaces of(int nodes) {
    if (nodes > NODES_MAX) {
      throw new IllegalArgumentException("at most " + NODES_MAX + " nodes: " + nodes);
    }
    Namespaces made = new Namespaces(ThreadLocalRandom.current().nextInt(1, 255));
    AtExit.add(made);
    try {
      made.make(nodes);
      return made;
    } catch (RuntimeException e) {
      made.close();
      throw e;
    }
  }

  private synchronized void make(int nodes) {
    Tools.run("ip", "link", "add", bridge, "type", "bridge");
    Tools.run("ip", "addr", "add", prefix + "254/24", "dev", bridge);
    Tools.run("ip", "link", "set", bridge, "up");
    for (int node = 0; node < nodes; node++) {
      String name = bridge + "-" + node;
      String outside = outside(node);
      Tools.run("ip", "netns", "add", name);
      names.add(name);
      Tools.run(
          "ip", "link", "add", outside, "type", "veth", "peer", "name", "eth0", "netns", name);
      Tools.run("ip", "link", "set", outside, "master", bridge, "up");
      inside(node, "ip", "link", "set", "lo", "up");
      inside(node, "ip", "addr", "add", host(node) + "/24", "dev", "eth0");
      inside(node, "ip", "link", "set", "eth0", "up");
      for (String chain : List.of(CUT, LOSS)) {
        inside(node, "iptables", "-N", chain);
        inside(node, "iptables", "-A", "INPUT", "-j", chain);
      }
    }
  }

  private String outside(int node) {
    return bridge + "v" + node;
  }

  @Override
  public String host(int node) {
    return prefix + (node + 1);
  }

  @Override
  public boolean givesHosts() {
    return true;
  }

  @Override
  public void prepare(int node, Path data, ProcessBuilder builder) {
    List<String> command = new ArrayList<>(List.of("ip", "netns", "exec", names.get(node)));
    command.addAll(builder.command());
    builder.command(command); // ip becomes the command: the process id is the node's
  }

  /** Nothing passes from one node to another; the other way is not touched. */
  public void drop(int from, int to) {
    inside(to, "iptables", "-A", CUT, "-s", host(from), "-j", "DROP");
  }

  /** Nothing passes between the two, either way. */
  public void separate(int one, int other) {
    drop(one, other);
    drop(other, one);
  }

  /** Nothing passes between the node and any other. */
  public void isolate(int node) {
    for (int other = 0; other < names.size(); other++) {
      if (other != node) {
        separate(node, other);
      }
    }
  }

  /**
   * Of the packets between all nodes some are lost, chosen by chance.
   *
   * @param share 0.1 is one in ten
   */
  public void lose(double share) {
    for (int to = 0; to < names.size(); to++) {
      for (int from = 0; from < names.size(); from++) {
        if (from != to) {
          inside(
              to,
              "iptables",
              "-A",
              LOSS,
              "-s",
              host(from),
              "-m",
              "statistic",
              "--mode",
              "random",
              "--probability",
              Double.toString(share),
              "-j",
              "DROP");
        }
      }
    }
  }

  /** Of all that was {@link #drop dropped}, nothing is any more; what is lost stays lost. */
  public void heal() {
    flush(CUT);
  }

  /** No packets are {@link #lose lost} any more. */
  public void loseNothing() {
    flush(LOSS);
  }

  private void flush(String chain) {
    for (int node = 0; node < names.size(); node++) {
      inside(node, "iptables", "-F", chain);
    }
  }

  private String inside(int node, String... command) {
    List<String> all = new ArrayList<>(List.of("ip", "netns", "exec", names.get(node)));
    Collections.addAll(all, command);
    return Tools.run(all);
  }

  @Override
  public synchronized void close() {
    // The links first: the kernel removes those of a namespace that has ended, some time later.
    String links = Tools.run("ip", "-o", "link");
    for (int node = 0; node < names.size(); node++) {
      if (links.contains(outside(node) + "@")) {
        Tools.run("ip", "link", "del", outside(node));
      }
    }
    names.forEach(name -> Tools.run("ip", "netns", "del", name));
    names.clear();
    if (links.contains(bridge + ":")) {
      Tools.run("ip", "link", "del", bridge);
    }
    AtExit.remove(this);
  }
}
