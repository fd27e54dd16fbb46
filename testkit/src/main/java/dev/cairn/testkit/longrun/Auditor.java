// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.longrun;

import dev.cairn.client.CairnClient;
import dev.cairn.client.CairnException;
import dev.cairn.testkit.Action;
import dev.cairn.testkit.History;
import dev.cairn.testkit.Linearizability;
import dev.cairn.testkit.Operation;
import dev.cairn.testkit.Operation.Outcome;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

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
  private static final long ANSWER_NANOS_MAX = TimeUnit.SECONDS.toNanos(90);
  private static final long AGAIN_AFTER_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

  private final List<CairnClient> readers;
  private final Consumer<String> violations;
  private final Map<String, Set<Optional<String>>> possible = new HashMap<>(); // of audited keys
  private long audited;

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

  /** Reads each key of a window that everybody has left, and decides its history. */
  void audit(Window window) {
    if (!window.isLeft()) {
      throw new IllegalStateException("window " + window.number() + " is still in use");
    }
    Map<String, Optional<String>> last = new HashMap<>();
    for (String key : window.keys()) {
      History.Invocation invocation = window.history().invoke(AUDITOR, key, Action.Get.UNANSWERED);
      Optional<Optional<String>> read = read(key);
      if (read.isEmpty()) {
        invocation.unknown();
        violations.accept("key " + key + " could not be read within 90 s");
      } else {
        invocation.ok(new Action.Get(read.get()));
        last.put(key, read.get());
      }
    }
    List<Operation> history = window.history().operations();
    Linearizability.check(history)
        .ifPresent(violation -> violations.accept("window " + window.number() + ": " + violation));
    audited += history.size();
    remember(history, last);
  }

  private void remember(List<Operation> history, Map<String, Optional<String>> last) {
    last.forEach((key, value) -> possible.put(key, new HashSet<>(Set.of(value))));
    for (Operation operation : history) {
      if (operation.outcome() == Outcome.UNKNOWN && last.containsKey(operation.key())) {
        if (operation.action() instanceof Action.Put put) {
          possible.get(operation.key()).add(Optional.of(put.value()));
        } else if (operation.action() instanceof Action.Delete) {
          possible.get(operation.key()).add(Optional.empty());
        }
      }
    }
  }

  /** Reads all keys of all windows once more. */
  void auditEverything() {
    possible.forEach(
        (key, values) -> {
          Optional<Optional<String>> read = read(key);
          if (read.isEmpty()) {
            violations.accept("key " + key + " could not be read within 90 s at the end");
          } else if (!values.contains(read.get())) {
            violations.accept(
                "key %s held one of %s and holds %s at the end".formatted(key, values, read.get()));
          }
        });
    audited += possible.size();
  }

  private Optional<Optional<String>> read(String key) {
    long begun = System.nanoTime();
    for (int tries = Math.floorMod(key.hashCode(), readers.size());
        System.nanoTime() - begun < ANSWER_NANOS_MAX;
        tries++) {
      try {
        return Optional.of(readers.get(tries % readers.size()).get(key));
      } catch (CairnException askedAgain) {
        LockSupport.parkNanos(AGAIN_AFTER_NANOS);
      }
    }
    return Optional.empty();
  }
}
