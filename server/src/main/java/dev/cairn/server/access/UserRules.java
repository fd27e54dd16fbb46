// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.access;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A {@link User} that is being made: rules are applied to it one after the other, all or none.
 *
 * <pre>
 *   rule ::= on | off | nopass | resetpass | &gt;password | #hash | &lt;password | !hash | reset
 *          | (rule rule ...) | clearselectors | sanitize-payload | skip-sanitize-payload
 *          | a rule of {@link SelectorRules}
 * </pre>
 */
public final class UserRules {
  /** The most that a user's rules take as text, bytes: what each change logs. */
  public static final int BYTES_MAX = 64 << 10;

  /** The longest name of a user, bytes. */
  static final int NAME_BYTES_MAX = 1024;

  private static final int SHOWN_MAX = 128;
  private static final String BAD_HASH =
      "The password hash must be exactly 64 characters and contain only lowercase hexadecimal"
          + " characters";
  private static final String NO_PASSWORD =
      "The password you are trying to remove from the user does not exist";

  private final Catalog catalog;
  private final String name;
  private boolean on;
  private boolean nopass;
  private String sanitize = "";
  private final List<String> passwords = new ArrayList<>();
  private SelectorRules root;
  private final List<Selector> selectors = new ArrayList<>(); // but for the root

  private UserRules(Catalog catalog, String name) {
    this.catalog = catalog;
    this.name = name;
    this.root = new SelectorRules(catalog);
  }

  private UserRules(Catalog catalog, User from) {
    this.catalog = catalog;
    name = from.name();
    on = from.isOn();
    nopass = from.isNopass();
    sanitize = from.flags().sanitize();
    passwords.addAll(from.passwords());
    root = SelectorRules.of(from.selectors().get(0), catalog);
    selectors.addAll(from.selectors().subList(1, from.selectors().size()));
  }

  /** One that is off and may do nothing, as ACL SETUSER makes one. */
  static User fresh(Catalog catalog, String name) {
    return new UserRules(catalog, name).user();
  }

  /**
   * Why there can be no user of this name; null if there can.
   *
   * @param name a byte a character
   */
  public static String unfitName(String name) {
    if (name.chars().anyMatch(c -> c == 0 || c == ' ' || (c >= '\t' && c <= '\r'))) {
      return "Usernames can't contain spaces or null characters";
    }
    return name.length() > NAME_BYTES_MAX
        ? "Usernames have at most " + NAME_BYTES_MAX + " bytes"
        : null;
  }

  /**
   * The user that comes of another by rules.
   *
   * @param rules a byte a character; those of selectors may be in several words
   * @throws RuleException with the whole of Redis' text
   */
  static User change(User from, List<String> rules, Catalog catalog) throws RuleException {
    UserRules changed = new UserRules(catalog, from);
    for (String rule : merged(rules)) {
      try {
        changed.apply(rule);
      } catch (RuleException wrong) {
        throw new RuleException(
            "Error in ACL SETUSER modifier '%s': %s".formatted(shown(rule), wrong.getMessage()));
      }
    }
    User user = changed.user();
    if (user.line().length() > BYTES_MAX) {
      throw new RuleException(
          "the rules of a user have at most %d bytes, these would have %d"
              .formatted(BYTES_MAX, user.line().length()));
    }
    return user;
  }

  /** The same of what is on the disk or in the log: what this version does not know is left out. */
  static User read(String name, List<String> rules, Catalog catalog) throws RuleException {
    UserRules read = new UserRules(catalog, name);
    for (String rule : merged(rules)) {
      try {
        read.apply(rule);
      } catch (RuleException wrong) {
        if (!wrong.isUnknown()) {
          throw wrong;
        }
      }
    }
    return read.user();
  }

  /** A password is not repeated, not even to who sent it. */
  private static String shown(String rule) {
    if (rule.startsWith(">") || rule.startsWith("<")) {
      return rule.charAt(0) + "(redacted)";
    }
    return rule.substring(0, Math.min(rule.length(), SHOWN_MAX));
  }

  /** Rules in which passwords are hashes: what leaves the node that was asked. */
  public static List<String> hashed(List<String> rules) {
    return rules.stream()
        .map(
            rule ->
                switch (rule.isEmpty() ? ' ' : rule.charAt(0)) {
                  case '>' -> "#" + hash(rule.substring(1));
                  case '<' -> "!" + hash(rule.substring(1));
                  default -> rule;
                })
        .toList();
  }

  private static String hash(String password) {
    return Passwords.hash(password.getBytes(StandardCharsets.ISO_8859_1));
  }

  /** Puts the words of a selector together. */
  private static List<String> merged(List<String> words) throws RuleException {
    List<String> rules = new ArrayList<>();
    for (int i = 0; i < words.size(); i++) {
      String rule = words.get(i);
      if (rule.startsWith("(") && !rule.endsWith(")")) {
        StringBuilder whole = new StringBuilder(rule);
        while (whole.charAt(whole.length() - 1) != ')') {
          if (++i == words.size()) {
            throw new RuleException(
                "Unmatched parenthesis in acl selector starting at '"
                    + rule.substring(0, Math.min(rule.length(), SHOWN_MAX))
                    + "'.");
          }
          whole.append(' ').append(words.get(i));
        }
        rule = whole.toString();
      }
      rules.add(rule);
    }
    return rules;
  }

  private void apply(String rule) throws RuleException {
    switch (rule.toLowerCase(Locale.ROOT)) {
      case "" -> {}
      case "on" -> on = true;
      case "off" -> on = false;
      case "nopass" -> {
        nopass = true;
        passwords.clear();
      }
      case "resetpass" -> {
        nopass = false;
        passwords.clear();
      }
      case "sanitize-payload", "skip-sanitize-payload" -> sanitize = rule.toLowerCase(Locale.ROOT);
      case "clearselectors" -> selectors.clear();
      case "reset" -> {
        on = false;
        nopass = false;
        sanitize = "sanitize-payload";
        passwords.clear();
        selectors.clear();
        root = new SelectorRules(catalog);
      }
      default -> applyOther(rule);
    }
  }

  private void applyOther(String rule) throws RuleException {
    String rest = rule.substring(1);
    switch (rule.charAt(0)) {
      case '>' -> addPassword(hash(rest));
      case '#' -> addPassword(rest);
      case '<' -> removePassword(hash(rest));
      case '!' -> removePassword(rest);
      case '(' -> selectors.add(selector(rule));
      default -> root.apply(rule);
    }
  }

  private void addPassword(String hash) throws RuleException {
    if (!Passwords.isHash(hash)) {
      throw new RuleException(BAD_HASH);
    }
    if (!passwords.contains(hash)) {
      passwords.add(hash);
    }
    nopass = false;
  }

  private void removePassword(String hash) throws RuleException {
    if (!Passwords.isHash(hash)) {
      throw new RuleException(BAD_HASH);
    }
    if (!passwords.remove(hash)) {
      throw new RuleException(NO_PASSWORD);
    }
  }

  private Selector selector(String rule) throws RuleException {
    SelectorRules rules = new SelectorRules(catalog);
    for (String inner : rule.substring(1, rule.length() - 1).trim().split(" +")) {
      if (inner.isEmpty()) {
        continue;
      }
      if (inner.endsWith(")")) {
        throw RuleException
            .syntax(); // it could not be told from the selector's end when read again
      }
      rules.apply(inner);
    }
    return rules.selector();
  }

  private User user() {
    List<Selector> all = new ArrayList<>();
    all.add(root.selector());
    all.addAll(selectors);
    return new User(name, new User.Flags(on, nopass, sanitize), passwords, all);
  }
}
