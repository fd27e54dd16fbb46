// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.routing;

import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * From what is found at each look to problems with an age. A problem is pending until it was found
 * for {@link #SET_AFTER_NANOS}, then set, and gone once it was not found for {@link
 * #CLEAR_AFTER_NANOS}: so an alert neither comes with a moment's election nor goes with a moment's
 * luck. A cluster is called healthy only when there is none in any state.
 *
 * <p>Bounded by kinds times nodes, since findings are summed up by node. Threads: any.
 */
final class Problems {
  static final long SET_AFTER_NANOS = TimeUnit.SECONDS.toNanos(5);
  static final long CLEAR_AFTER_NANOS = TimeUnit.SECONDS.toNanos(5);

  private final Map<Key, Entry> entries = new HashMap<>(); // guarded by this

  /** What becomes of a finding. */
  enum State {
    /** Found for less than five seconds. */
    PENDING,
    /** Found for longer. */
    SET,
    /** Was set, and is not found any more since less than five seconds. */
    CLEARING;

    String slug() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * A problem as it stands.
   *
   * @param ageMillis since when it has been found
   */
  record Problem(ProblemKind kind, String subject, State state, long ageMillis, String text) {}

  private record Key(ProblemKind kind, String subject) {}

  private static final class Entry {
    private long firstNanos;
    private long lastNanos;
    private boolean found; // at the last look
    private boolean set;
    private String text;
  }

  /**
   * Takes a look's findings in, at most one of a kind and subject, and tells what they amount to.
   */
  synchronized List<Problem> observe(List<Finding> findings, long nowNanos) {
    entries.values().forEach(entry -> entry.found = false);
    for (Finding finding : findings) {
      Entry entry =
          entries.computeIfAbsent(
              new Key(finding.kind(), finding.subject()), key -> begun(finding, nowNanos));
      entry.lastNanos = nowNanos;
      entry.found = true;
      entry.text = finding.text();
      entry.set |= nowNanos - entry.firstNanos >= SET_AFTER_NANOS;
    }
    entries
        .values()
        .removeIf(
            entry ->
                !entry.found && (!entry.set || nowNanos - entry.lastNanos >= CLEAR_AFTER_NANOS));
    return entries.entrySet().stream()
        .map(entry -> problem(entry.getKey(), entry.getValue(), nowNanos))
        .sorted(Comparator.comparing(Problem::kind).thenComparing(Problem::subject))
        .toList();
  }

  private static Entry begun(Finding finding, long nowNanos) {
    Entry entry = new Entry();
    entry.firstNanos = nowNanos - TimeUnit.MILLISECONDS.toNanos(finding.lastedMillis());
    return entry;
  }

  private static Problem problem(Key key, Entry entry, long nowNanos) {
    State found = entry.set ? State.SET : State.PENDING;
    return new Problem(
        key.kind,
        key.subject,
        entry.found ? found : State.CLEARING,
        TimeUnit.NANOSECONDS.toMillis(nowNanos - entry.firstNanos),
        entry.text);
  }
}
