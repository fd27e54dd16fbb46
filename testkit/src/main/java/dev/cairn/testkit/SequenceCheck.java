// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import dev.cairn.testkit.Observation.Outcome;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Decides the history of one key that was only counted up, or only appended to, and read. Here the
 * answers themselves tell the order: whoever was told 7 was the seventh, and what was read is the
 * pieces in their order. So no search is needed: the writes are put in their places, each read
 * behind the write that it saw last, and each takes its moment as early as those before it let it.
 * If one's answer came before that, no other choice of moments would have done (each was the
 * earliest possible).
 *
 * <p>An increment of unknown outcome may have any place that no answer claims; the one that was
 * asked first is the best choice for the first such place. An appended piece, which is unlike any
 * other, is where it is read: twice is once too often.
 */
final class SequenceCheck {
  private final List<Observation> operations;
  private final boolean counter;

  /** What makes an order impossible. */
  private static final class Contradiction extends Exception {
    private static final long serialVersionUID = 1L;
    private final transient List<Observation> operations;

    Contradiction(List<Observation> operations) {
      super("no order", null, false, false);
      this.operations =
          operations.stream()
              .filter(Objects::nonNull)
              .sorted(Comparator.comparingLong(Observation::invokedNanos))
              .toList();
    }
  }

  /**
   * A history to be decided.
   *
   * @param operations of one key, none failed; pieces are unlike each other, none is empty, none
   *     the beginning of another; of a key that was appended to the last one is a read that began
   *     after all answers
   */
  SequenceCheck(List<Observation> operations) {
    this.operations = operations;
    counter =
        operations.stream().anyMatch(operation -> operation.action() instanceof Action.Increment);
    Class<?> only = counter ? Action.Increment.class : Action.Append.class;
    operations.stream()
        .map(Observation::action)
        .filter(action -> !(action instanceof Action.Get) && !only.isInstance(action))
        .findFirst()
        .ifPresent(
            other -> {
              throw new IllegalArgumentException("a key is for one kind of write: " + other);
            });
    if (!counter && !endsWithARead()) {
      throw new IllegalArgumentException("nobody read what was appended in the end");
    }
  }

  private boolean endsWithARead() {
    long lastAnswer =
        operations.stream()
            .filter(operation -> !(operation.action() instanceof Action.Get))
            .mapToLong(Observation::completedNanos)
            .filter(nanos -> nanos != Observation.NEVER)
            .max()
            .orElse(Long.MIN_VALUE);
    return operations.stream()
        .anyMatch(
            operation ->
                operation.action() instanceof Action.Get && operation.invokedNanos() > lastAnswer);
  }

  /** Some of the operations that contradict each other, or empty when an order explains all. */
  Optional<List<Observation>> contradiction() {
    try {
      Map<Long, List<Observation>> reads = new TreeMap<>();
      List<Observation> writes = counter ? counted(reads) : appended(reads);
      takeMoments(writes, reads);
      return Optional.empty();
    } catch (Contradiction found) {
      return Optional.of(found.operations);
    }
  }

  // ---- the places of writes and reads ----

  /** The increments by their results; fills in the reads, by how many increments they saw. */
  private List<Observation> counted(Map<Long, List<Observation>> reads) throws Contradiction {
    TreeMap<Long, Observation> placed = new TreeMap<>();
    List<Observation> unknown = new ArrayList<>();
    Observation furthest = null; // who saw the highest number
    long highest = 0;
    for (Observation operation : operations) {
      if (operation.outcome() == Outcome.UNKNOWN) {
        unknown.add(operation);
        continue;
      }
      boolean read = operation.action() instanceof Action.Get;
      long number = read ? numberRead(operation) : answered(operation);
      if (read) {
        reads.computeIfAbsent(number, none -> new ArrayList<>()).add(operation);
      } else {
        Observation other = number < 1 ? operation : placed.put(number, operation);
        if (other != null) {
          throw new Contradiction(List.of(other, operation));
        }
      }
      if (furthest == null || number > highest) {
        furthest = operation;
        highest = number;
      }
    }
    unknown.sort(Comparator.comparingLong(Observation::invokedNanos));
    Iterator<Observation> free = unknown.iterator();
    List<Observation> writes = new ArrayList<>();
    for (long place = 1; place <= highest; place++) {
      Observation write = placed.get(place);
      if (write == null && !free.hasNext()) {
        List<Observation> all = new ArrayList<>(placed.headMap(place, true).values());
        if (furthest.action().readOnly()) {
          all.add(furthest); // saw more than were asked for
        }
        throw new Contradiction(all.subList(Math.max(0, all.size() - 3), all.size()));
      }
      writes.add(write == null ? free.next() : write);
    }
    return writes;
  }

  private static long answered(Observation operation) {
    return ((Action.Increment) operation.action()).result().orElseThrow();
  }

  private static long numberRead(Observation operation) throws Contradiction {
    Optional<String> value = ((Action.Get) operation.action()).read();
    try {
      long number = value.isEmpty() ? 0 : Long.parseLong(value.get());
      if (value.isEmpty() || number > 0) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Nor is that the value of a counter.
    }
    throw new Contradiction(List.of(operation));
  }

  /** The appends in the order of what was read; fills in the reads, by how many they saw. */
  private List<Observation> appended(Map<Long, List<Observation>> reads) throws Contradiction {
    List<Observation> inOrder = inTheOrderRead();
    Map<Long, Integer> places = new HashMap<>(); // how many are read, by the length of the value
    long length = 0;
    places.put(0L, 0);
    for (int i = 0; i < inOrder.size(); i++) {
      length += piece(inOrder.get(i)).length();
      places.put(length, i + 1);
    }
    Set<Observation> placed = new HashSet<>();
    length = 0;
    for (Observation write : inOrder) {
      length += piece(write).length();
      boolean again = !placed.add(write);
      Optional<Long> told = ((Action.Append) write.action()).length();
      if (again || (told.isPresent() && told.get() != length)) {
        throw new Contradiction(List.of(write, longestRead()));
      }
    }
    for (Observation operation : operations) {
      if (operation.action() instanceof Action.Get get) {
        String value = get.read().orElse("");
        Integer count = places.get((long) value.length());
        if (count == null || !longest().startsWith(value)) {
          throw new Contradiction(List.of(operation, longestRead()));
        }
        reads.computeIfAbsent((long) count, none -> new ArrayList<>()).add(operation);
      } else if (operation.outcome() == Outcome.OK && !placed.contains(operation)) {
        throw new Contradiction(List.of(operation, longestRead()));
      }
    }
    return inOrder;
  }

  private Observation longestRead() {
    return operations.stream()
        .filter(operation -> operation.action() instanceof Action.Get)
        .max(Comparator.comparingInt(SequenceCheck::lengthRead))
        .orElseThrow();
  }

  private static int lengthRead(Observation read) {
    return ((Action.Get) read.action()).read().orElse("").length();
  }

  private String longest() {
    return ((Action.Get) longestRead().action()).read().orElse("");
  }

  private static String piece(Observation write) {
    return ((Action.Append) write.action()).piece();
  }

  private List<Observation> inTheOrderRead() throws Contradiction {
    Map<String, Observation> byPiece = new HashMap<>();
    int shortest = Integer.MAX_VALUE;
    int longest = 0;
    for (Observation operation : operations) {
      if (operation.action() instanceof Action.Append append) {
        byPiece.put(append.piece(), operation);
        shortest = Math.min(shortest, append.piece().length());
        longest = Math.max(longest, append.piece().length());
      }
    }
    List<Observation> inOrder = new ArrayList<>();
    String value = longest();
    for (int at = 0; at < value.length(); ) {
      Observation next = null;
      for (int end = at + shortest; next == null && end <= at + longest; end++) {
        next = end > value.length() ? null : byPiece.get(value.substring(at, end));
      }
      if (next == null) {
        throw new Contradiction(List.of(longestRead())); // what nobody appended
      }
      inOrder.add(next);
      at += piece(next).length();
    }
    return inOrder;
  }

  // ---- their moments ----

  private static void takeMoments(List<Observation> writes, Map<Long, List<Observation>> reads)
      throws Contradiction {
    long now = Long.MIN_VALUE;
    Observation latest = null; // whose invocation set the moment
    for (int place = 0; place <= writes.size(); place++) {
      List<Observation> next = new ArrayList<>();
      if (place > 0) {
        next.add(writes.get(place - 1));
      }
      reads.getOrDefault((long) place, List.of()).stream()
          .sorted(Comparator.comparingLong(Observation::invokedNanos))
          .forEach(next::add);
      for (Observation operation : next) {
        if (operation.invokedNanos() > now) {
          now = operation.invokedNanos();
          latest = operation;
        }
        if (operation.completedNanos() < now) {
          List<Observation> between = new ArrayList<>();
          between.add(latest);
          between.add(operation);
          throw new Contradiction(between);
        }
      }
    }
  }
}
