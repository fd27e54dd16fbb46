// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.access;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
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
  private final Rules rules;
  private final Audit audit;
  private final Map<String, Integer> connections = new ConcurrentHashMap<>(); // by user
  private final List<Runnable> watchers = new CopyOnWriteArrayList<>();
  private volatile Users users;
  private volatile RightsWriter writer = RightsWriter.NONE;
  private volatile long heardNanos =
      System.nanoTime(); // when the users were known to be the latest

  /**
   * What each node says for itself of all users.
   *
   * @param connectionsMax how many connections a user may have who logged in; 0: any number
   * @param ageMaxMillis for how long a node that hears of no rights goes on with those it has; 0:
   *     for ever
   * @param certificatesAreUsers whether who shows a client's certificate is the user of its common
   *     name
   */
  public record Rules(int connectionsMax, long ageMaxMillis, boolean certificatesAreUsers) {
    /** No bounds, and passwords only. */
    public static final Rules NONE = new Rules(0, 0, false);
  }

  /**
   * Begins with users of whom the log knows nothing yet.
   *
   * @param recoveryHash the hash of the password by which {@code default} may do all from loopback
   * @param audit what is to be looked up later
   */
  public AccessControl(
      Catalog catalog, Users seed, Optional<String> recoveryHash, Rules rules, Audit audit) {
    this.catalog = catalog;
    this.users = seed;
    this.recoveryHash = recoveryHash;
    this.rules = rules;
    this.audit = audit;
    this.recoveryUser = Users.recovery(catalog);
  }

  /** One in which nobody needs a password. */
  public static AccessControl open(Catalog catalog) {
    return new AccessControl(
        catalog, Users.open(catalog), Optional.empty(), Rules.NONE, Audit.NONE);
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
    return rules.connectionsMax();
  }

  /** Takes what is to be looked up later. */
  public Audit audit() {
    return audit;
  }

  /**
   * The users were the latest then: whoever leads the cluster's rights was heard.
   *
   * @param nanos when, by {@link System#nanoTime}
   */
  public void heard(long nanos) {
    heardNanos = nanos;
  }

  /** For how long nobody has told this node what the latest rights are, milliseconds. */
  public long ageMillis() {
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - heardNanos);
  }

  /** Whether the users are so old that nobody is judged by them any more. */
  public boolean isTooOld() {
    return rules.ageMaxMillis() > 0 && ageMillis() > rules.ageMaxMillis();
  }

  /** What those are told who are refused for {@link #isTooOld}. */
  public String tooOld() {
    return "this node has not heard of the cluster's rights for "
        + TimeUnit.MILLISECONDS.toSeconds(ageMillis())
        + " s, and refuses after "
        + TimeUnit.MILLISECONDS.toSeconds(rules.ageMaxMillis())
        + " s (--rights-age-max-seconds); nothing was done. Ask another node";
  }

  /**
   * A connection is a user's now.
   *
   * @return whether it may be: it is not counted where it may not
   */
  public boolean entered(Login login) {
    if (rules.connectionsMax() == 0 || !login.isCounted()) {
      return true;
    }
    boolean[] room = new boolean[1];
    connections.compute(
        login.user(),
        (user, count) -> {
          int now = count == null ? 0 : count;
          room[0] = now < rules.connectionsMax();
          return room[0] ? now + 1 : count;
        });
    return room[0];
  }

  /** It is no more. */
  public void left(Login login) {
    if (rules.connectionsMax() > 0 && login.isCounted()) {
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

  /** Whether who shows a client's certificate is the user of its common name. */
  public boolean certificatesAreUsers() {
    return rules.certificatesAreUsers();
  }

  /**
   * The login of a connection whose client has shown a certificate; empty where no user that is on
   * has its name, or certificates are no users.
   *
   * @param name a byte a character
   */
  public Optional<Login> byCertificate(String name) {
    return users
        .user(name)
        .filter(user -> rules.certificatesAreUsers() && user.isOn())
        .map(user -> new Login(name, Login.Kind.CERTIFICATE, ""));
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
