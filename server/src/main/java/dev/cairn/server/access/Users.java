// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.access;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * All users, as one state of the cluster's log has them. Immutable; a change is a whole new table
 * with the next version.
 *
 * <p>Invariants:
 *
 * <ol>
 *   <li>There is a user {@code default}.
 *   <li>A change leaves a user who can log in and may run ACL SETUSER, or is refused: nobody could
 *       give rights any more. Only {@link #with} and {@link #without} are held to this; what is
 *       read was checked once.
 * </ol>
 *
 * <p>As text, ISO-8859-1, a byte a character; in a file and in the log:
 *
 * <pre>
 *   table  ::= "cairn-rights 1 " version LF line*
 *   change ::= "cairn-rights 1 " version LF (line | gone)+       version: of the table that it makes
 *   line   ::= "user " name (" " rule)* LF
 *   gone   ::= "deluser " name LF
 * </pre>
 */
public final class Users {
  /** With which text begins; no other entry of the cluster's log does. */
  private static final String FORMAT = "cairn-rights 1 ";

  private static final String ANY_FORMAT = "cairn-rights ";

  /** The most users of a cluster. */
  static final int COUNT_MAX = 10_000;

  private static final String GIVES_RIGHTS = "acl|setuser";

  private final Catalog catalog;
  private final long version;
  private final SortedMap<String, User> byName;

  private Users(Catalog catalog, long version, SortedMap<String, User> byName) {
    this.catalog = catalog;
    this.version = version;
    this.byName = byName;
    byName.computeIfAbsent(User.DEFAULT, name -> all(catalog, name, List.of("on", "nopass")));
  }

  private static User all(Catalog catalog, String name, List<String> how) {
    try {
      List<String> rules = new ArrayList<>(how);
      rules.addAll(List.of("~*", "&*", "+@all"));
      return UserRules.change(UserRules.fresh(catalog, name), rules, catalog);
    } catch (RuleException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Those of a cluster in which nobody needs a password: {@code default}, who may do all. */
  public static Users open(Catalog catalog) {
    return new Users(catalog, 0, new TreeMap<>());
  }

  /** Those of a node that does not know yet whom it may let in: nobody. */
  public static Users closed(Catalog catalog) {
    TreeMap<String, User> byName = new TreeMap<>();
    byName.put(User.DEFAULT, UserRules.fresh(catalog, User.DEFAULT));
    return new Users(catalog, 0, byName);
  }

  /** {@code default} with all rights, who logged in by a password that no table has. */
  static User recovery(Catalog catalog) {
    return all(catalog, User.DEFAULT, List.of("on"));
  }

  /**
   * Those of a users' file: lines {@code user name rule ...}, empty lines, and such that begin with
   * a number sign, as Redis' aclfile has them.
   *
   * @throws RuleException with the number of the line and what is wrong
   */
  public static Users ofFile(Catalog catalog, String text) throws RuleException {
    TreeMap<String, User> byName = new TreeMap<>();
    List<String> lines = text.lines().map(String::strip).toList();
    for (int i = 0; i < lines.size(); i++) {
      if (lines.get(i).isEmpty() || lines.get(i).startsWith("#")) {
        continue;
      }
      try {
        User user = ofLine(catalog, lines.get(i));
        if (byName.put(user.name(), user) != null) {
          throw new RuleException(
              "Duplicate user found. A user can only be defined once in config files");
        }
        checkCount(byName);
      } catch (RuleException wrong) {
        throw new RuleException("line %d: %s".formatted(i + 1, wrong.getMessage()));
      }
    }
    return new Users(catalog, 0, byName);
  }

  private static User ofLine(Catalog catalog, String line) throws RuleException {
    List<String> words = Arrays.asList(line.split("[ \t]+"));
    if (words.size() < 2 || !words.get(0).equals("user")) {
      throw new RuleException("it should be 'user NAME RULE ...'");
    }
    String unfit = UserRules.unfitName(words.get(1));
    if (unfit != null) {
      throw new RuleException(unfit);
    }
    return UserRules.change(
        UserRules.fresh(catalog, words.get(1)), words.subList(2, words.size()), catalog);
  }

  private static void checkCount(SortedMap<String, User> byName) throws RuleException {
    if (byName.size() > COUNT_MAX) {
      throw new RuleException("a cluster has at most " + COUNT_MAX + " users");
    }
  }

  /** Which state of the log this is: 0 before the first. */
  public long version() {
    return version;
  }

  /** The user of a name, if there is one. */
  public Optional<User> user(String name) {
    return Optional.ofNullable(byName.get(name));
  }

  /** All, in the order of their names' bytes. */
  public Collection<User> all() {
    return byName.values();
  }

  /** Whether a connection may go on without logging in. */
  public boolean needsNoLogin() {
    User user = byName.get(User.DEFAULT);
    return user.isOn() && user.isNopass();
  }

  /** Whether {@code default} has no password, so that AUTH with one is a mistake. */
  public boolean needsNoPassword() {
    return byName.get(User.DEFAULT).isNopass();
  }

  /** These users with one more, or with another in the place of the one of that name. */
  public Users with(String name, List<String> rules) throws RuleException {
    String unfit = UserRules.unfitName(name);
    if (unfit != null) {
      throw new RuleException(unfit);
    }
    User before = user(name).orElseGet(() -> UserRules.fresh(catalog, name));
    TreeMap<String, User> next = new TreeMap<>(byName);
    next.put(name, UserRules.change(before, rules, catalog));
    checkCount(next);
    return next(next);
  }

  /** These users without some. */
  public Users without(List<String> names) throws RuleException {
    if (names.contains(User.DEFAULT)) {
      throw new RuleException("The 'default' user cannot be removed");
    }
    TreeMap<String, User> next = new TreeMap<>(byName);
    names.forEach(next::remove);
    return next(next);
  }

  /** The same as they are before there is a log. */
  public Users asSeed() {
    return new Users(catalog, 0, byName);
  }

  /** The first state of a log: these users, as they are. */
  public Users first() {
    return new Users(catalog, 1, byName);
  }

  private Users next(SortedMap<String, User> next) throws RuleException {
    Users users = new Users(catalog, version + 1, next);
    if (!users.givesRights() && givesRights()) {
      throw new RuleException(
          "this would leave no user who can log in and may run ACL SETUSER, and nobody could give"
              + " rights any more: give another one 'on +@admin' and a password first");
    }
    return users;
  }

  /** Whether somebody can log in who may change rights. */
  public boolean givesRights() {
    return byName.values().stream()
        .anyMatch(user -> user.canLogIn() && user.may(catalog, GIVES_RIGHTS));
  }

  /** As text, all of it. */
  public byte[] encode() {
    StringBuilder text = new StringBuilder(FORMAT).append(version).append('\n');
    byName.values().forEach(user -> text.append(user.line()).append('\n'));
    return text.toString().getBytes(StandardCharsets.ISO_8859_1);
  }

  /** As text, what makes these users of those of the version before. */
  public byte[] encodeChange(Users before) {
    StringBuilder text = new StringBuilder(FORMAT).append(version).append('\n');
    byName.forEach(
        (name, user) -> {
          if (before.byName.get(name) != user) {
            text.append(user.line()).append('\n');
          }
        });
    before.byName.keySet().stream()
        .filter(name -> !byName.containsKey(name))
        .forEach(name -> text.append("deluser ").append(name).append('\n'));
    return text.toString().getBytes(StandardCharsets.ISO_8859_1);
  }

  /** Whether bytes of the cluster's log are a change of rights, of whichever format. */
  public static boolean isChange(byte[] entry) {
    byte[] mark = ANY_FORMAT.getBytes(StandardCharsets.ISO_8859_1);
    return entry.length > mark.length && Arrays.equals(entry, 0, mark.length, mark, 0, mark.length);
  }

  /**
   * A table that was written by {@link #encode}.
   *
   * @throws IOException when it is none, or of a format that this version does not know
   */
  public static Users decode(Catalog catalog, byte[] table) throws IOException {
    List<String> lines = lines(table);
    TreeMap<String, User> byName = new TreeMap<>();
    put(catalog, lines, byName);
    return new Users(catalog, versionOf(lines.get(0)), byName);
  }

  /**
   * The table after a change.
   *
   * @return these users where the change was made of others: it was replayed, or came too late
   */
  public Users after(byte[] change) throws IOException {
    List<String> lines = lines(change);
    if (versionOf(lines.get(0)) != version + 1) {
      return this;
    }
    // The first one has all users: nodes may have been started with other seeds.
    TreeMap<String, User> next = version == 0 ? new TreeMap<>() : new TreeMap<>(byName);
    put(catalog, lines, next);
    return new Users(catalog, version + 1, next);
  }

  private static List<String> lines(byte[] bytes) throws IOException {
    List<String> lines = Arrays.asList(new String(bytes, StandardCharsets.ISO_8859_1).split("\n"));
    if (!lines.get(0).startsWith(FORMAT)) {
      throw new IOException(
          "rights of an unknown format, and this version of Cairn reads '"
              + FORMAT.strip()
              + "'; start the version that wrote them");
    }
    return lines;
  }

  private static long versionOf(String head) throws IOException {
    try {
      return Long.parseLong(head.substring(FORMAT.length()));
    } catch (NumberFormatException e) {
      throw new IOException("rights without a version", e);
    }
  }

  private static void put(Catalog catalog, List<String> lines, SortedMap<String, User> to)
      throws IOException {
    for (String line : lines.subList(1, lines.size())) {
      List<String> words = Arrays.asList(line.split(" ", -1));
      try {
        if (words.get(0).equals("user") && words.size() > 1) {
          String name = words.get(1);
          to.put(name, UserRules.read(name, words.subList(2, words.size()), catalog));
        } else if (words.get(0).equals("deluser") && words.size() == 2) {
          to.remove(words.get(1));
        } else {
          throw new IOException("rights with a line that is none");
        }
      } catch (RuleException e) {
        throw new IOException("rights that cannot be read: " + e.getMessage(), e);
      }
    }
  }
}
