// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.server.access.AccessControl;
import dev.cairn.server.access.Login;
import dev.cairn.server.access.User;
import dev.cairn.server.access.Users;
import java.util.Objects;
import java.util.Optional;

/**
 * Who a connection is, and so what it may do.
 *
 * <p>Invariant: what {@link #user} returns is what the table of users allowed when it was called.
 * While that table is the same object, this costs a comparison.
 *
 * <p>Threads: the connection's event loop, but for what is volatile; a login is answered on another
 * thread, while {@link #asks} keeps the loop from starting anything.
 */
final class ClientRights {
  private Login certificate; // what the connection is by itself; null: nothing
  private volatile Login login; // null: nobody
  private volatile boolean asking; // a login is looked at
  private volatile boolean changes; // it changes rights just now: it is answered before it ends
  private boolean
      counted; // among its user's connections; guarded by this, as login when it changes
  private boolean gone; // guarded by this
  private boolean ended; // its login held no more
  private Login seenLogin;
  private Users seen;
  private User user; // of both; null: nobody

  /** As when a connection opens. */
  synchronized void begin(AccessControl access) {
    leave(access);
    login = access.withoutAsking().orElse(null);
    if (certificate != null && access.entered(certificate)) {
      counted = true;
      login = certificate;
    }
  }

  /**
   * The client has shown a certificate: it is the user of that name, if there is one, before any
   * login and after RESET.
   *
   * @param name the common name, a byte a character
   * @return who it is; empty where there is no such user or it has too many connections
   */
  synchronized Optional<Login> shows(AccessControl access, String name) {
    certificate = access.byCertificate(name).orElse(null);
    begin(access);
    return Optional.ofNullable(certificate).filter(shown -> shown.equals(login));
  }

  /** Whether it may do all by this node's recovery password. */
  boolean recovers() {
    Login now = login;
    return now != null && now.recovers();
  }

  /** The connection is gone: a login that is answered now is nobody's. */
  synchronized void close(AccessControl access) {
    leave(access);
    gone = true;
  }

  private synchronized void leave(AccessControl access) {
    if (counted) {
      access.left(login);
    }
    counted = false;
    login = null;
  }

  /** The name of who it is, a byte a character; nobody is {@code default}, as in Redis. */
  String name() {
    Login now = login;
    return now == null ? User.DEFAULT : now.user();
  }

  /** What it may do now; null: it must log in. */
  User user(AccessControl access) {
    Users now = access.users();
    Login as = login;
    if (now != seen || !Objects.equals(as, seenLogin)) {
      Optional<User> holds = as == null ? Optional.empty() : access.holds(as, now);
      if (holds.isEmpty() && as != null) {
        ended = true;
        leave(access);
      }
      user = holds.orElse(null);
      seen = now;
      seenLogin = login;
    }
    return user;
  }

  /** The table by which {@link #user} judged last. */
  Users seen() {
    return seen;
  }

  /** Whether its login held no more, so that the connection is to end. */
  boolean ended() {
    return ended;
  }

  /** Whether nothing may be started: a login is looked at. */
  boolean isAsking() {
    return asking;
  }

  /** A login is looked at from now on. */
  void asks() {
    asking = true;
  }

  /** It was. Any thread. */
  void answered() {
    asking = false;
  }

  /**
   * Somebody has logged in. Any thread.
   *
   * @return whether there may be one more connection of this user
   */
  synchronized boolean enter(AccessControl access, Login as) {
    if (gone) {
      return true; // nobody reads the reply
    }
    boolean again = counted && login.isCounted() && login.user().equals(as.user());
    if (!(again && as.isCounted())) {
      if (!access.entered(as)) {
        return false;
      }
      if (counted) {
        access.left(login);
      }
    }
    counted = true;
    login = as;
    return true;
  }

  /** Whether it changes rights: that is answered, whatever becomes of its own. */
  void changes(boolean now) {
    changes = now;
  }

  /** Whether its login holds no more, and it waits for no answer that must reach it. Any thread. */
  boolean isToEnd(AccessControl access) {
    Login now = login;
    return now != null && !changes && access.holds(now, access.users()).isEmpty();
  }
}
