// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus.simulation;

import dev.cairn.consensus.Peer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * The faults of a run: processes that die, freeze and come back, disks that are slow or lost, a
 * network that cuts, loses and doubles, and changes of members in the middle.
 */
final class Storm {
  private final Simulation world;
  private final SplittableRandom random;
  private final SplittableRandom randomOfVotes;
  private final int restMillis;
  private final int downMillisMax;

  /**
   * How often each fault comes, beside the others; a run without some finds what they would hide.
   */
  private final int[] weights = new int[11];

  private final int asksPerFreeze;
  private final int copiesPerKill;
  private final int votesPerKill; // 0 for none
  private boolean over;

  Storm(Simulation world, SplittableRandom random, SplittableRandom randomOfVotes) {
    this.world = world;
    this.random = random;
    this.randomOfVotes = randomOfVotes;
    this.votesPerKill = randomOfVotes.nextInt(3) == 0 ? 3 : 0;
    this.restMillis = 20 << random.nextInt(7);
    this.downMillisMax = 20 << random.nextInt(6);
    this.copiesPerKill = random.nextInt(2) == 0 ? 1 : 6;
    this.asksPerFreeze = random.nextInt(4) == 0 ? 6 : 100;
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
    for (Node node : world.nodes()) {
      node.slowDisk(2);
      node.freeze(0);
      node.start();
    }
  }

  private void next() {
    if (over) {
      return;
    }
    switch (fault()) {
      case 0 -> kill(node());
      case 1 -> killSeveral();
      case 2 -> node().freeze(random.nextInt(700));
      case 3 -> node().slowDisk(2 + random.nextInt(100));
      case 4 -> cut();
      case 5 ->
          world
              .network()
              .behave(
                  random.nextInt(3) * 0.1,
                  random.nextInt(3) * 0.1,
                  2 + random.nextInt(random.nextInt(3) == 0 ? 600 : 40));
      case 6 -> transfer();
      case 7 -> group().changeMembers();
      case 8 -> {
        group().changeMembers();
        world.after(random.nextInt(12), () -> kill(node()));
      }
      case 9 -> {
        Node node = node();
        world.died(node.name, node.session()); // its connections end, it lives on
      }
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
    if (world.keepsHouse() && random.nextInt(4) == 0) {
      machine.flushAndCompact(random.nextInt(30));
      world.count("compactions asked");
    }
    world.after(1 + random.nextInt(40), this::keepHouse);
  }

  /** One that leads as often as any: most that can go wrong goes wrong when leaders change. */
  private Machine machine() {
    List<Machine> all = new ArrayList<>(group().machines().values());
    if (random.nextBoolean()) {
      List<Machine> leaders = all.stream().filter(Machine::leads).toList();
      all = leaders.isEmpty() ? all : leaders;
    }
    return all.get(random.nextInt(all.size()));
  }

  private Node node() {
    return machine().node;
  }

  private SimulatedGroup group() {
    return world.groups().get(random.nextInt(world.groups().size()));
  }

  private void kill(Node node) {
    node.kill();
    world.count("kills");
    world.after(random.nextInt(downMillisMax), node::start);
  }

  private void killSeveral() {
    for (Node node : List.copyOf(world.nodes())) {
      if (random.nextInt(3) > 0) {
        kill(node);
      }
    }
  }

  private void cut() {
    Node one = node();
    for (Node other : world.nodes()) {
      if (random.nextInt(3) > 0) {
        world.network().cut(one.name, other.name);
      }
      if (random.nextInt(3) > 0) {
        world.network().cut(other.name, one.name);
      }
    }
    world.count("cuts");
    world.after(random.nextInt(1000), world.network()::heal);
  }

  /** Before a copy is in place, another leader may come and send what it was fetched for. */
  void copied(Machine source) {
    if (random.nextInt(copiesPerKill) == 0) {
      world.after(
          random.nextInt(5),
          () -> {
            if (!over) {
              kill(source.node);
              world.network().behave(0, 0, 2 + random.nextInt(300)); // what follows takes its time
              world.count("sources of snapshots killed");
            }
          });
    }
  }

  /** A voter may die when its vote has left, and be asked by another candidate when it is back. */
  void voted(Node voter) {
    if (votesPerKill > 0 && randomOfVotes.nextInt(votesPerKill) == 0) {
      world.after(
          0,
          () -> {
            if (!over) {
              voter.kill();
              world.after(randomOfVotes.nextInt(5), voter::start);
              world.network().behave(0, 0, 2 + randomOfVotes.nextInt(60)); // others' come later
              world.count("voters killed after a vote");
            }
          });
    }
  }

  /** The process of a leader may stop just then, and hear the answers when others lead. */
  void asks(Machine leader) {
    if (random.nextInt(asksPerFreeze) == 0) {
      leader.node.freeze(300 + random.nextInt(500));
      world.count("leaders frozen while they asked");
    }
  }

  private void transfer() {
    SimulatedGroup group = group();
    List<Peer> members = List.copyOf(group.machines().keySet());
    Peer target = members.get(random.nextInt(members.size()));
    if (random.nextBoolean()) {
      world.network().behave(0, 0, 2 + random.nextInt(600)); // the request may come too late
    }
    for (Machine machine : group.machines().values()) {
      if (machine.transferTo(target)) {
        world.count("transfers");
      }
    }
  }
}
