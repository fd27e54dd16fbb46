// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.cluster;

import dev.cairn.server.access.AccessControl;
import dev.cairn.server.access.Users;
import java.io.IOException;
import java.nio.file.Path;

/**
 * The users as this node has applied them from the meta group's log: in memory, in a file, and
 * given to {@link AccessControl}, in this order backwards: what a node acts on is on its disk.
 *
 * <p>Invariants:
 *
 * <ol>
 *   <li>A change takes effect if it is of the version that follows; another one is ignored. So a
 *       change is a compare-and-set on the whole table, and a replayed log changes nothing.
 *   <li>A node whose disk was replaced acts on nothing before it has caught up ({@link #release}):
 *       it must not allow what was taken away long ago while it replays the log.
 * </ol>
 *
 * <p>Thread: the meta group's; {@link #users} any.
 */
final class RightsState {
  private final Path file;
  private final AccessControl access;
  private volatile Users users;
  private volatile boolean held;

  /**
   * Begins with what {@code access} acts on, which is what the file holds if there is one.
   *
   * @param held whether the node catches up first; until then nobody may log in
   */
  RightsState(Path file, AccessControl access, boolean held) {
    this.file = file;
    this.access = access;
    this.users = access.users();
    this.held = held && users.version() == 0;
    if (this.held) {
      access.follow(Users.closed(access.catalog()));
    }
  }

  Users users() {
    return users;
  }

  /**
   * Applies a change; on disk when this returns.
   *
   * @return whether it took effect
   */
  boolean apply(byte[] change) throws IOException {
    Users next = users.after(change);
    if (next == users) {
      return false;
    }
    DurableDocument.write(file, next.encode());
    users = next;
    if (!held) {
      access.follow(next);
    }
    return true;
  }

  /** Whether this node waits with acting on rights until it has caught up. */
  boolean isHeld() {
    return held;
  }

  /** It has caught up. On the meta group's thread or any: what is applied meanwhile is followed. */
  void release() {
    held = false;
    access.follow(users);
  }
}
