// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;

/**
 * The questions of a shard, whether its groups are still followed: numbered, and each put to as few
 * nodes as can answer it. A node that is not asked has no work with a read.
 *
 * <p>Of a group's voters as many are asked as make a majority with this one: those that follow this
 * node in the order of ids, so that groups share them. Who left a question open for {@link
 * Beats#PATIENCE_MILLIS} comes last, and then the question is put to all.
 *
 * <p>Whom a question is put to decides how soon it is answered, never what an answer means: who has
 * the number of a question has been told it by a beat that left after it was asked.
 */
final class Questions {
  private final String node;
  private final Set<String> chosen = new TreeSet<>();
  private long last;
  private boolean asks;

  /** No question yet, of the shard of a node. */
  Questions(String node) {
    this.node = node;
  }

  /**
   * A group asks. Its question goes out with the others of this round.
   *
   * @param lags whether a node leaves questions open
   * @return the question's number
   */
  long ask(Peer self, Configuration of, Predicate<String> lags) {
    asks = true;
    chosen.addAll(enough(self, of, lags));
    return last + 1;
  }

  private Collection<String> enough(Peer self, Configuration of, Predicate<String> lags) {
    List<String> others = new ArrayList<>();
    of.everyVoter().forEach(peer -> others.add(peer.node()));
    others.remove(node);
    if (of.isJoint() || !of.votes(self)) {
      return others;
    }
    others.sort(
        Comparator.<String, Boolean>comparing(lags::test)
            .thenComparing(other -> other.compareTo(node) < 0)
            .thenComparing(Comparator.naturalOrder()));
    return others.subList(0, of.voters().size() / 2);
  }

  /** The last question, with that of this round. */
  long number() {
    return asks ? last + 1 : last;
  }

  /** Whether the question of this round is put to a node. */
  boolean isPutTo(String other) {
    return chosen.contains(other);
  }

  /** The round has ended. */
  void sent() {
    last = number();
    asks = false;
    chosen.clear();
  }
}
