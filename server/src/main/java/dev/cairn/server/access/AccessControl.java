// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.access;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/**
 * What a node acts on: the users as it has last applied them, and who is told when they change.
 *
 * <p>Invariants:
 *
 * <ol>
 *   <li>The table is one state of the cluster's log, or the seed before the first; its version only
 *       grows.
 *   <li>Whoever asks after {@link #follow} has returned is judged by the new table.
 * </ol>
 *
 * <p>Any thread.
 */
public final class AccessControl implements AutoCloseable {
  /** Compared with where there is no user: no password has this hash. */
  private static final String NOT_A_HASH = "-".repeat(64);

  private final Catalog catalog;
  private final User recoveryUser;
  private final Optional<String> recoveryHash;
  private final AccessLog log = new AccessLog();
  private final Logins logins = new Logins(this, System::nanoTime);
  private final int connectionsMax;
  private final Map<String, Integer> connections = new ConcurrentHashMap<>(); // by user
  private final List<Runnable> watchers = new CopyOnWriteArrayList<>();
  private volatile Users users;
  private volatile RightsWriter writer = RightsWriter.NONE;

  /**
   * Begins with users of whom the log knows nothing yet.
   *
   * @param recoveryHash the hash of the password by which {@code default} may do all from loopback
   * @param connectionsMax how many connections a user may have who logged in; 0: any number
   */
  public AccessControl(
      Catalog catalog, Users seed, Optional<String> recoveryHash, int connectionsMax) {
    this.catalog = catalog;
    this.users = seed;
    this.recoveryHash = recoveryHash;
    this.connectionsMax = connectionsMax;
    this.recoveryUser = Users.recovery(catalog);
  }

  /** One in which nobody needs a password. */
  public static AccessControl open(Catalog catalog) {
    return new AccessControl(catalog, Users.open(catalog), Optional.empty(), 0);
  }

  /** The commands that rules are about. */
  public Catalog catalog() {
    return catalog;
  }

  /** The table as it is now. Cheap: a field read. */
  public Users users() {
    return users;
  }

  /** What looks at passwords. */
  public Logins logins() {
    return logins;
  }

  /** How many connections a user may have who logged in; 0: any number. */
  public int connectionsMax() {
    return connectionsMax;
  }

  /**
   * A connection is a user's now.
   *
   * @return whether it may be: it is not counted where it may not
   */
  public boolean entered(Login login) {
    if (connectionsMax == 0 || !login.isCounted()) {
      return true;
    }
    boolean[] room = new boolean[1];
    connections.compute(
        login.user(),
        (user, count) -> {
          int now = count == null ? 0 : count;
          room[0] = now < connectionsMax;
          return room[0] ? now + 1 : count;
        });
    return room[0];
  }

  /** It is no more. */
  public void left(Login login) {
    if (connectionsMax > 0 && login.isCounted()) {
      connections.computeIfPresent(login.user(), (user, count) -> count > 1 ? count - 1 : null);
    }
  }

  /** Looks at no more passwords. */
  @Override
  public void close() {
    logins.close();
  }

  /** What was refused lately. */
  public AccessLog log() {
    return log;
  }

  /** Calls somebody after each change. */
  public void whenChanged(Runnable watcher) {
    watchers.add(watcher);
  }

  /** Acts on a table from now on, if it is newer. */
  public void follow(Users next) {
    synchronized (this) {
      if (next.version() <= users.version() && users.version() > 0) {
        return;
      }
      users = next;
    }
    watchers.forEach(Runnable::run);
  }

  /** Where changes go from now on. */
  public void writer(RightsWriter to) {
    writer = to;
  }

  /** Changes rights in the whole cluster ({@link RightsWriter#change}). */
  public void change(RightsWriter.Change change, Consumer<RightsWriter.Outcome> done) {
    writer.change(change, done);
  }

  /** What a login allows now; empty where it holds no more. */
  public Optional<User> holds(Login login, Users table) {
    return login.holds(table, recoveryUser);
  }

  /** The login of a connection that has not asked for one; empty where it must. */
  public Optional<Login> withoutAsking() {
    return users.needsNoLogin() ? Optional.of(Login.NOBODY_ASKED) : Optional.empty();
  }

  /**
   * Whether a password is the user's. Takes the same time whether there is such a user or not.
   *
   * @param name a byte a character
   * @param local whether it comes from this machine
   */
  Optional<Login> check(String name, byte[] password, boolean local) {
    String hash = Passwords.hash(password);
    Optional<User> user = users.user(name);
    boolean right =
        Passwords.isAmong(hash, user.map(User::passwords).orElseGet(() -> List.of(NOT_A_HASH)));
    boolean recovers =
        recoveryHash.isPresent()
            && Passwords.isAmong(hash, List.of(recoveryHash.get()))
            && name.equals(User.DEFAULT)
            && local;
    if (recovers) {
      return Optional.of(new Login(name, Login.Kind.RECOVERY, ""));
    }
    if (user.isEmpty() || !user.get().isOn()) {
      return Optional.empty();
    }
    if (user.get().isNopass()) {
      return Optional.of(new Login(name, Login.Kind.NO_PASSWORD, ""));
    }
    return right ? Optional.of(new Login(name, Login.Kind.PASSWORD, hash)) : Optional.empty();
  }
}
