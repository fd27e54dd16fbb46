// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import dev.cairn.testkit.Observation.Outcome;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * Looks for an order that explains all answers about one register: Wing and Gong's search (1993),
 * with Lowe's memory of configurations that led nowhere (2017).
 *
 * <p>A configuration is the set of operations that have had their moment, and the register's state.
 * From it each operation may come next that was sent before every answered operation still waiting
 * was answered. Deep, not recursive: histories have thousands of operations.
 *
 * <p>What keeps it fast:
 *
 * <ol>
 *   <li>A read that may come next and is right takes its moment at once and is never put back: it
 *       changes nothing, so whatever order exists from here exists after it too.
 *   <li>It ends when all answered operations have had their moment; those of unknown outcome need
 *       none.
 *   <li>A write of unknown outcome takes its moment only right before an answer that tells of it.
 *       Otherwise the next write covers it, and the order without it explains as much.
 *   <li>Configurations are remembered as the first operation still waiting and the few after it
 *       that are not, not as sets over the whole history.
 * </ol>
 */
final class RegisterSearch {
  /** Past this the search is given up; reached by no history of the kit's own tests. */
  private static final int CONFIGURATIONS_MAX = 5_000_000;

  private final List<Observation> known = new ArrayList<>(); // answered, by invocation
  private final List<Observation> unknown = new ArrayList<>(); // by invocation
  private final BitSet knownDone = new BitSet();
  private final BitSet unknownDone = new BitSet();
  private final Set<Configuration> deadEnds = new HashSet<>();
  private int waiting; // the first of known that is not done

  /** The register's state is null when it holds nothing. */
  private String state;

  RegisterSearch(List<Observation> operations) {
    for (Observation operation : operations) {
      (operation.outcome() == Outcome.OK ? known : unknown).add(operation);
    }
    Comparator<Observation> byInvocation = Comparator.comparingLong(Observation::invokedNanos);
    known.sort(byInvocation);
    unknown.sort(byInvocation);
  }

  private record Configuration(int waiting, BitSet knownAfter, BitSet unknownDone, String state) {}

  /**
   * A choice that can be taken back.
   *
   * @param choices operations that may come next: n for known, -1 - n for unknown
   * @param reads those of known that took their moment before the choice
   * @param state before the choice
   */
  private record Step(int[] choices, int[] next, int[] reads, String state, int waiting) {}

  /** Whether there is such an order. */
  boolean found() {
    Deque<Step> steps = new ArrayDeque<>();
    while (true) {
      int waitingBefore = waiting;
      int[] reads = takeReads();
      if (waiting == known.size()) {
        return true;
      }
      int[] choices = remember() ? choices() : new int[0];
      steps.push(new Step(choices, new int[] {0}, reads, state, waitingBefore));
      if (!advance(steps)) {
        return false;
      }
    }
  }

  /** Takes the next choice that is left, going back as far as needed; false when none is. */
  private boolean advance(Deque<Step> steps) {
    while (!steps.isEmpty()) {
      Step step = steps.peek();
      int taken = step.next()[0];
      if (taken > 0) {
        set(step.choices()[taken - 1], false);
        state = step.state();
      }
      if (taken < step.choices().length) {
        step.next()[0]++;
        int choice = step.choices()[taken];
        set(choice, true);
        state = operation(choice).action().after(state);
        waiting = knownDone.nextClearBit(step.waiting());
        return true;
      }
      for (int read : step.reads()) {
        knownDone.clear(read);
      }
      waiting = step.waiting();
      steps.pop();
    }
    return false;
  }

  private int[] takeReads() {
    int[] reads = new int[4];
    int count = 0;
    boolean more = true;
    while (more) {
      more = false;
      long horizon = horizon();
      for (int i = waiting; i < known.size(); i++) {
        Observation operation = known.get(i);
        if (operation.invokedNanos() > horizon) {
          break;
        }
        if (!knownDone.get(i)
            && operation.action().readOnly()
            && operation.action().allowedAt(state)) {
          knownDone.set(i);
          if (count == reads.length) {
            reads = Arrays.copyOf(reads, 2 * count);
          }
          reads[count++] = i;
          more = true;
        }
      }
      waiting = knownDone.nextClearBit(waiting);
    }
    return Arrays.copyOf(reads, count);
  }

  /** The earliest answer among those waiting: nothing that was sent after it may come next. */
  private long horizon() {
    long horizon = Observation.NEVER;
    for (int i = waiting; i < known.size(); i++) {
      Observation operation = known.get(i);
      if (operation.invokedNanos() > horizon) {
        break;
      }
      if (!knownDone.get(i)) {
        horizon = Math.min(horizon, operation.completedNanos());
      }
    }
    return horizon;
  }

  /** Writes that may come next. Known ones first: the likeliest explanation needs no unknown. */
  private int[] choices() {
    long horizon = horizon();
    List<Integer> choices = new ArrayList<>();
    for (int i = waiting; i < known.size() && known.get(i).invokedNanos() <= horizon; i++) {
      Action action = known.get(i).action();
      if (!knownDone.get(i) && !action.readOnly() && action.allowedAt(state)) {
        choices.add(i);
      }
    }
    for (int i = 0; i < unknown.size() && unknown.get(i).invokedNanos() <= horizon; i++) {
      if (!unknownDone.get(i) && told(unknown.get(i).action().after(state), horizon)) {
        choices.add(-1 - i);
      }
    }
    return choices.stream().mapToInt(Integer::intValue).toArray();
  }

  /** Whether the state would be another, and an operation that may come next tells of it. */
  private boolean told(String after, long horizon) {
    if (Objects.equals(after, state)) {
      return false;
    }
    for (int i = waiting; i < known.size() && known.get(i).invokedNanos() <= horizon; i++) {
      Action action = known.get(i).action();
      if (!knownDone.get(i) && !(action instanceof Action.Put) && action.allowedAt(after)) {
        return true;
      }
    }
    return false;
  }

  /** False when this configuration was met before: it led nowhere. */
  private boolean remember() {
    if (deadEnds.size() >= CONFIGURATIONS_MAX) {
      throw new IllegalStateException(
          "undecided after "
              + CONFIGURATIONS_MAX
              + " configurations: record a shorter history, or fewer writes of unknown outcome");
    }
    return deadEnds.add(
        new Configuration(
            waiting,
            knownDone.get(waiting, Math.max(waiting, knownDone.length())),
            (BitSet) unknownDone.clone(),
            state));
  }

  private Observation operation(int choice) {
    return choice >= 0 ? known.get(choice) : unknown.get(-1 - choice);
  }

  private void set(int choice, boolean done) {
    if (choice >= 0) {
      knownDone.set(choice, done);
    } else {
      unknownDone.set(-1 - choice, done);
    }
  }
}
