// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

import java.util.ArrayList;
import java.util.List;

/**
 * Changes of any number of groups that are written together: after a crash all of them are there or
 * none. They take effect in the order in which they were added. A group comes to be by its first
 * change.
 *
 * <p>Not thread-safe; nobody may change it after {@link Log#append} took it.
 */
public final class Append {
  private final List<Change> changes = new ArrayList<>();

  /**
   * Term and vote of a group.
   *
   * @param vote as the group encodes it, at most 1 KiB; empty for nobody
   */
  public Append hardState(long group, long term, byte[] vote) {
    return add(Change.HARD_STATE, group, term, 0, vote, Change.VOTE_BYTES_MAX);
  }

  /** Who this replica is; at most 1 KiB. It outlasts all but {@link #remove}. */
  public Append marker(long group, byte[] marker) {
    return add(Change.MARKER, group, 0, 0, marker, Change.MARKER_BYTES_MAX);
  }

  /**
   * An entry; all that the group has at its index and behind goes first.
   *
   * @param entry at most 16 MiB and 128 KiB of data; a configuration at most 64 KiB
   */
  public Append entry(long group, LogEntry entry) {
    int max =
        entry.kind() == LogEntry.Kind.DATA
            ? Change.DATA_BYTES_MAX
            : entry.kind() == LogEntry.Kind.EMPTY ? 0 : Change.CONFIGURATION_BYTES_MAX;
    checkBytes(entry.data(), max);
    changes.add(Change.of(group, entry));
    return this;
  }

  /** A snapshot takes the place of all entries. */
  public Append reset(long group, Base base) {
    checkBytes(base.configuration(), Change.CONFIGURATION_BYTES_MAX);
    changes.add(Change.ofBase(Change.RESET, group, base));
    return this;
  }

  /** Entries up to an index are no longer needed. An index that is gone already changes nothing. */
  public Append compact(long group, long index) {
    return add(Change.COMPACT, group, 0, index, Change.NOTHING, 0);
  }

  /** Entries behind an index go. */
  public Append truncate(long group, long lastKept) {
    return add(Change.TRUNCATE, group, 0, lastKept, Change.NOTHING, 0);
  }

  /** How far the group is committed, as far as this node knows. */
  public Append commit(long group, long index) {
    return add(Change.COMMIT, group, 0, index, Change.NOTHING, 0);
  }

  /** The group goes, with all that it had. */
  public Append remove(long group) {
    return add(Change.REMOVE, group, 0, 0, Change.NOTHING, 0);
  }

  private Append add(byte kind, long group, long term, long index, byte[] payload, int max) {
    checkBytes(payload, max);
    changes.add(new Change(kind, group, term, index, payload));
    return this;
  }

  private static void checkBytes(byte[] payload, int max) {
    if (payload.length > max) {
      throw new IllegalArgumentException(payload.length + " bytes, where at most " + max + " fit");
    }
  }

  List<Change> changes() {
    return changes;
  }
}
