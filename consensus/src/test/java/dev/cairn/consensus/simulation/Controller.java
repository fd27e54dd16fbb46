// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus.simulation;

import dev.cairn.consensus.Configuration;
import dev.cairn.consensus.GroupStatus;
import dev.cairn.consensus.Member;
import dev.cairn.consensus.Peer;
import dev.cairn.consensus.Refusal;
import dev.cairn.consensus.Role;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * Moves members by the rules of the design: learner, close, joint configuration, settled one, on
 * the disks of all voters, then the old replica ends and its disk is emptied.
 *
 * <p>What it logged is one move: who is to go and who comes, under an epoch, which is also the
 * incarnation of who comes. All else it reads from the leader's configuration, so a controller that
 * begins anew at any moment goes on. Others sleep and carry out what they once planned: the fence
 * has to stop them.
 */
final class Controller {
  /** A logged move. A destroyed member is replaced the same way. */
  private record Move(long epoch, Member goes, Member comes) {}

  private final Simulation world;
  private final SimulatedGroup group;
  private final SplittableRandom random;
  private final Set<String> nodesLeft = new HashSet<>();
  private long epoch = 1;
  private Move move;
  private boolean over;

  Controller(SimulatedGroup group, SplittableRandom random) {
    this.world = group.world();
    this.group = group;
    this.random = random;
  }

  void begin() {
    world.after(10 + random.nextInt(60), this::watch);
  }

  void planNoMore() {
    over = true;
  }

  boolean isIdle() {
    return move == null;
  }

  /** Replicas that the placement names, whether or not a configuration does yet. */
  List<Peer> placed() {
    return move == null || move.comes().role() == Role.WITNESS
        ? List.of()
        : List.of(move.comes().peer());
  }

  private void watch() {
    if (move != null) {
      group.leader().ifPresent(this::step);
    }
    world.after(10 + random.nextInt(60), this::watch);
  }

  /** Plans to replace a member, whose disk may be lost already. */
  void plan() {
    if (move != null || over) {
      return;
    }
    Configuration present = group.oracle().newestCommitted();
    if (present.isJoint()) {
      return;
    }
    Member goes = present.voters().get(random.nextInt(present.voters().size()));
    for (Member member : present.voters()) {
      goes = group.machines().get(member.peer()).isDestroyed() ? member : goes;
    }
    String node = freeNode(present);
    epoch++;
    Member comes = new Member(group.place(node, epoch, goes.role()), goes.role());
    if (nodesLeft.contains(node)) {
      world.count("members that came back to a node");
    }
    if (random.nextInt(3) == 0 && group.othersAreThere(present, goes.peer())) {
      group.machines().get(goes.peer()).destroy();
      world.count("disks lost");
    }
    move = new Move(epoch, goes, comes);
  }

  private String freeNode(Configuration present) {
    while (true) {
      String node = "n" + random.nextInt(7);
      if (!group.isOn(node)
          && present.everybody().stream().noneMatch(peer -> peer.node().equals(node))) {
        return node;
      }
    }
  }

  /** Does what the leader's configuration says is next. */
  private void step(Machine leader) {
    GroupStatus status = leader.status();
    Configuration present = status.configuration();
    Peer comes = move.comes().peer();
    if (present.isJoint()) {
      return; // any leader finishes it
    }
    if (present.voters().contains(move.comes())) {
      if (status.changeDone()) {
        end(status);
      }
    } else if (move.comes().role() == Role.REPLICA && !present.learners().contains(comes)) {
      ask(leader, status, Configuration.stable(move.epoch(), present.voters(), List.of(comes)));
    } else {
      List<Member> voters = new ArrayList<>(present.voters());
      voters.remove(move.goes());
      voters.add(move.comes());
      ask(leader, status, Configuration.stable(move.epoch(), voters, List.of()));
    }
  }

  private void ask(Machine leader, GroupStatus status, Configuration target) {
    Optional<Refusal> refusal = leader.reconfigure(status.configurationIndex(), target);
    if (refusal.isEmpty() && target.voters().contains(move.comes())) {
      isClose(status);
    }
    world.count(refusal.map(why -> "changes refused: " + why).orElse("changes of members"));
    if (random.nextInt(3) == 0) {
      world.after(random.nextInt(3000), () -> askLate(target));
    }
    if (refusal.isEmpty() && random.nextInt(3) == 0) {
      world.after(random.nextInt(12), () -> fail(leader.node));
    }
  }

  /** A node dies in the middle of a change, and comes back. */
  private void fail(Node node) {
    node.kill();
    world.after(random.nextInt(200), node::start);
  }

  /** Who begins to vote has the log but for a few entries. */
  private void isClose(GroupStatus status) {
    Machine comes = group.machines().get(move.comes().peer());
    Oracle.check(
        comes.witness || comes.disk().last() >= status.last() - world.settings().promotionLagMax(),
        () -> comes.peer + " votes, its log ends at " + comes.disk().last());
    if (!comes.witness) {
      world.count("learners that began to vote");
    }
  }

  /** A controller that slept: it sees the present configuration and knows an old plan. */
  private void askLate(Configuration target) {
    Optional<Machine> leader = group.leader();
    if (leader.isEmpty() || target.epoch() >= leader.get().status().configuration().epoch()) {
      return; // its plan is still the newest
    }
    GroupStatus status = leader.get().status();
    Optional<Refusal> refusal = leader.get().reconfigure(status.configurationIndex(), target);
    Oracle.check(
        refusal.isPresent(),
        () -> "epoch " + target.epoch() + " followed " + status.configuration().epoch());
    if (refusal.get() == Refusal.OUTDATED) {
      world.count("changes stopped by the fence");
    }
  }

  /** All voters have the configuration on their disks: the old member is needed no more. */
  private void end(GroupStatus status) {
    for (Member member : status.configuration().voters()) {
      Machine machine = group.machines().get(member.peer());
      Oracle.check(
          machine.isDestroyed()
              || machine.disk().configurationIndex() >= status.configurationIndex(),
          () -> member.peer() + " does not have the configuration of a change that is done");
    }
    nodesLeft.add(move.goes().peer().node());
    group.machines().get(move.goes().peer()).destroy();
    world.count("moves done");
    move = null;
  }
}
