// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.function.Predicate;

/**
 * The configurations of a log, each with the index of its entry, newest first. The last one counts
 * from its append; truncating its entry brings the former back, so the former ones are kept until
 * compaction passes them.
 */
final class ConfigurationHistory {
  private record At(long index, Configuration configuration) {}

  private final Deque<At> newestFirst = new ArrayDeque<>();

  /** Begins anew with the configuration of a snapshot, and the index of its own entry. */
  void reset(long index, Configuration configuration) {
    newestFirst.clear();
    newestFirst.push(new At(index, configuration));
  }

  void append(long index, Configuration configuration) {
    newestFirst.push(new At(index, configuration));
  }

  void truncateFrom(long index) {
    while (newestFirst.size() > 1 && newestFirst.peek().index() >= index) {
      newestFirst.pop();
    }
  }

  /** Forgets what lies below the configuration that held at an index. */
  void compactTo(long index) {
    boolean found = false;
    for (Iterator<At> each = newestFirst.iterator(); each.hasNext(); ) {
      At at = each.next();
      if (found) {
        each.remove();
      } else {
        found = at.index() <= index;
      }
    }
  }

  Configuration last() {
    return newestFirst.element().configuration();
  }

  long lastIndex() {
    return newestFirst.element().index();
  }

  /** Whether the configuration that held at an index, or any later one, passes. */
  boolean anySince(long index, Predicate<Configuration> passes) {
    for (At at : newestFirst) {
      if (passes.test(at.configuration())) {
        return true;
      }
      if (at.index() <= index) {
        return false;
      }
    }
    return false;
  }

  /** Names the state at an index, with the configuration that held there. */
  SnapshotReference referenceAt(long index, long term) {
    for (At at : newestFirst) {
      if (at.index() <= index) {
        return new SnapshotReference(index, term, at.configuration(), at.index());
      }
    }
    throw new IllegalStateException("no configuration is known at " + index);
  }
}
