// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.access;

import java.util.ArrayList;
import java.util.List;

/**
 * A user: how one logs in, and what may be done then. Immutable; made by {@link UserRules}.
 *
 * <p>A command is allowed where one selector, the user's own or one in parentheses, allows it with
 * all its keys: two selectors are never added up.
 */
public final class User {
  /** The user of a connection that has not logged in, where it needs no password. */
  public static final String DEFAULT = "default";

  private final String name;
  private final Flags flags;
  private final List<String> passwords;
  private final List<Selector> selectors;
  private final boolean unlimited;

  /**
   * What Redis calls flags.
   *
   * @param on whether one can log in
   * @param nopass whether any password will do
   * @param sanitize what was said of payloads: kept, and of no effect; empty: nothing
   */
  record Flags(boolean on, boolean nopass, String sanitize) {}

  /**
   * Why a command is not allowed.
   *
   * @param key which of its keys is the first that is not allowed; -1: the command is not
   */
  public record Denial(int key) {
    /** The command, whatever its keys. */
    public static final Denial COMMAND = new Denial(-1);

    /** Whether the command is not allowed, whatever its keys. */
    public boolean ofCommand() {
      return key < 0;
    }
  }

  /** The keys of one call, and what it does to them. */
  public interface KeyUse {
    /** The value is read. */
    int READ = 1;

    /** It is changed, removed or written over. */
    int WRITE = 2;

    /** A call without keys. */
    KeyUse NONE =
        new KeyUse() {
          @Override
          public int count() {
            return 0;
          }

          @Override
          public byte[] key(int index) {
            throw new IndexOutOfBoundsException(index);
          }

          @Override
          public int directions(int index) {
            throw new IndexOutOfBoundsException(index);
          }
        };

    /** How many there are. */
    int count();

    /** One of them. */
    byte[] key(int index);

    /** What is done to it: {@link #READ}, {@link #WRITE}, both or none. */
    int directions(int index);
  }

  User(String name, Flags flags, List<String> passwords, List<Selector> selectors) {
    this.name = name;
    this.flags = flags;
    this.passwords = List.copyOf(passwords);
    this.selectors = List.copyOf(selectors);
    this.unlimited = selectors.stream().anyMatch(Selector::isUnlimited);
  }

  /** A byte a character. */
  public String name() {
    return name;
  }

  /** Whether one can log in. */
  public boolean isOn() {
    return flags.on();
  }

  /** Whether any password will do. */
  public boolean isNopass() {
    return flags.nopass();
  }

  /** Whether there is a way to log in. */
  boolean canLogIn() {
    return flags.on() && (flags.nopass() || !passwords.isEmpty());
  }

  /** The hashes of the passwords. */
  public List<String> passwords() {
    return passwords;
  }

  Flags flags() {
    return flags;
  }

  List<Selector> selectors() {
    return selectors;
  }

  /** Whether all commands may be run with all keys: then nothing has to be looked at. */
  public boolean isUnlimited() {
    return unlimited;
  }

  /**
   * Why a call is not allowed, or null.
   *
   * @param command its number in the catalog
   * @param words the call
   */
  public Denial denial(Catalog catalog, int command, List<byte[]> words, KeyUse keys) {
    if (unlimited) {
      return null;
    }
    boolean open = catalog.isOpen(command);
    Denial nearest = Denial.COMMAND;
    for (Selector selector : selectors) {
      if (open || selector.allowsCommand(command, words)) {
        int wrong = firstDenied(selector, keys);
        if (wrong < 0) {
          return null;
        }
        if (nearest.key() < wrong) {
          nearest = new Denial(wrong);
        }
      }
    }
    return nearest;
  }

  private static int firstDenied(Selector selector, KeyUse keys) {
    if (!selector.allKeys()) {
      for (int i = 0; i < keys.count(); i++) {
        if (!selector.allowsKey(keys.key(i), keys.directions(i))) {
          return i;
        }
      }
    }
    return -1;
  }

  /** Whether a call without keys is allowed. */
  public boolean may(Catalog catalog, String command) {
    return denial(catalog, catalog.number(command), List.of(), KeyUse.NONE) == null;
  }

  /** Whether a key may be read by a command: what a listing shows. */
  public boolean mayRead(Catalog catalog, String command, byte[] key) {
    if (unlimited) {
      return true;
    }
    int number = catalog.number(command);
    for (Selector selector : selectors) {
      if (selector.allowsCommand(number, List.of()) && selector.allowsKey(key, KeyUse.READ)) {
        return true;
      }
    }
    return false;
  }

  /** Redis' words for how one logs in. */
  public List<String> flagWords() {
    List<String> words = new ArrayList<>();
    words.add(flags.on() ? "on" : "off");
    if (flags.nopass()) {
      words.add("nopass");
    }
    if (!flags.sanitize().isEmpty()) {
      words.add(flags.sanitize());
    }
    return words;
  }

  /**
   * What a selector allows, as ACL GETUSER tells it.
   *
   * @param commands its rules about commands, in their order
   */
  public record Told(String commands, String keys, String channels) {}

  /** What each selector allows; the user's own is the first. */
  public List<Told> told() {
    return selectors.stream()
        .map(
            selector ->
                new Told(selector.commandsText(), selector.keysText(), selector.channelsText()))
        .toList();
  }

  /** The line of ACL LIST, of a users' file and of the log: {@code user name rule ...}. */
  public String line() {
    StringBuilder line = new StringBuilder("user ").append(name);
    flagWords().forEach(word -> line.append(' ').append(word));
    passwords.forEach(hash -> line.append(" #").append(hash));
    line.append(' ').append(selectors.get(0).text());
    for (Selector selector : selectors.subList(1, selectors.size())) {
      line.append(" (").append(selector.text()).append(')');
    }
    return line.toString();
  }
}
