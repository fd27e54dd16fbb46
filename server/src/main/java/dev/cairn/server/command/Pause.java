// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import java.util.Set;

/**
 * CLIENT PAUSE: until when the commands of one port of this node wait, and which of them. A
 * connection whose next command waits starts nothing behind it and is not read.
 *
 * <p>Any thread may call. The pause is not a lock: a command that runs when it begins goes on.
 * Times are those of the monotonic clock.
 */
public final class Pause {
  /** What ends a pause, or the connection that waits. */
  private static final Set<String> NEVER_WAIT = Set.of("client", "quit", "reset");

  private static final Until NONE = new Until(0, false, false);

  private volatile Until until = NONE;

  private record Until(long nanos, boolean isOn, boolean writesOnly) {}

  Pause() {}

  /** Begins one, in the place of one that there is. */
  void begin(long endNanos, boolean writesOnly) {
    until = new Until(endNanos, true, writesOnly);
  }

  /** Ends it. */
  void end() {
    until = NONE;
  }

  /**
   * How long a command waits, unless the pause is ended before; 0: it does not wait.
   *
   * @param command its name in the table
   */
  public long waitNanos(String command, Effect effect, long nowNanos) {
    Until now = until;
    if (!now.isOn()
        || (now.writesOnly() && effect != Effect.WRITES)
        || NEVER_WAIT.contains(command)) {
      return 0;
    }
    return Math.max(0, now.nanos() - nowNanos);
  }
}
