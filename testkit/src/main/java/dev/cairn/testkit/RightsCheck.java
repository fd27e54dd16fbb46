// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Decides whether what nodes allowed can be explained by changes of rights that one client made one
 * after the other, each to a state that no other change makes.
 *
 * <p>There must be one order of all states, the log's, such that
 *
 * <ol>
 *   <li>a state was asked for before it was seen, and was not refused;
 *   <li>each node saw states in that order, over its restarts too;
 *   <li>a change that holds stands before each that was asked for later; one of unknown outcome may
 *       stand anywhere behind what was known when it was asked for, or nowhere;
 *   <li>what a node is seen to allow after a change was answered OK is its state or a later one, if
 *       the node was up from before that was asked for.
 * </ol>
 */
public final class RightsCheck {
  /** The state before any change. */
  public static final int FIRST = 0;

  private final List<Change> changes;
  private final Map<Integer, List<Seen>> seen;
  private final List<Up> up;
  private final Map<Integer, Map<Integer, String>> later = new TreeMap<>(); // state, later, why
  private final List<String> violations = new ArrayList<>();

  private RightsCheck(List<Change> changes, List<Seen> seen, List<Up> up) {
    this.changes = changes.stream().sorted(Comparator.comparingLong(Change::askedNanos)).toList();
    this.seen =
        seen.stream()
            .sorted(Comparator.comparingLong(Seen::fromNanos))
            .collect(Collectors.groupingBy(Seen::node, TreeMap::new, Collectors.toList()));
    this.up = up;
  }

  /** What became of a change. */
  public enum Outcome {
    /** It holds, and each node that is up acts on it. */
    OK,
    /** It holds. */
    HOLDS,
    /** It may hold, from now on or later. */
    UNKNOWN,
    /** It never will. */
    REFUSED
  }

  /** Rights were asked for, which no other change asks for. */
  public record Change(int state, long askedNanos, long answeredNanos, Outcome outcome) {
    boolean holds() {
      return outcome == Outcome.OK || outcome == Outcome.HOLDS;
    }
  }

  /** A node allowed just that, at some moment of a time. */
  public record Seen(int node, int state, long fromNanos, long toNanos) {}

  /** A node was up for all of a time, as all nodes knew. */
  public record Up(int node, long fromNanos, long toNanos) {}

  /** What no order explains; empty: all of it is explained by one. */
  public static List<String> violations(List<Change> changes, List<Seen> seen, List<Up> up) {
    RightsCheck check = new RightsCheck(changes, seen, up);
    check.run();
    return List.copyOf(check.violations);
  }

  private void run() {
    seen.values().forEach(each -> each.forEach(this::wasAskedFor));
    orderOfChanges();
    seen.values().forEach(this::orderOfNode);
    seen.values().forEach(each -> each.forEach(this::followsWhatWasAnswered));
    circle().ifPresent(violations::add);
  }

  private void wasAskedFor(Seen one) {
    boolean explained =
        one.state() == FIRST
            || changes.stream()
                .anyMatch(
                    change ->
                        change.state() == one.state()
                            && change.outcome() != Outcome.REFUSED
                            && change.askedNanos() <= one.toNanos());
    if (!explained) {
      violations.add(
          "node %d allowed state %d, which was refused or not asked for yet"
              .formatted(one.node(), one.state()));
    }
  }

  private void before(int state, int next, String why) {
    if (state != next) {
      later.computeIfAbsent(state, none -> new TreeMap<>()).putIfAbsent(next, why);
    }
  }

  private void orderOfChanges() {
    int known = FIRST;
    for (Change change : changes) {
      if (change.outcome() != Outcome.REFUSED) {
        before(known, change.state(), "held before %d was asked for".formatted(change.state()));
      }
      known = change.holds() ? change.state() : known;
    }
  }

  private void orderOfNode(List<Seen> ofNode) {
    for (int i = 1; i < ofNode.size(); i++) {
      before(
          ofNode.get(i - 1).state(),
          ofNode.get(i).state(),
          "node %d allowed it before %d".formatted(ofNode.get(i).node(), ofNode.get(i).state()));
    }
  }

  private void followsWhatWasAnswered(Seen one) {
    changes.stream()
        .filter(change -> change.outcome() == Outcome.OK)
        .filter(change -> change.answeredNanos() < one.fromNanos())
        .filter(change -> wasUp(one, change))
        .reduce((earlier, latest) -> latest)
        .ifPresent(
            change ->
                before(
                    change.state(),
                    one.state(),
                    "it was answered OK before node %d, which was up, allowed %d"
                        .formatted(one.node(), one.state())));
  }

  private boolean wasUp(Seen one, Change since) {
    return up.stream()
        .anyMatch(
            time ->
                time.node() == one.node()
                    && time.fromNanos() < since.askedNanos()
                    && one.fromNanos() < time.toNanos());
  }

  /** States each of which would have to come before the next, and the last before the first. */
  private Optional<String> circle() {
    Set<Integer> done = new HashSet<>();
    for (int start : later.keySet()) {
      Map<Integer, Integer> path = new HashMap<>(); // state to the one before it
      Deque<int[]> open = new ArrayDeque<>(); // state, the one before it; -1: the state is left
      open.push(new int[] {start, start});
      while (!open.isEmpty()) {
        int[] next = open.pop();
        int state = next[0];
        if (next[1] < 0) {
          path.remove(state);
          done.add(state);
        } else if (path.containsKey(state)) {
          return Optional.of(told(state, next[1], path));
        } else if (!done.contains(state)) {
          path.put(state, next[1]);
          open.push(new int[] {state, -1});
          later
              .getOrDefault(state, Map.of())
              .keySet()
              .forEach(each -> open.push(new int[] {each, state}));
        }
      }
    }
    return Optional.empty();
  }

  private String told(int first, int last, Map<Integer, Integer> path) {
    List<String> steps = new ArrayList<>();
    int next = first;
    int state = last;
    while (true) {
      steps.add(0, "%d: %s".formatted(state, later.get(state).get(next)));
      if (state == first) {
        return "no order explains " + String.join("; ", steps);
      }
      next = state;
      state = path.get(state);
    }
  }
}
