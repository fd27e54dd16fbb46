// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus.simulation;

import dev.cairn.consensus.Configuration;
import dev.cairn.consensus.Member;
import dev.cairn.consensus.Message;
import dev.cairn.consensus.Peer;
import dev.cairn.consensus.Role;
import dev.cairn.consensus.Settings;
import dev.cairn.consensus.SnapshotReference;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;

/**
 * One cluster of one group, its network, disks, clients and faults, in one thread. One seed is one
 * run: everything that is random comes from it, and time is simulated.
 *
 * <p>A run has a storm of a given number of steps and then a calm: all comes back, and within three
 * simulated seconds a new write must be applied by every full replica.
 */
public final class Simulation implements World {
  private static final long CALM_MILLIS = 3000;
  private static final int LAST_MESSAGES = 60;

  private final SplittableRandom random;
  private final Events events = new Events();
  private final Network network;
  private final Settings settings;
  private final Oracle oracle;
  private final Map<Peer, Machine> machines = new TreeMap<>();
  private final Map<String, Long> counters = new TreeMap<>();
  private final Deque<String> lastMessages = new ArrayDeque<>();
  private final Storm storm;
  private boolean stormy = true;
  private long hash = 1125899906842597L;
  private long tokens;

  private Simulation(long seed) {
    this.random = new SplittableRandom(seed);
    this.network = new Network(events, random.split(), this::arrive);
    this.settings = someSettings();
    Configuration founded = founded();
    this.oracle = new Oracle(founded);
    founded
        .everybody()
        .forEach(
            peer ->
                machines.put(
                    peer, new Machine(this, peer, Machine.isWitness(founded, peer), founded)));
    this.storm = new Storm(this, random.split());
  }

  /** What a run came to. */
  public record Outcome(long hash, Map<String, Long> counters) {}

  /**
   * Runs one seed.
   *
   * @param seed of all that is random
   * @param steps of the storm
   * @throws AssertionError when something happened that may not
   */
  public static Outcome run(long seed, int steps) {
    Simulation simulation = new Simulation(seed);
    try {
      simulation.run(steps);
    } catch (AssertionError | RuntimeException e) {
      AssertionError failure =
          new AssertionError(
              "seed "
                  + seed
                  + ", "
                  + steps
                  + " steps, at "
                  + simulation.now()
                  + " ms: "
                  + e.getMessage()
                  + "\n"
                  + String.join("\n", simulation.lastMessages),
              e);
      throw failure;
    }
    return new Outcome(simulation.hash, simulation.counters);
  }

  /** The same for a class loader that knows other classes than its caller: null, or what failed. */
  public static String failureOf(long seed, int steps) {
    try {
      run(seed, steps);
      return null;
    } catch (AssertionError e) {
      return e.getMessage();
    }
  }

  /** Shorter times than a node's, so that more happens in a step; bounds that are met often. */
  private Settings someSettings() {
    int bytes = random.nextBoolean() ? 32 : 64 << random.nextInt(8);
    return new Settings(150, 100, 40, 10, 10, 300, bytes, 4 * bytes, 2 * bytes);
  }

  private Configuration founded() {
    int shape = random.nextInt(5);
    List<Member> voters = new ArrayList<>();
    int replicas = new int[] {2, 2, 3, 1, 4}[shape];
    for (int i = 0; i < replicas; i++) {
      voters.add(new Member(new Peer("n" + i, 1), Role.REPLICA));
    }
    if (replicas % 2 == 0) {
      voters.add(new Member(new Peer("n" + replicas, 1), Role.WITNESS));
    }
    return Configuration.stable(1, voters, List.of());
  }

  private void run(int steps) {
    machines.values().forEach(Machine::start);
    storm.begin();
    write();
    for (int i = 0; i < steps; i++) {
      if (!events.step()) {
        throw new AssertionError("nothing is left to happen");
      }
      hash = hash * 31 + events.now();
    }
    calm();
    counters.merge("entries acknowledged", oracle.acknowledged(), Long::sum);
    counters.merge("simulated milliseconds", now(), Long::sum);
  }

  private void calm() {
    stormy = false;
    storm.end();
    long until = now() + CALM_MILLIS;
    long before = oracle.acknowledged();
    while (now() < until && !isWhole(before)) {
      events.step();
      hash = hash * 31 + events.now();
    }
    Oracle.check(
        isWhole(before),
        () ->
            CALM_MILLIS
                + " ms after the last fault not all is well: acknowledged "
                + before
                + ", then "
                + oracle.acknowledged()
                + describe());
  }

  private boolean isWhole(long before) {
    long acknowledged = oracle.acknowledged();
    if (acknowledged <= before) {
      return false;
    }
    for (Member member : oracle.newestCommitted().voters()) {
      Machine machine = machines.get(member.peer());
      if (member.role() == Role.REPLICA
          && !machine.isDestroyed()
          && machine.appliedIndex() <= before) {
        return false;
      }
    }
    return true;
  }

  private String describe() {
    StringBuilder text = new StringBuilder();
    machines.forEach(
        (peer, machine) -> {
          text.append('\n').append(peer).append(machine.witness ? " witness" : "");
          text.append(
              machine.isUp()
                  ? " " + machine.status() + " applied " + machine.appliedIndex()
                  : machine.isDestroyed() ? " destroyed" : " down");
        });
    return text.toString();
  }

  // ---- Clients ----

  private void write() {
    for (Machine machine : machines.values()) {
      if (random.nextInt(3) > 0) {
        machine.write(String.valueOf(tokens++).getBytes(StandardCharsets.UTF_8));
      }
      if (random.nextInt(3) == 0) {
        machine.read(tokens++);
      }
    }
    events.after(1 + random.nextInt(30), this::write);
  }

  // ---- The world ----

  @Override
  public long now() {
    return events.now();
  }

  @Override
  public SplittableRandom random() {
    return random;
  }

  @Override
  public Settings settings() {
    return settings;
  }

  @Override
  public Oracle oracle() {
    return oracle;
  }

  @Override
  public void after(long millis, Runnable action) {
    events.after(millis, action);
  }

  @Override
  public void send(Message message) {
    network.send(message);
  }

  private void arrive(Message message) {
    lastMessages.addLast(now() + " " + message);
    if (lastMessages.size() > LAST_MESSAGES) {
      lastMessages.removeFirst();
    }
    hash = hash * 31 + message.toString().length();
    for (Machine machine : machines.values()) {
      if (machine.peer.node().equals(message.to().node())) {
        machine.receive(message); // another incarnation drops it
      }
    }
  }

  @Override
  public void died(String node) {
    machines.values().stream()
        .filter(machine -> machine.isUp() && network.reaches(node, machine.peer.node()))
        .forEach(machine -> machine.gone(node));
  }

  @Override
  public SnapshotReference copyOf(Peer source, String by) {
    Machine machine = machines.get(source);
    boolean served =
        machine != null && machine.isUp() && !machine.witness && network.reaches(source.node(), by);
    return served ? machine.disk().data() : null;
  }

  @Override
  public void witnessDropped(Peer witness, long upTo) {
    count("witness dropped entries");
    List<Peer> known = machines.get(witness).status().configuration().everyFullReplica();
    for (Peer replica : oracle.committedConfiguration().everyFullReplica()) {
      Machine machine = machines.get(replica);
      if (known.contains(replica) && !machine.isDestroyed()) {
        Oracle.check(
            machine.disk().data().index() >= upTo,
            () ->
                witness
                    + " let go of entries up to "
                    + upTo
                    + ", "
                    + replica
                    + " has flushed "
                    + machine.disk().data().index());
      }
    }
  }

  @Override
  public boolean isStormy() {
    return stormy;
  }

  @Override
  public void count(String what) {
    counters.merge(what, 1L, Long::sum);
  }

  // ---- For the storm ----

  Network network() {
    return network;
  }

  Map<Peer, Machine> machines() {
    return machines;
  }
}
