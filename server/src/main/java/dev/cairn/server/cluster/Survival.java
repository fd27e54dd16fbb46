// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.cluster;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiPredicate;

/**
 * What a partition would survive. This is the one rule by which health is judged:
 *
 * <ol>
 *   <li>A node is up for another one that hears it and reaches it ({@link Membership#isUp}).
 *   <li>Two nodes are linked when each is up for the other: a leader must send to a voter and get
 *       its answers, and either of the two may have to be the leader.
 *   <li>A voter counts when its node is up, its replica runs, and no entry that it lacks is older
 *       than five seconds.
 *   <li>The core of a partition are voters that count and are all linked with each other. It goes
 *       on while a majority of all voters is left of the core, with a full copy among them.
 * </ol>
 *
 * <p>So a partition can lose what its core has beyond a majority, and never its last full copy. The
 * core is found by dropping the voter with the fewest links until all are linked. It may be smaller
 * than the largest there is: that says less than the truth, never more.
 */
public final class Survival {
  private final int canLose;
  private final boolean canElect;

  /**
   * A voter of a partition.
   *
   * @param full whether it holds data, as a witness does not
   * @param serves whether its node is up and its replica runs
   * @param counts whether it serves and lacks nothing old
   */
  public record Voter(String nodeId, boolean full, boolean serves, boolean counts) {}

  private Survival(int canLose, boolean canElect) {
    this.canLose = canLose;
    this.canElect = canElect;
  }

  /**
   * Judges a partition.
   *
   * @param voters all of its placement
   * @param linked whether two nodes are linked; symmetric, never asked of one with itself
   */
  public static Survival of(List<Voter> voters, BiPredicate<String, String> linked) {
    int majority = voters.size() / 2 + 1;
    List<Voter> core = core(voters.stream().filter(Voter::counts).toList(), linked);
    int copies = (int) core.stream().filter(Voter::full).count();
    List<Voter> serving = voters.stream().filter(Voter::serves).toList();
    boolean canElect =
        serving.stream().anyMatch(Voter::full)
            && serving.stream().anyMatch(v -> links(v, serving, linked) + 1 >= majority);
    return new Survival(Math.max(0, Math.min(core.size() - majority, copies - 1)), canElect);
  }

  private static List<Voter> core(List<Voter> counting, BiPredicate<String, String> linked) {
    List<Voter> core = new ArrayList<>(counting);
    while (!core.isEmpty()) {
      Voter least = core.get(0);
      for (Voter voter : core) {
        if (links(voter, core, linked) <= links(least, core, linked)) {
          least = voter;
        }
      }
      if (links(least, core, linked) == core.size() - 1) {
        return core;
      }
      core.remove(least);
    }
    return core;
  }

  private static int links(Voter voter, List<Voter> among, BiPredicate<String, String> linked) {
    return (int)
        among.stream()
            .filter(other -> !other.equals(voter) && linked.test(voter.nodeId(), other.nodeId()))
            .count();
  }

  /** How many of its voters, whichever they are, may fail and it goes on with nothing lost. */
  public int canLose() {
    return canLose;
  }

  /** Whether some voter is linked with a majority and a full copy serves: somebody can lead. */
  public boolean canElect() {
    return canElect;
  }
}
