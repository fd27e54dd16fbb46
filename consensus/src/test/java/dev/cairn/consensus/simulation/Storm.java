// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus.simulation;

import dev.cairn.consensus.Configuration;
import dev.cairn.consensus.Member;
import dev.cairn.consensus.Peer;
import dev.cairn.consensus.Role;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * The faults of a run: processes that die, freeze and come back, disks that are slow or lost, a
 * network that cuts, loses and doubles, and changes of members in the middle.
 *
 * <p>A disk is lost only while all others of its group are there, and again only when it was
 * replaced: no store survives more.
 */
final class Storm {
  private final Simulation world;
  private final SplittableRandom random;
  private final int restMillis;
  private final int downMillisMax;

  /**
   * How often each fault comes, beside the others; a run without some finds what they would hide.
   */
  private final int[] weights = new int[11];

  private long epoch = 1;
  private long incarnation = 1;
  private boolean over;

  Storm(Simulation world, SplittableRandom random) {
    this.world = world;
    this.random = random;
    this.restMillis = 20 << random.nextInt(7);
    this.downMillisMax = 20 << random.nextInt(6);
    for (int i = 0; i < weights.length; i++) {
      weights[i] = random.nextInt(3) == 0 ? 0 : random.nextInt(10);
    }
  }

  void begin() {
    world.after(300, this::next);
    world.after(50, this::keepHouse);
  }

  /** All comes back. */
  void end() {
    over = true;
    world.network().heal();
    for (Machine machine : world.machines().values()) {
      machine.slowDisk(2);
      machine.freeze(0);
      machine.start();
    }
  }

  private void next() {
    if (over) {
      return;
    }
    switch (fault()) {
      case 0 -> kill(machine());
      case 1 -> killSeveral();
      case 2 -> machine().freeze(random.nextInt(700));
      case 3 -> machine().slowDisk(2 + random.nextInt(100));
      case 4 -> cut();
      case 5 ->
          world
              .network()
              .behave(
                  random.nextInt(3) * 0.1,
                  random.nextInt(3) * 0.1,
                  2 + random.nextInt(random.nextInt(3) == 0 ? 600 : 40));
      case 6 -> transfer();
      case 7 -> changeMembers();
      case 8 -> {
        changeMembers();
        world.after(random.nextInt(12), () -> kill(machine()));
      }
      case 9 -> world.died(machine().peer.node()); // its connections end, it lives on
      default -> world.network().heal();
    }
    world.after(1 + random.nextInt(restMillis), this::next);
  }

  private int fault() {
    int sum = 1;
    for (int weight : weights) {
      sum += weight;
    }
    int chosen = random.nextInt(sum);
    for (int i = 0; i < weights.length; i++) {
      chosen -= weights[i];
      if (chosen < 0) {
        return i;
      }
    }
    return weights.length - 1;
  }

  private void keepHouse() {
    Machine machine = machine();
    if (random.nextInt(4) == 0) {
      machine.flushAndCompact(random.nextInt(30));
      world.count("compactions asked");
    }
    world.after(1 + random.nextInt(40), this::keepHouse);
  }

  /** One that leads as often as any: most that can go wrong goes wrong when leaders change. */
  private Machine machine() {
    List<Machine> all = new ArrayList<>(world.machines().values());
    if (random.nextBoolean()) {
      List<Machine> leaders =
          all.stream().filter(each -> each.isUp() && each.status().leads()).toList();
      all = leaders.isEmpty() ? all : leaders;
    }
    return all.get(random.nextInt(all.size()));
  }

  private void kill(Machine machine) {
    machine.kill();
    world.count("kills");
    world.after(random.nextInt(downMillisMax), machine::start);
  }

  private void killSeveral() {
    for (Machine machine : List.copyOf(world.machines().values())) {
      if (random.nextInt(3) > 0) {
        kill(machine);
      }
    }
  }

  private void cut() {
    Machine one = machine();
    for (Machine other : world.machines().values()) {
      if (random.nextInt(3) > 0) {
        world.network().cut(one.peer.node(), other.peer.node());
      }
      if (random.nextInt(3) > 0) {
        world.network().cut(other.peer.node(), one.peer.node());
      }
    }
    world.count("cuts");
    world.after(random.nextInt(1000), world.network()::heal);
  }

  private void transfer() {
    Peer target = machine().peer;
    if (random.nextBoolean()) {
      world.network().behave(0, 0, 2 + random.nextInt(600)); // the request may come too late
    }
    for (Machine machine : world.machines().values()) {
      if (machine.transferTo(target)) {
        world.count("transfers");
      }
    }
  }

  // ---- Members ----

  private void changeMembers() {
    for (Machine machine : List.copyOf(world.machines().values())) {
      if (machine.isUp() && machine.status().leads()) {
        changeBy(machine);
        return;
      }
    }
  }

  private void changeBy(Machine leader) {
    Configuration present = leader.status().configuration();
    List<Member> voters = new ArrayList<>(present.voters());
    List<Peer> learners = new ArrayList<>(present.learners());
    int at = random.nextInt(voters.size());
    Member changed = voters.get(at);
    if (random.nextBoolean() && learners.size() < 2) {
      learners.add(newcomer(Role.REPLICA));
    } else if (!learners.isEmpty() && random.nextBoolean()) {
      Peer learner = learners.remove(random.nextInt(learners.size()));
      if (changed.role() == Role.REPLICA) {
        voters.set(at, new Member(learner, Role.REPLICA));
      }
    } else if (random.nextInt(4) > 0) {
      mayLoseDisk(changed.peer(), present);
      int last = random.nextInt(3) == 0 ? voters.size() - 1 : at;
      for (int i = at; i <= last; i++) {
        Role role = voters.get(i).role();
        voters.set(i, new Member(newcomer(role), role));
      }
    } else {
      learners.clear();
    }
    long planned = random.nextInt(8) == 0 ? Math.max(0, epoch - 1) : ++epoch;
    if (leader.reconfigure(Configuration.stable(planned, voters, learners))) {
      world.count("changes of members");
      Oracle.check(
          planned >= present.epoch(),
          () -> "epoch " + planned + " followed epoch " + present.epoch());
    }
  }

  /** Places a new member on an empty disk. */
  private Peer newcomer(Role role) {
    Peer peer = new Peer("n" + random.nextInt(7), ++incarnation);
    Machine machine = new Machine(world, peer, role == Role.WITNESS, Configuration.NONE);
    world.machines().put(peer, machine);
    machine.start();
    return peer;
  }

  /** A member that is to be replaced may be gone for good already, if all others are there. */
  private void mayLoseDisk(Peer peer, Configuration present) {
    boolean othersAreThere =
        !present.isJoint()
            && present.voters().size() > 2
            && world.oracle().newestCommitted().equals(present)
            && present.voters().stream()
                .map(member -> world.machines().get(member.peer()))
                .noneMatch(Machine::isDestroyed);
    if (othersAreThere && random.nextInt(3) == 0) {
      world.machines().get(peer).destroy();
      world.count("disks lost");
    }
  }
}
