// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.longrun;

import dev.cairn.client.CairnClient;
import dev.cairn.testkit.Action;
import dev.cairn.testkit.History;
import dev.cairn.testkit.Linearizability;
import dev.cairn.testkit.Observation;
import dev.cairn.testkit.Observation.Outcome;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Decides the windows of a run, one at a time, and remembers of each key no more than what it may
 * hold at the end: the value that was read last, and those writes of unknown outcome that may yet
 * take effect.
 *
 * <p>A window is audited when the faults of the next one have passed over it: each key is read
 * again, and that read is part of its history. At the end of the run all keys are read once more.
 */
final class Auditor {
  private static final int AUDITOR = -1;
  private static final int READS_IN_FLIGHT = 256;
  private static final long ANSWER_NANOS_MAX = TimeUnit.SECONDS.toNanos(60);
  private static final long AGAIN_AFTER_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

  private final List<CairnClient> readers;
  private final Consumer<String> violations;
  private final Map<String, Remembered> remembered = new HashMap<>(); // of audited keys
  private long audited;

  /**
   * What a key may hold from now on.
   *
   * @param last what was read last
   * @param open writes of unknown outcome, which may yet take effect
   */
  private record Remembered(Optional<String> last, List<Action> open) {
    boolean allows(Optional<String> value) {
      return reached(last.orElse(null), new ArrayList<>(open), value.orElse(null));
    }

    /** Whether some of the open writes, in some order and each once, lead from one to the other. */
    private static boolean reached(String from, List<Action> open, String to) {
      if (Objects.equals(from, to)) {
        return true;
      }
      for (Action next : open) {
        String after = next.after(from);
        boolean onTheWay =
            !next.cumulative() || (to != null && (after.equals(to) || mayLeadTo(after, next, to)));
        if (onTheWay && !Objects.equals(after, from)) {
          List<Action> rest = new ArrayList<>(open);
          rest.remove(next);
          if (reached(after, next.cumulative() ? rest : List.of(), to)) {
            return true;
          }
        }
      }
      return false;
    }

    private static boolean mayLeadTo(String after, Action action, String to) {
      return action instanceof Action.Append
          ? to.startsWith(after)
          : Long.parseLong(after) < Long.parseLong(to);
    }
  }

  /**
   * @param readers asked in turn
   * @param violations told of each
   */
  Auditor(List<CairnClient> readers, Consumer<String> violations) {
    this.readers = readers;
    this.violations = violations;
  }

  /** Operations in the histories that were decided. */
  long audited() {
    return audited;
  }

  /**
   * Reads each key of a window that everybody has left, and decides its history.
   *
   * @throws IllegalStateException when a key cannot be read for a minute: nothing more is decided
   */
  void audit(Window window) {
    if (!window.isLeft()) {
      throw new IllegalStateException("window " + window.number() + " is still in use");
    }
    Map<String, Optional<String>> last =
        read(window.keys(), key -> window.history().invoke(AUDITOR, key, Action.Get.UNANSWERED));
    List<Observation> history = window.history().operations();
    Linearizability.check(history)
        .ifPresent(violation -> violations.accept("window " + window.number() + ": " + violation));
    audited += history.size();
    remember(history, last);
  }

  private void remember(List<Observation> history, Map<String, Optional<String>> last) {
    Map<String, List<Action>> open = new HashMap<>();
    for (Observation operation : history) {
      if (operation.outcome() == Outcome.UNKNOWN && !operation.action().readOnly()) {
        open.computeIfAbsent(operation.key(), none -> new ArrayList<>()).add(operation.action());
      }
    }
    last.forEach(
        (key, value) ->
            remembered.put(
                key, new Remembered(value, List.copyOf(open.getOrDefault(key, List.of())))));
  }

  /** Reads all keys of all windows once more. */
  void auditEverything() {
    History unused = new History();
    read(remembered.keySet(), key -> unused.invoke(AUDITOR, key, Action.Get.UNANSWERED))
        .forEach(
            (key, value) -> {
              if (!remembered.get(key).allows(value)) {
                violations.accept(
                    "key %s: %s, and it holds %s at the end"
                        .formatted(key, remembered.get(key), value));
              }
            });
    audited += remembered.size();
  }

  /**
   * Reads keys, many at a time, and asks again for those that were not answered.
   *
   * @param asked called before a key is asked for
   */
  private Map<String, Optional<String>> read(
      Collection<String> keys, Function<String, History.Invocation> asked) {
    Map<String, Optional<String>> found = new ConcurrentHashMap<>();
    long begun = System.nanoTime();
    for (int round = 0; found.size() < keys.size(); round++) {
      if (System.nanoTime() - begun > ANSWER_NANOS_MAX) {
        throw new IllegalStateException(
            keys.stream().filter(key -> !found.containsKey(key)).findFirst().orElseThrow()
                + " and others of "
                + keys.size()
                + " keys could not be read in time");
      }
      List<String> missing = keys.stream().filter(key -> !found.containsKey(key)).toList();
      for (int from = 0; from < missing.size(); from += READS_IN_FLIGHT) {
        List<CompletableFuture<?>> reads = new ArrayList<>();
        for (String key : missing.subList(from, Math.min(missing.size(), from + READS_IN_FLIGHT))) {
          CairnClient reader = readers.get(Math.floorMod(key.hashCode() + round, readers.size()));
          reads.add(read(reader, key, asked.apply(key), found));
        }
        reads.forEach(CompletableFuture::join);
      }
      if (found.size() < keys.size()) {
        LockSupport.parkNanos(AGAIN_AFTER_NANOS);
      }
    }
    return found;
  }

  private static CompletableFuture<?> read(
      CairnClient reader,
      String key,
      History.Invocation invocation,
      Map<String, Optional<String>> found) {
    return reader
        .getAsync(key.getBytes(StandardCharsets.UTF_8))
        .handle(
            (answer, failure) -> {
              if (failure == null) {
                Optional<String> value =
                    answer.value().map(bytes -> new String(bytes, StandardCharsets.UTF_8));
                invocation.ok(new Action.Get(value));
                found.put(key, value);
              } else {
                invocation.unknown();
              }
              return null;
            });
  }
}
