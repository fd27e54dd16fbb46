// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.access;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;

/**
 * ACL LOG: what was refused lately on this node, the latest first. What was refused to the same
 * user for the same reason within a minute is one entry with a count. Any thread.
 */
public final class AccessLog {
  /** How many entries are kept. */
  public static final int LENGTH_MAX = 128;

  private static final long SAME_MILLIS = 60_000;
  private static final int OBJECT_CHARACTERS_MAX = 256;

  private final Deque<Entry> entries = new ArrayDeque<>(); // guarded by this

  /** Why something was refused, in Redis' words. */
  public enum Reason {
    COMMAND,
    KEY,
    AUTH
  }

  /**
   * What was refused.
   *
   * @param context {@code toplevel} or {@code multi}
   * @param object the command, the key, or the command that was to log in; a byte a character
   * @param user who; a byte a character
   * @param client the client's line of CLIENT LIST
   */
  public record Refused(Reason reason, String context, String object, String user, String client) {}

  /**
   * One entry.
   *
   * @param count how often
   * @param atMillis the last time, milliseconds since 1970
   */
  public record Entry(int count, Refused refused, long atMillis) {
    private boolean isSame(Refused other, long nowMillis) {
      return nowMillis - atMillis < SAME_MILLIS
          && refused.reason() == other.reason()
          && refused.context().equals(other.context())
          && refused.object().equals(other.object())
          && refused.user().equals(other.user());
    }
  }

  /** Something was refused. */
  public synchronized void add(Refused refused, long nowMillis) {
    String object = refused.object();
    Refused shown =
        new Refused(
            refused.reason(),
            refused.context(),
            object.substring(0, Math.min(object.length(), OBJECT_CHARACTERS_MAX)),
            refused.user(),
            refused.client());
    int count = 1;
    for (Iterator<Entry> known = entries.iterator(); known.hasNext(); ) {
      Entry entry = known.next();
      if (entry.isSame(shown, nowMillis)) {
        count += entry.count();
        known.remove();
        break;
      }
    }
    entries.addFirst(new Entry(count, shown, nowMillis));
    if (entries.size() > LENGTH_MAX) {
      entries.removeLast();
    }
  }

  /** The latest first. */
  public synchronized List<Entry> latest(int countMax) {
    return new ArrayList<>(entries.stream().limit(countMax).toList());
  }

  /** Forgets all. */
  public synchronized void reset() {
    entries.clear();
  }
}
