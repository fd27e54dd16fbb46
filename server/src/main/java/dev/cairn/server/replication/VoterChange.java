// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.replication;

import dev.cairn.consensus.Configuration;
import dev.cairn.consensus.GroupStatus;
import dev.cairn.consensus.Member;
import dev.cairn.consensus.Peer;
import dev.cairn.consensus.Refusal;
import dev.cairn.consensus.Role;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A change of a group's voters by its leader: learners first, then, once they lack little, the
 * joint configuration, and what follows it, until all voters have that on disk.
 *
 * <p>It has no state of its own: each step follows from the group's configuration, so that it goes
 * on with whatever it finds. It ends when this member leads no more, when the group leaves, or
 * after {@link #MILLIS_MAX}; whoever wanted the change begins again then.
 *
 * <p>Thread: the loop's. Invariant: its end is told once.
 */
final class VoterChange {
  private static final long LOOK_EVERY_MILLIS = 20;
  private static final long MILLIS_MAX = 60_000;

  private final ShardLoop loop;
  private final long group;
  private final List<Member> voters;
  private final List<Peer> learners;
  private final Consumer<Optional<String>> done;
  private final long until = ShardLoop.nowMillis() + MILLIS_MAX;
  private boolean over;

  VoterChange(
      ShardLoop loop,
      long group,
      List<Member> voters,
      List<Peer> learners,
      Consumer<Optional<String>> done) {
    this.loop = loop;
    this.group = group;
    this.voters = voters;
    this.learners = learners;
    this.done = done;
  }

  boolean isOver() {
    return over;
  }

  /** Gives it up. What was begun may go on. */
  void end(String why) {
    tell(Optional.of(why));
  }

  private void tell(Optional<String> outcome) {
    if (!over) {
      over = true;
      Callback.tell(() -> done.accept(outcome));
    }
  }

  void begin() {
    if (over) {
      return;
    }
    Optional<GroupStatus> status = loop.shard().status(group);
    if (status.isEmpty() || !status.get().leads()) {
      tell(Optional.of("this node leads no more"));
    } else if (isDone(status.get())) {
      tell(Optional.empty());
    } else if (ShardLoop.nowMillis() > until) {
      tell(Optional.of("it took too long; it is tried again"));
    } else {
      Optional<Refusal> refusal = step(status.get());
      if (refusal.isPresent() && !passes(refusal.get())) {
        tell(Optional.of("refused: " + refusal.get()));
      } else {
        loop.later(this::begin, LOOK_EVERY_MILLIS);
      }
    }
  }

  private static boolean passes(Refusal refusal) {
    return switch (refusal) {
      case BEHIND, CHANGING, OTHER_CONFIGURATION, HANDING_ON -> true;
      case NOT_LEADER, OUTDATED, IMPOSSIBLE -> false;
    };
  }

  private boolean isDone(GroupStatus status) {
    return status.changeDone() && status.configuration().equals(target(status.configuration()));
  }

  private Configuration target(Configuration now) {
    return Configuration.stable(now.epoch(), voters, learners);
  }

  private Optional<Refusal> step(GroupStatus status) {
    Configuration now = status.configuration();
    if (now.isJoint() || now.equals(target(now))) {
      return Optional.empty(); // what was begun goes on
    }
    List<Peer> newcomers =
        voters.stream()
            .filter(member -> member.role() == Role.REPLICA)
            .map(Member::peer)
            .filter(peer -> !now.everybody().contains(peer))
            .collect(Collectors.toCollection(ArrayList::new));
    Configuration next =
        newcomers.isEmpty()
            ? target(now)
            : Configuration.stable(
                now.epoch(),
                now.voters(),
                List.copyOf(
                    Stream.concat(now.learners().stream(), newcomers.stream())
                        .collect(Collectors.toCollection(TreeSet::new))));
    return loop.shard()
        .reconfigure(group, status.configurationIndex(), next, ShardLoop.nowMillis());
  }
}
