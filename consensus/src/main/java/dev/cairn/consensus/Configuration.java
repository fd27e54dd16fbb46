// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;

/**
 * Who belongs to a group. It counts from the moment its entry is appended, committed or not, and
 * truncating that entry brings the former one back (Ongaro's thesis, 4.1).
 *
 * <p>A change of voters goes through a joint configuration (4.3): both halves, the new voters and
 * the outgoing ones, must each agree by a majority of their own. Every list is sorted, so that each
 * node goes through the members in one order.
 *
 * @param epoch of the plan that asked for it; a lower one is refused (the fence)
 * @param voters who votes from here on
 * @param outgoing who voted before; empty unless the configuration is joint
 * @param learners who is sent the log and counts in no majority
 */
public record Configuration(
    long epoch, List<Member> voters, List<Member> outgoing, List<Peer> learners) {
  public Configuration {
    voters = sorted(voters);
    outgoing = sorted(outgoing);
    learners = learners.stream().sorted().toList();
  }

  /** What a newcomer knows of its group: nobody votes, so it invents no leader. */
  public static final Configuration NONE = stable(0, List.of(), List.of());

  /** A configuration that is not joint. */
  public static Configuration stable(long epoch, List<Member> voters, List<Peer> learners) {
    return new Configuration(epoch, voters, List.of(), learners);
  }

  private static List<Member> sorted(List<Member> members) {
    return members.stream().sorted(Comparator.comparing(Member::peer)).toList();
  }

  /** Whether two majorities must agree. */
  public boolean isJoint() {
    return !outgoing.isEmpty();
  }

  /** The joint configuration that leads from this one to another. */
  Configuration jointTo(Configuration target) {
    return new Configuration(target.epoch, target.voters, voters, target.learners);
  }

  /** What follows a joint configuration. */
  Configuration settled() {
    return stable(epoch, voters, learners);
  }

  /** Whether a majority of the voters, and of the outgoing ones where there are any, passes. */
  boolean majority(Predicate<Peer> passes) {
    return majorityOf(voters, passes) && (outgoing.isEmpty() || majorityOf(outgoing, passes));
  }

  private static boolean majorityOf(List<Member> members, Predicate<Peer> passes) {
    int count = 0;
    for (Member member : members) {
      if (passes.test(member.peer())) {
        count++;
      }
    }
    return count > members.size() / 2;
  }

  /** The highest number that a majority, in each half, has reached. */
  long reachedByMajority(ToLongFunction<Peer> reached) {
    long byVoters = reachedByMajorityOf(voters, reached);
    return outgoing.isEmpty()
        ? byVoters
        : Math.min(byVoters, reachedByMajorityOf(outgoing, reached));
  }

  private static long reachedByMajorityOf(List<Member> members, ToLongFunction<Peer> reached) {
    if (members.isEmpty()) {
      return 0;
    }
    long[] numbers = new long[members.size()];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = reached.applyAsLong(members.get(i).peer());
    }
    Arrays.sort(numbers);
    return numbers[(numbers.length - 1) / 2];
  }

  /** Whether a peer votes, in either half. */
  boolean votes(Peer peer) {
    return roleOf(peer).isPresent();
  }

  /** What a voter keeps, in either half; empty for a learner or a stranger. */
  public Optional<Role> roleOf(Peer peer) {
    for (Member member : voters) {
      if (member.peer().equals(peer)) {
        return Optional.of(member.role());
      }
    }
    for (Member member : outgoing) {
      if (member.peer().equals(peer)) {
        return Optional.of(member.role());
      }
    }
    return Optional.empty();
  }

  /** All voters of both halves, each once, in order. */
  List<Peer> everyVoter() {
    TreeSet<Peer> all = new TreeSet<>();
    voters.forEach(member -> all.add(member.peer()));
    outgoing.forEach(member -> all.add(member.peer()));
    return new ArrayList<>(all);
  }

  /** All voters and learners, each once, in order. */
  public List<Peer> everybody() {
    TreeSet<Peer> all = new TreeSet<>(everyVoter());
    all.addAll(learners);
    return new ArrayList<>(all);
  }

  /** All who keep data, or are about to: replicas of both halves, and learners. */
  public List<Peer> everyFullReplica() {
    return everybody().stream()
        .filter(peer -> roleOf(peer).orElse(Role.REPLICA) == Role.REPLICA)
        .toList();
  }

  /** Whether nobody who votes in both has another role here than there. */
  boolean keepsRolesOf(Configuration former) {
    for (Peer peer : everyVoter()) {
      Optional<Role> before = former.roleOf(peer);
      if (before.isPresent() && !before.equals(roleOf(peer))) {
        return false;
      }
    }
    return true;
  }
}
