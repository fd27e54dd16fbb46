// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus.simulation;

import dev.cairn.consensus.Configuration;
import dev.cairn.consensus.Member;
import dev.cairn.consensus.Peer;
import dev.cairn.consensus.Role;
import dev.cairn.consensus.SnapshotReference;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.Predicate;

/** One group of a simulation: its members on their nodes, its oracle, and who changes them. */
final class SimulatedGroup {
  private final Simulation world;
  final long id;
  private final Map<Peer, Machine> machines = new TreeMap<>();
  private final Oracle oracle;
  private final SimulatedState.OfGroup states;
  private final Controller controller;
  private final WildChanges wildChanges;

  SimulatedGroup(Simulation world, long id, SplittableRandom random) {
    this.world = world;
    this.id = id;
    Configuration founded = founded(random, world.isCrowded());
    this.oracle = new Oracle(founded);
    this.states = world.makeStates(random);
    this.controller = new Controller(this, random.split());
    this.wildChanges = new WildChanges(this, random.split());
    for (Member member : founded.voters()) {
      host(member, founded);
    }
  }

  private static Configuration founded(SplittableRandom random, boolean crowded) {
    int shape = random.nextInt(5);
    int first = crowded ? 0 : random.nextInt(7);
    List<Member> voters = new ArrayList<>();
    int replicas = new int[] {2, 2, 3, 1, 4}[shape];
    for (int i = 0; i < replicas; i++) {
      voters.add(new Member(new Peer("n" + (first + i) % 7, 1), Role.REPLICA));
    }
    if (replicas % 2 == 0) {
      voters.add(new Member(new Peer("n" + (first + replicas) % 7, 1), Role.WITNESS));
    }
    return Configuration.stable(1, voters, List.of());
  }

  Simulation world() {
    return world;
  }

  Oracle oracle() {
    return oracle;
  }

  Map<Peer, Machine> machines() {
    return machines;
  }

  /** The state of a replica that is placed. */
  SimulatedState newState(SnapshotReference founded) {
    return states.place(founded);
  }

  /** What a client's entry has. */
  byte[] request(long token) {
    return states.request(token);
  }

  // ---- Members ----

  void begin() {
    if (world.isGoverned()) {
      controller.begin();
    }
  }

  void changeMembers() {
    if (world.isGoverned()) {
      controller.plan();
    } else {
      leader().ifPresent(wildChanges::changeBy);
    }
  }

  void changeNoMore() {
    controller.planNoMore();
  }

  /** Places a new member on an empty disk. */
  Peer place(String node, long incarnation, Role role) {
    Peer peer = new Peer(node, incarnation);
    host(new Member(peer, role), Configuration.NONE);
    return peer;
  }

  private void host(Member member, Configuration founded) {
    Node node = world.node(member.peer().node());
    Machine machine = new Machine(this, node, member, founded);
    machines.put(member.peer(), machine);
    node.host(id, machine);
  }

  /** Whether a node has a replica of this group. */
  boolean isOn(String node) {
    return machines.entrySet().stream()
        .anyMatch(each -> each.getKey().node().equals(node) && !each.getValue().isDestroyed());
  }

  /** Whether a disk may be lost: a configuration is settled, and all its voters have theirs. */
  boolean othersAreThere(Configuration present, Peer without) {
    return !present.isJoint()
        && keepsWhatWent(present, without)
        && present.voters().size() > 2
        && oracle.newestCommitted().equals(present)
        && present.voters().stream()
            .map(member -> machines.get(member.peer()))
            .noneMatch(Machine::isDestroyed);
  }

  /** Whether a peer's disk may be lost, while nobody is moved. */
  boolean survivesLossOf(Peer peer) {
    Configuration present = leader().map(each -> each.status().configuration()).orElse(null);
    return present != null
        && controller.isIdle()
        && othersAreThere(present, peer)
        && present.voters().stream().anyMatch(member -> member.peer().equals(peer));
  }

  /** Who leads, in the highest term; empty if nobody does. */
  Optional<Machine> leader() {
    return machines.values().stream()
        .filter(Machine::leads)
        .max(Comparator.comparingLong(machine -> machine.status().term()));
  }

  /**
   * Who has just won has a log that is no older than those of a majority in each half: those who
   * voted for it take nothing from anybody else until they hear it.
   */
  void isUpToDate(Machine leader) {
    long lastBefore = leader.status().last() - 1; // its own first entry does not count
    long termBefore = leader.node.shard().termAt(id, lastBefore);
    Configuration configuration = leader.status().configuration();
    if (leader.status().term() < oracle.highestTerm() || leader.status().last() != 1 + lastBefore) {
      return;
    }
    for (List<Member> half : List.of(configuration.voters(), configuration.outgoing())) {
      long behind =
          half.stream()
              .map(member -> machines.get(member.peer()))
              .filter(
                  each ->
                      each == leader || each.isDestroyed() || each.endsBy(termBefore, lastBefore))
              .count();
      Oracle.check(
          half.isEmpty() || behind > half.size() / 2,
          () -> leader.peer + " won and ends at " + lastBefore + "@" + termBefore + describe());
    }
  }

  /** When the outgoing half goes, each replica has what the witnesses that stay do not have. */
  void leavesNobodyBehind(Configuration settled) {
    if (settled.isJoint()) {
      return;
    }
    long base = 0;
    for (Member member : settled.voters()) {
      if (member.role() == Role.WITNESS) {
        Machine witness = machines.get(member.peer());
        base = Math.max(base, witness.disk().base() > witness.cutTo() ? witness.disk().base() : 0);
      }
    }
    for (Member member : settled.voters()) {
      Machine machine = machines.get(member.peer());
      long witnessBase = base;
      Oracle.check(
          machine.witness || machine.isDestroyed() || machine.disk().last() >= witnessBase,
          () -> member.peer() + " stays without entries that no witness has: " + witnessBase);
    }
  }

  // ---- Snapshots and witnesses ----

  /** The data of a peer as of now, if it can be reached; else null. */
  SimulatedState.Copy copyOf(Peer source, String by) {
    Machine machine = machines.get(source);
    boolean served =
        machine != null
            && machine.isUp()
            && !machine.witness
            && world.network().reaches(source.node(), by);
    if (!served) {
      return null;
    }
    world.copied(machine);
    return machine.copy();
  }

  /** Whether a witness knows of all replicas that were placed: if not, it keeps everything. */
  boolean mayCompact(Peer witness) {
    return controller.placed().stream().allMatch(isKnownTo(witness));
  }

  private Predicate<Peer> isKnownTo(Peer witness) {
    return machines.get(witness).status().configuration().everybody()::contains;
  }

  /**
   * Whether the group survives that a witness lets go of its log up to a committed entry: a full
   * replica that is not lost for ever votes and has it on disk. That one may be away.
   */
  boolean keepsWhatGoes(Machine witness, long upTo) {
    long term = witness.node.shard().termAt(id, upTo);
    Configuration present = oracle.newestCommitted();
    Configuration known = witness.status().configuration();
    return machines.values().stream()
        .filter(each -> !each.witness && !each.isDestroyed())
        .filter(each -> present.roleOf(each.peer).isPresent())
        .filter(each -> known.roleOf(each.peer).isPresent())
        .anyMatch(each -> each.holds(upTo, term));
  }

  /** Whether the group survives the loss of a voter, after what its witnesses let go of. */
  private boolean keepsWhatWent(Configuration present, Peer without) {
    long base = 0;
    for (Member member : present.voters()) {
      if (member.role() == Role.WITNESS) {
        base = Math.max(base, machines.get(member.peer()).base());
      }
    }
    long upTo = base;
    return upTo == 0
        || present.voters().stream()
            .filter(member -> member.role() == Role.REPLICA && !member.peer().equals(without))
            .map(member -> machines.get(member.peer()))
            .anyMatch(each -> each.holds(upTo, oracle.termOfCommitted(upTo)));
  }

  /** A witness let go of its log because of its bound. */
  void witnessCut(long upTo) {
    world.count("witness logs cut");
    boolean needed =
        oracle.newestCommitted().everyFullReplica().stream()
            .map(machines::get)
            .anyMatch(each -> !each.isDestroyed() && each.disk().last() < upTo);
    world.count("witness logs cut past what a replica has", needed ? 1 : 0);
  }

  /** A witness let go of entries. */
  void witnessDropped(Peer witness, long upTo) {
    world.count("witness dropped entries");
    List<Peer> known = machines.get(witness).status().configuration().everyFullReplica();
    for (Peer replica : oracle.committedConfiguration().everyFullReplica()) {
      Machine machine = machines.get(replica);
      if (known.contains(replica) && !machine.isDestroyed()) {
        Oracle.check(
            machine.flushedIndex() >= upTo,
            () ->
                witness
                    + " let go of entries up to "
                    + upTo
                    + ", "
                    + replica
                    + " has flushed "
                    + machine.flushedIndex());
      }
    }
  }

  // ---- When the storm is over ----

  /** Whether a write was acknowledged since, every full replica has it, and no move is open. */
  boolean isWhole(long before) {
    if (oracle.acknowledged() <= before || !controller.isIdle()) {
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

  /** Whether a majority of the voters, one with data among them, is on other nodes. */
  boolean goesOnWithout(String node) {
    Configuration present = oracle.newestCommitted();
    List<Member> others =
        present.voters().stream()
            .filter(member -> !member.peer().node().equals(node))
            .filter(member -> !machines.get(member.peer()).isDestroyed())
            .toList();
    return !present.isJoint()
        && controller.isIdle()
        && others.size() > present.voters().size() / 2
        && others.stream().anyMatch(member -> member.role() == Role.REPLICA);
  }

  String describe() {
    StringBuilder text = new StringBuilder("\ngroup " + id);
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
}
