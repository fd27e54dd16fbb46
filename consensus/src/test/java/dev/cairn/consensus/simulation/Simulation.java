// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus.simulation;

import static java.util.function.Predicate.not;

import dev.cairn.consensus.Batch;
import dev.cairn.consensus.Message;
import dev.cairn.consensus.Message.Ballot;
import dev.cairn.consensus.Message.VoteReply;
import dev.cairn.consensus.Settings;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.LongFunction;
import java.util.function.UnaryOperator;

/**
 * One cluster of some groups, its network, disks, clients and faults, in one thread. One seed is
 * one run: everything that is random comes from it, and time is simulated.
 *
 * <p>A run has a storm of a given number of steps and then a calm: all comes back, and within three
 * simulated seconds a new write must be applied by every full replica of every group, and every
 * move of members must be done.
 */
public final class Simulation {

  /** Nobody asks for so long before a node is lost: groups sleep by then. */
  private static final int REST_MILLIS = 1000;

  private static final long CALM_MILLIS = 3000;
  private static final int LAST_BATCHES = 60;
  private static final long VOTES = 0x5deece66dL; // what the deaths of voters have of their own

  private record Arrived(long at, Batch batch) {}

  private final SimulatedLog.Maker logs;
  private final SimulatedState.Maker states;
  private final UnaryOperator<Batch> wire;
  private final SplittableRandom random;
  private final SplittableRandom randomOfCuts; // its own, so that it moves no other choice
  private final int asksPerCut; // of a witness to let go of its log; 0 for no cuts
  private final Events events = new Events();
  private final Network network;
  private final boolean governed;
  private final Settings settings;
  private final Map<String, Node> nodes = new TreeMap<>();
  private final List<SimulatedGroup> groups = new ArrayList<>();
  private final Map<String, Long> counters = new TreeMap<>();
  private final Deque<Arrived> lastBatches = new ArrayDeque<>();
  private final Storm storm;
  private final int restOfClientsMillis;
  private final boolean crowded;
  private boolean stormy = true;
  private boolean clientsRest;
  private boolean keepsHouse = true;
  private long hash = 1125899906842597L;
  private long tokens;

  private Simulation(
      long seed, SimulatedLog.Maker logs, SimulatedState.Maker states, UnaryOperator<Batch> wire) {
    this.logs = logs;
    this.states = states;
    this.wire = wire;
    this.random = new SplittableRandom(seed);
    this.randomOfCuts = new SplittableRandom(~seed);
    this.asksPerCut = randomOfCuts.nextBoolean() ? 0 : 2 + randomOfCuts.nextInt(10);
    this.network = new Network(events, random.split(), this::arrive);
    this.governed = random.nextBoolean();
    this.settings = someSettings();
    this.restOfClientsMillis = random.nextInt(4) == 0 ? 1000 : 30; // or groups never sleep
    int count = random.nextBoolean() ? 1 : 2 + random.nextInt(3);
    this.crowded = random.nextInt(3) == 0;
    for (int id = 1; id <= count; id++) {
      groups.add(new SimulatedGroup(this, id, random.split()));
    }
    this.storm = new Storm(this, random.split(), new SplittableRandom(seed ^ VOTES));
  }

  /** What a run came to. */
  public record Outcome(long hash, Map<String, Long> counters) {}

  /**
   * Runs one seed on twins of the log.
   *
   * @param seed of all that is random
   * @param steps of the storm
   * @throws AssertionError when something happened that may not
   */
  public static Outcome run(long seed, int steps) {
    return run(seed, steps, null, null, UnaryOperator.identity());
  }

  /**
   * Runs one seed.
   *
   * @param logs makes the nodes' logs; null for twins
   * @param states makes the replicas' states; null for twins
   * @param wire what arrives of a batch that was sent: an equal one
   */
  public static Outcome run(
      long seed,
      int steps,
      SimulatedLog.Maker logs,
      SimulatedState.Maker states,
      UnaryOperator<Batch> wire) {
    Simulation simulation = new Simulation(seed, logs, states, wire);
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
                  + simulation.describeLastBatches(),
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
    long promotionLagMax = governed ? 16 : Long.MAX_VALUE;
    return new Settings(
        150, 100, 40, 10, 10, 300, promotionLagMax, true, bytes, 4 * bytes, 2 * bytes);
  }

  private void run(int steps) {
    nodes.values().forEach(Node::start);
    groups.forEach(SimulatedGroup::begin);
    storm.begin();
    useAll();
    for (int i = 0; i < steps; i++) {
      step();
    }
    calm();
    if (random.nextInt(3) == 0) {
      loseANodeWhileGroupsSleep();
    } else {
      askALeaderThatWasReplaced();
    }
    nodes.values().forEach(node -> hash = hash * 31 + node.log().hash());
    for (SimulatedGroup group : groups) {
      group.machines().values().forEach(machine -> hash = hash * 31 + machine.hash());
      count("entries acknowledged", group.oracle().acknowledged());
    }
    count("groups", groups.size());
    count("simulated milliseconds", now());
  }

  private void step() {
    if (!events.step()) {
      throw new AssertionError("nothing is left to happen");
    }
    hash = hash * 31 + events.now();
  }

  private void calm() {
    stormy = false;
    storm.end();
    groups.forEach(SimulatedGroup::changeNoMore);
    long until = now() + CALM_MILLIS;
    Map<SimulatedGroup, Long> before = new LinkedHashMap<>();
    groups.forEach(group -> before.put(group, group.oracle().acknowledged()));
    while (now() < until && !isWhole(before)) {
      step();
    }
    Oracle.check(
        isWhole(before),
        () -> CALM_MILLIS + " ms after the last fault not all is well" + describe(before));
  }

  /** One node goes for good while nobody asks for anything; all groups go on without it. */
  private void loseANodeWhileGroupsSleep() {
    List<Node> lost =
        nodes.values().stream()
            .filter(Node::isUp)
            .filter(node -> groups.stream().allMatch(group -> group.goesOnWithout(node.name)))
            .toList();
    if (lost.isEmpty()) {
      return;
    }
    clientsRest = true;
    keepsHouse = false;
    runFor(REST_MILLIS);
    Node chosen = lost.get(random.nextInt(lost.size()));
    count("nodes lost while groups slept", chosen.shard().asleep() > 0 ? 1 : 0);
    lose(chosen);
    runFor(CALM_MILLIS);
    clientsRest = false;
    Map<SimulatedGroup, Long> before = new LinkedHashMap<>();
    groups.forEach(group -> before.put(group, group.oracle().acknowledged()));
    runFor(CALM_MILLIS);
    before.forEach(
        (group, acknowledged) ->
            Oracle.check(
                group.oracle().acknowledged() > acknowledged,
                () -> "a node was lost, and nothing is acknowledged any more" + group.describe()));
  }

  /**
   * The process of a leader stops while it asks. Others lead and sleep by the time it goes on; it
   * hears the answers to its earlier question then, and is asked anew before it hears of them.
   */
  private void askALeaderThatWasReplaced() {
    SimulatedGroup group = groups.get(random.nextInt(groups.size()));
    Machine former = group.leader().orElse(null);
    if (former == null || nodes.size() == 1) {
      return;
    }
    String frozen = former.node.name;
    List<String> others = nodes.keySet().stream().filter(not(frozen::equals)).toList();
    String reaches = others.get(random.nextInt(others.size()));
    clientsRest = true;
    keepsHouse = false;
    runFor(random.nextInt(40));
    former.read(tokens++);
    runFor(1);
    former.node.freeze(2 * REST_MILLIS);
    others.stream().filter(not(reaches::equals)).forEach(each -> network.cut(each, frozen));
    runFor(REST_MILLIS / 2);
    for (int i = 0; i < 20; i++) {
      group.machines().values().forEach(each -> each.write(tokens++));
      runFor(5);
    }
    runFor(REST_MILLIS);
    boolean replaced =
        group.machines().values().stream().anyMatch(each -> each != former && each.leads());
    count("leaders asked that were replaced", replaced && former.leads() ? 1 : 0);
    former.read(tokens++);
    runFor(REST_MILLIS);
    network.heal();
  }

  /** Its process ends, or it hears nobody and then is not heard either. */
  private void lose(Node node) {
    if (random.nextInt(3) == 0) {
      node.kill();
      return;
    }
    nodes.keySet().forEach(other -> network.cut(other, node.name));
    runFor(random.nextInt((int) (2 * settings.beatMillis())));
    nodes.keySet().forEach(other -> network.cut(node.name, other));
  }

  private void runFor(long millis) {
    long until = now() + millis;
    while (now() < until) {
      step();
    }
  }

  private static boolean isWhole(Map<SimulatedGroup, Long> before) {
    return before.entrySet().stream().allMatch(each -> each.getKey().isWhole(each.getValue()));
  }

  private static String describe(Map<SimulatedGroup, Long> before) {
    StringBuilder text = new StringBuilder();
    before.forEach(
        (group, acknowledged) -> {
          if (!group.isWhole(acknowledged)) {
            text.append(": acknowledged ").append(acknowledged).append(" before, ");
            text.append(group.oracle().acknowledged()).append(" now").append(group.describe());
          }
        });
    return text.toString();
  }

  // ---- Clients ----

  private void useAll() {
    for (SimulatedGroup group : clientsRest ? List.<SimulatedGroup>of() : groups) {
      for (Machine machine : group.machines().values()) {
        if (random.nextInt(3) > 0) {
          machine.write(tokens++);
        }
        if (random.nextInt(3) == 0) {
          machine.read(tokens++);
        }
      }
    }
    events.after(1 + random.nextInt(stormy ? restOfClientsMillis : 30), this::useAll);
  }

  // ---- The world ----

  long now() {
    return events.now();
  }

  SplittableRandom random() {
    return random;
  }

  Settings settings() {
    return settings;
  }

  /** The log of a node; twins need to know what replicas' disks must hold. */
  SimulatedLog makeLog(SplittableRandom ofNode, LongFunction<Disk> disks) {
    return logs == null ? new TwinLog(ofNode, disks) : logs.make(ofNode.split(), this::count);
  }

  /** What the states of a group have in common. */
  SimulatedState.OfGroup makeStates(SplittableRandom ofGroup) {
    return states == null ? new TwinState.Group() : states.make(ofGroup.split(), this::count);
  }

  Network network() {
    return network;
  }

  boolean isGoverned() {
    return governed;
  }

  /** Whether data is flushed and logs are cut, which wakes groups. */
  boolean keepsHouse() {
    return keepsHouse;
  }

  /** Whether the log of a witness has reached its bound just now. */
  boolean cutsWitness() {
    return stormy && asksPerCut > 0 && randomOfCuts.nextInt(asksPerCut) == 0;
  }

  /** Whether all groups begin on the same few nodes. */
  boolean isCrowded() {
    return crowded;
  }

  /** Whether faults are still coming. */
  boolean isStormy() {
    return stormy;
  }

  List<SimulatedGroup> groups() {
    return groups;
  }

  Collection<Node> nodes() {
    return nodes.values();
  }

  /** A node by its name; one that is new begins at once. */
  Node node(String name) {
    Node known = nodes.get(name);
    if (known == null) {
      known = new Node(this, name);
      nodes.put(name, known);
      if (!groups.isEmpty()) {
        known.start();
      }
    }
    return known;
  }

  void after(long millis, Runnable action) {
    events.after(millis, action);
  }

  void send(Batch batch) {
    network.send(wire.apply(batch));
    if (stormy && batch.messages().stream().anyMatch(each -> isVote(each.message()))) {
      storm.voted(nodes.get(batch.from()));
    }
  }

  private static boolean isVote(Message message) {
    return message instanceof VoteReply reply && reply.granted() && reply.ballot() != Ballot.PRE;
  }

  private void arrive(Batch batch) {
    lastBatches.addLast(new Arrived(now(), batch));
    if (lastBatches.size() > LAST_BATCHES) {
      lastBatches.removeFirst();
    }
    hash = hash * 31 + batch.from().hashCode() + 7L * batch.to().hashCode() + batch.session();
    for (Batch.Envelope each : batch.messages()) {
      hash = hash * 31 + each.message().term() + each.message().getClass().getName().hashCode();
    }
    nodes.get(batch.to()).input(0, shard -> shard.receive(batch, now()));
  }

  private String describeLastBatches() {
    StringBuilder text = new StringBuilder();
    for (Arrived each : lastBatches) {
      Batch batch = each.batch();
      String head =
          each.at() + " " + batch.from() + "#" + batch.session() + ">" + batch.to() + "  ";
      if (batch.beat() != null) {
        text.append(head).append(batch.beat()).append('\n');
      }
      if (batch.reply() != null) {
        text.append(head).append(batch.reply()).append('\n');
      }
      for (Batch.Envelope envelope : batch.messages()) {
        text.append(head).append(envelope.group()).append(": ");
        text.append(Texts.text(envelope.message())).append('\n');
      }
    }
    return text.toString();
  }

  /** A process ended, or its connections: the others' are refused. */
  void died(String name, long session) {
    for (Node node : nodes.values()) {
      if (node.isUp() && !node.name.equals(name) && network.reaches(name, node.name)) {
        node.input(0, shard -> shard.gone(name, session, now()));
      }
    }
  }

  // ---- For the storm ----

  void asks(Machine leader) {
    if (stormy) {
      storm.asks(leader);
    }
  }

  void copied(Machine source) {
    if (stormy) {
      storm.copied(source);
    }
  }

  /** Counts something that a test wants to have seen. */
  void count(String what) {
    count(what, 1);
  }

  /** Counts several. */
  void count(String what, long times) {
    if (times > 0) {
      counters.merge(what, times, Long::sum);
    }
  }
}
