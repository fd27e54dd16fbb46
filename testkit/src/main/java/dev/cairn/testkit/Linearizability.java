// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import dev.cairn.testkit.Observation.Outcome;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * Decides whether a history is linearizable: whether each operation can be given one moment between
 * its invocation and its answer such that all answers are right when the operations are done one at
 * a time, at their moments. Linearizability is local (Herlihy and Wing 1990), so each key is
 * decided by itself: one that was counted up or appended to by {@link SequenceCheck}, any other by
 * {@link RegisterSearch}.
 *
 * <p>What becomes of operations without a plain answer:
 *
 * <ul>
 *   <li>A failed one never happened: it is left out. If it did happen, somebody reads a value that
 *       nobody wrote.
 *   <li>A write of unknown outcome may have its moment at any time after its invocation, or never.
 *   <li>A read of unknown outcome says nothing: it is left out.
 * </ul>
 */
public final class Linearizability {
  private Linearizability() {}

  /**
   * A key whose answers cannot have come from one copy of the data.
   *
   * @param witness the fewest operations found that already contradict each other, in order of
   *     invocation
   */
  public record Violation(String key, List<Observation> witness) {
    /** For people: a line an operation, times in milliseconds from the first. */
    @Override
    public String toString() {
      long start = witness.stream().mapToLong(Observation::invokedNanos).min().orElse(0);
      StringBuilder text = new StringBuilder();
      text.append("not linearizable: key ").append(key).append(". No order of these explains them");
      text.append(" (milliseconds from the first; client; what was asked and answered):\n");
      for (Observation operation : witness) {
        text.append(
            String.format(
                "  %12s to %12s  client %-4d %s%s%n",
                millis(operation.invokedNanos(), start),
                millis(operation.completedNanos(), start),
                operation.process(),
                operation.action(),
                operation.outcome() == Outcome.UNKNOWN ? "  (outcome unknown)" : ""));
      }
      return text.toString();
    }

    private static String millis(long nanos, long start) {
      return nanos == Observation.NEVER ? "-" : String.format("%.3f", (nanos - start) / 1e6);
    }
  }

  /** The first violation by the order of keys, or empty when the history is linearizable. */
  public static Optional<Violation> check(List<Observation> history) {
    Map<String, List<Observation>> byKey = new TreeMap<>();
    for (Observation operation : history) {
      boolean says =
          operation.outcome() == Outcome.OK
              || (operation.outcome() == Outcome.UNKNOWN && !operation.action().readOnly());
      if (says) {
        byKey.computeIfAbsent(operation.key(), key -> new ArrayList<>()).add(operation);
      }
    }
    for (Map.Entry<String, List<Observation>> key : byKey.entrySet()) {
      List<Observation> operations = key.getValue();
      if (operations.stream().anyMatch(operation -> operation.action().cumulative())) {
        Optional<List<Observation>> contradiction = new SequenceCheck(operations).contradiction();
        if (contradiction.isPresent()) {
          return Optional.of(new Violation(key.getKey(), contradiction.get()));
        }
      } else if (!explains(operations)) {
        return Optional.of(new Violation(key.getKey(), Shrink.of(operations)));
      }
    }
    return Optional.empty();
  }

  /** Whether the operations of one key, none failed, have an order that explains them. */
  private static boolean explains(List<Observation> operations) {
    return new RegisterSearch(operations).found();
  }

  /** What the answers of a history tell of the register's states. */
  private record Observed(Set<Optional<String>> values, boolean presence, boolean absence) {
    static Observed by(List<Observation> operations) {
      Set<Optional<String>> values = new HashSet<>();
      boolean presence = false;
      boolean absence = false;
      for (Observation operation : operations) {
        if (operation.outcome() != Outcome.OK) {
          continue;
        }
        if (operation.action() instanceof Action.Get get) {
          values.add(get.read());
        } else if (operation.action() instanceof Action.Delete delete) {
          presence |= delete.existed().orElse(false);
          absence |= !delete.existed().orElse(true);
        }
      }
      return new Observed(values, presence, absence);
    }

    boolean effectOf(Action write) {
      String state = write.after(null);
      return values.contains(Optional.ofNullable(state)) || (state == null ? absence : presence);
    }
  }

  /**
   * Takes operations out of a history that has no explanation for as long as it then still has
   * none. Only such are taken that could not have been what makes it inexplicable: reads, and
   * writes whose effect no remaining answer tells of. So what remains proves the violation of the
   * whole.
   */
  private static final class Shrink {
    private Shrink() {}

    static List<Observation> of(List<Observation> operations) {
      List<Observation> rest = earliest(operations);
      int before = Integer.MAX_VALUE;
      while (rest.size() < before) {
        before = rest.size();
        // Reads first: a write can go only after the reads that tell of it.
        rest = without(rest, operation -> operation.action().readOnly());
        rest = without(rest, operation -> !operation.action().readOnly());
      }
      return rest.stream().sorted(Comparator.comparingLong(Observation::invokedNanos)).toList();
    }

    /** Takes out what it can of one kind, in ever smaller pieces. */
    private static List<Observation> without(
        List<Observation> operations, Predicate<Observation> kind) {
      List<Observation> kept = operations.stream().filter(kind.negate()).toList();
      List<Observation> rest = operations.stream().filter(kind).toList();
      for (int piece = rest.size(); piece >= 1; piece /= 2) {
        int from = 0;
        while (from < rest.size()) {
          int to = Math.min(rest.size(), from + piece);
          List<Observation> fewer = new ArrayList<>(rest.subList(0, from));
          fewer.addAll(rest.subList(to, rest.size()));
          List<Observation> all = new ArrayList<>(kept);
          all.addAll(fewer);
          if (removable(rest.subList(from, to), all) && !explains(all)) {
            rest = fewer;
          } else {
            from = to;
          }
        }
      }
      List<Observation> all = new ArrayList<>(kept);
      all.addAll(rest);
      return all;
    }

    private static boolean removable(List<Observation> removed, List<Observation> rest) {
      Observed observed = Observed.by(rest);
      return removed.stream()
          .noneMatch(
              operation -> !operation.action().readOnly() && observed.effectOf(operation.action()));
    }

    /** The shortest part from the start that has no explanation: what was answered until then. */
    private static List<Observation> earliest(List<Observation> operations) {
      long[] ends =
          operations.stream()
              .filter(operation -> operation.outcome() == Outcome.OK)
              .mapToLong(Observation::completedNanos)
              .sorted()
              .toArray();
      int low = 0; // until ends[low - 1] it has an explanation
      int high = ends.length - 1; // until ends[high] it has none
      while (low < high) {
        int middle = (low + high) >>> 1;
        if (explains(until(ends[middle], operations))) {
          low = middle + 1;
        } else {
          high = middle;
        }
      }
      return until(ends[high], operations);
    }

    private static List<Observation> until(long nanos, List<Observation> operations) {
      List<Observation> part = new ArrayList<>();
      for (Observation operation : operations) {
        if (operation.outcome() == Outcome.OK && operation.completedNanos() <= nanos) {
          part.add(operation);
        } else if (operation.invokedNanos() <= nanos && !operation.action().readOnly()) {
          part.add(unanswered(operation));
        }
      }
      return part;
    }

    private static Observation unanswered(Observation operation) {
      return new Observation(
          operation.process(),
          operation.key(),
          operation.action().unanswered(),
          Outcome.UNKNOWN,
          operation.invokedNanos(),
          Observation.NEVER);
    }
  }
}
