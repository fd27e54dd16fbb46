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
 * Changes of members without the rules that a controller keeps: newcomers vote at once, several
 * voters are replaced together, and who was replaced lives on. The core alone keeps them safe.
 *
 * <p>A disk is lost only while all others of its group are there, and again only when it was
 * replaced: no store survives more.
 */
final class WildChanges {
  private final Simulation world;
  private final SimulatedGroup group;
  private final SplittableRandom random;
  private long epoch = 1;
  private long incarnation = 1;

  WildChanges(SimulatedGroup group, SplittableRandom random) {
    this.world = group.world();
    this.group = group;
    this.random = random;
  }

  void changeBy(Machine leader) {
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
    if (!leader.isUp()) {
      return; // it was the one that lost its disk
    }
    long index = leader.status().configurationIndex();
    if (leader.reconfigure(index, Configuration.stable(planned, voters, learners)).isEmpty()) {
      world.count("changes of members");
      Oracle.check(
          planned >= present.epoch(),
          () -> "epoch " + planned + " followed epoch " + present.epoch());
    }
  }

  private Peer newcomer(Role role) {
    incarnation++;
    String node = "n" + random.nextInt(7);
    return group.place(group.isOn(node) ? "m" + incarnation : node, incarnation, role);
  }

  /** A member that is to be replaced may be gone for good already, if all others are there. */
  private void mayLoseDisk(Peer peer, Configuration present) {
    if (group.othersAreThere(present, peer) && random.nextInt(3) == 0) {
      group.machines().get(peer).destroy();
      world.count("disks lost");
    }
  }
}
