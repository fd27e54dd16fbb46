// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongFunction;

/**
 * Where each group's log begins and ends once all that waits is written: what an append is checked
 * against, so that nothing reaches the disk which does not follow from what is there.
 *
 * <p>Guarded by the log's lock.
 */
final class Tails {
  private record Tail(long base, long last) {
    static final Tail NONE = new Tail(0, 0);
  }

  private final Map<Long, Tail> tails = new HashMap<>();
  private final LongFunction<GroupState> durable;

  /** Begins with what is on disk. */
  Tails(Map<Long, GroupState> groups) {
    durable = groups::get;
    groups.forEach((id, group) -> tails.put(id, new Tail(group.base().index(), group.last())));
  }

  /**
   * Checks an append, and completes what its changes leave to the log: term and configuration of a
   * new base.
   *
   * @param waiting the changes that are not on disk yet, in their order
   * @throws IllegalArgumentException when it does not follow; then nothing has changed
   */
  List<Change> take(List<Change> changes, List<Change> waiting) {
    Map<Long, Tail> changed = new HashMap<>();
    List<Change> taken = new ArrayList<>(changes.size());
    for (Change change : changes) {
      Tail tail =
          changed.getOrDefault(change.group(), tails.getOrDefault(change.group(), Tail.NONE));
      changed.put(change.group(), after(change, tail));
      taken.add(change.kind() == Change.COMPACT ? completed(change, tail, taken, waiting) : change);
    }
    changed.forEach(
        (group, tail) -> {
          if (tail.equals(Tail.NONE)) {
            tails.remove(group);
          } else {
            tails.put(group, tail);
          }
        });
    return taken;
  }

  private static Tail after(Change change, Tail tail) {
    long index = change.index();
    return switch (change.kind()) {
      case Change.DATA, Change.CONFIGURATION, Change.EMPTY -> {
        check(index > tail.base && index <= tail.last + 1, change, tail);
        check(change.term() > 0, change, tail);
        yield new Tail(tail.base, index);
      }
      case Change.RESET -> {
        check(index >= 0, change, tail);
        yield new Tail(index, index);
      }
      case Change.COMPACT -> {
        check(index <= tail.last, change, tail);
        yield new Tail(Math.max(tail.base, index), tail.last);
      }
      case Change.TRUNCATE -> {
        check(index >= tail.base, change, tail);
        yield new Tail(tail.base, Math.min(tail.last, index));
      }
      case Change.REMOVE -> Tail.NONE;
      default -> tail;
    };
  }

  private static void check(boolean fits, Change change, Tail tail) {
    if (!fits) {
      throw new IllegalArgumentException(
          "a change of kind "
              + change.kind()
              + " at "
              + change.index()
              + "@"
              + change.term()
              + " does not fit the log "
              + tail.base
              + ".."
              + tail.last
              + " of group "
              + change.group());
    }
  }

  /** Finds term and configuration at an index: in what waits, newest first, then on disk. */
  private Change completed(Change compact, Tail tail, List<Change> taken, List<Change> waiting) {
    long group = compact.group();
    long index = compact.index();
    if (index <= tail.base) {
      return Change.ofBase(Change.COMPACT, group, Base.NONE);
    }
    Search search = new Search(index);
    for (List<Change> changes : List.of(taken, waiting)) {
      for (int i = changes.size() - 1; i >= 0; i--) {
        if (changes.get(i).group() == group && search.ends(changes.get(i))) {
          return Change.ofBase(Change.COMPACT, group, search.base);
        }
      }
    }
    GroupState state = durable.apply(group);
    if (state == null) {
      state = new GroupState(); // all of the group waits
    }
    Base held = state.baseAt(Math.min(index, search.floor - 1), 0);
    long term = search.term > 0 ? search.term : state.termAt(index);
    Base base =
        search.configuration == null
            ? new Base(index, term, held.configurationIndex(), held.configuration())
            : search.found(term);
    return Change.ofBase(Change.COMPACT, group, base);
  }

  /** What was found of an index, going back in time. */
  private static final class Search {
    private final long index;
    private long floor;
    private long term;
    private Change configuration;
    private Base base;

    Search(long index) {
      this.index = index;
      floor = index + 1;
    }

    Base found(long term) {
      return new Base(index, term, configuration.index(), configuration.payload());
    }

    /** Looks at a change; true when nothing before it matters. */
    boolean ends(Change change) {
      if (change.kind() == Change.RESET) {
        Base before = change.toBase();
        long found = term > 0 ? term : before.term();
        base =
            configuration != null
                ? found(found)
                : new Base(index, found, before.configurationIndex(), before.configuration());
        return true;
      }
      if (change.kind() == Change.REMOVE) {
        base = configuration != null ? found(term) : new Base(index, term, 0, Change.NOTHING);
        return true;
      }
      if (change.kind() == Change.TRUNCATE) {
        floor = Math.min(floor, change.index() + 1);
      } else if (change.isEntry() && change.index() < floor) {
        floor = change.index();
        if (change.index() == index) {
          term = change.term();
        }
        if (change.kind() == Change.CONFIGURATION && configuration == null) {
          configuration = change;
        }
      }
      return false;
    }
  }
}
