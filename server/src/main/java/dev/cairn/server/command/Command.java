// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.server.value.Integers;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * One row of the {@link CommandTable}: all that is known about a command but what runs it.
 *
 * @param names how it is called
 * @param arity words it takes, its name (and its container's) included; negative: at least so many
 * @param access what it may do to data, as its clients are told
 * @param traits what else COMMAND says of it
 * @param keys where its keys stand
 * @param description what people are told of it
 * @param subcommands of a container
 * @param queueable whether its plan may be part of a transaction
 */
public record Command(
    Names names,
    int arity,
    Access access,
    Set<Trait> traits,
    Keys keys,
    Description description,
    List<Command> subcommands,
    boolean queueable) {
  public Command {
    traits = Set.copyOf(traits);
    subcommands = List.copyOf(subcommands);
  }

  /**
   * How a command is called.
   *
   * @param container the name of the command that it is a subcommand of; empty: of none
   * @param name in lower case; of a subcommand, its own word only
   * @param aliases other names for the same
   * @param number its place in the table; -1 before it has one
   */
  record Names(String container, String name, List<String> aliases, int number) {
    Names {
      aliases = List.copyOf(aliases);
    }
  }

  /**
   * What people are told of a command.
   *
   * @param group of Redis' documentation
   * @param since the version of Redis that first had it; of Cairn, for Cairn's own
   * @param complexity in O notation
   * @param syntax how it is called
   * @param summary one sentence
   */
  record Description(
      String group, String since, String complexity, String syntax, String summary) {}

  /** The name of the command that it is a subcommand of; empty: of none. */
  public String container() {
    return names.container();
  }

  /** Its name, in lower case; of a subcommand, its own word only. */
  public String name() {
    return names.name();
  }

  /** Its place in the table, by which rights know it. */
  int number() {
    return names.number();
  }

  /** The same at a place of the table, its subcommands behind it. */
  Command numbered(int number) {
    List<Command> behind = new ArrayList<>();
    for (Command subcommand : subcommands) {
      behind.add(subcommand.numbered(number + 1 + behind.size()));
    }
    return new Command(
        new Names(names.container(), names.name(), names.aliases(), number),
        arity,
        access,
        traits,
        keys,
        description,
        behind,
        queueable);
  }

  /** Other names for the same. */
  public List<String> aliases() {
    return names.aliases();
  }

  /** How it is called. */
  public String syntax() {
    return description.syntax();
  }

  /** One sentence. */
  public String summary() {
    return description.summary();
  }

  /** The name by which it is measured: {@code get}, {@code config|set}. */
  public String fullName() {
    return container().isEmpty() ? name() : container() + "|" + name();
  }

  /** The name under which it was called, in small letters. */
  String nameAs(byte[] word) {
    for (String alias : names.aliases()) {
      if (says(word, alias)) {
        return alias;
      }
    }
    return names.name();
  }

  /** Whether a word is a name, however it is written; without garbage, for every SET asks. */
  private static boolean says(byte[] word, String lowerName) {
    if (word.length != lowerName.length()) {
      return false;
    }
    for (int i = 0; i < word.length; i++) {
      if (Character.toLowerCase((char) (word[i] & 0xff)) != lowerName.charAt(i)) {
        return false;
      }
    }
    return true;
  }

  /** What COMMAND and the access categories say beyond what a command does to data. */
  enum Trait {
    /** It is not constant work. */
    SLOW,
    /** It only removes or shortens, and so works when there is no room. */
    NEEDS_NO_ROOM,
    /** It is run inside MULTI too, not queued. */
    AT_ONCE,
    /** It may not stand in a transaction. */
    NO_MULTI,
    /** For whoever runs the node. */
    ADMIN,
    /** May do harm, or take long. */
    DANGEROUS,
    /** Everybody may run it, who has not logged in too. */
    NO_AUTH,
    /** That it was run, by whom and with what outcome, is kept ({@code AuditLog}). */
    AUDITED
  }

  /**
   * What a command does to data, as COMMAND tells its clients. What one call of it does is its
   * {@link Plan}'s {@link Effect}.
   */
  public enum Access {
    /** Nothing. */
    NONE,
    /** Reads. */
    READ,
    /** Writes. */
    WRITE
  }

  /**
   * Where keys stand among a command's words.
   *
   * @param first index of the first key; 0: there is none
   * @param last index of the last, or -1: the last word
   * @param step from one key to the next
   * @param counted index of the word that says how many keys there are; 0: none does
   */
  record Keys(int first, int last, int step, int counted) {
    static final Keys NONE = new Keys(0, 0, 0, 0);

    /** The keys of a call whose arity is right. */
    List<byte[]> of(List<byte[]> words) {
      List<byte[]> keys = new ArrayList<>();
      if (first > 0) {
        long end = end(words);
        for (int i = first; i <= end && i < words.size(); i += step) {
          keys.add(words.get(i));
        }
      }
      return keys;
    }

    /** Whether a word of a call whose arity is right is a key. */
    boolean has(int index, List<byte[]> words) {
      return first > 0 && index >= first && (index - first) % step == 0 && index <= end(words);
    }

    private long end(List<byte[]> words) {
      if (counted == 0) {
        return last < 0 ? words.size() + last : last;
      }
      long count = Integers.parse(words.get(counted)).orElse(0);
      return count < 0 || count > words.size() ? 0 : first + (count - 1) * step;
    }
  }

  /** Whether it may stand in a transaction. */
  boolean queues() {
    return queueable && !traits.contains(Trait.NO_MULTI);
  }

  /** Whether it is run inside MULTI too, not queued. */
  boolean runsAtOnce() {
    return traits.contains(Trait.AT_ONCE);
  }

  /** Whether it is kept that it was run. */
  boolean isAudited() {
    return traits.contains(Trait.AUDITED);
  }

  /** Whether everybody may run it, who has not logged in too. */
  boolean isOpen() {
    return traits.contains(Trait.NO_AUTH);
  }

  boolean accepts(int words) {
    return arity >= 0 ? words == arity : words >= -arity;
  }

  /** Redis' flags, in Redis' words. */
  List<String> flags() {
    List<String> flags = new ArrayList<>();
    switch (access) {
      case READ -> flags.add("readonly");
      case WRITE -> {
        flags.add("write");
        if (!traits.contains(Trait.NEEDS_NO_ROOM)) {
          flags.add("denyoom");
        }
      }
      case NONE -> {
        if (traits.contains(Trait.ADMIN)) {
          flags.add("admin");
          flags.add("noscript");
        }
        flags.add("loading");
        flags.add("stale");
      }
    }
    if (categories().contains("@fast")) {
      flags.add("fast");
    }
    if (traits.contains(Trait.NO_AUTH)) {
      flags.add("no_auth");
    }
    if (!queues() && !runsAtOnce() && subcommands.isEmpty()) {
      flags.add("no_multi");
    }
    if (keys.counted() > 0) {
      flags.add("movablekeys");
    }
    return flags;
  }

  /** Redis' access categories, in Redis' words. */
  List<String> categories() {
    return Categories.of(fullName()).orElseGet(this::categoriesOfRow);
  }

  private List<String> categoriesOfRow() {
    List<String> categories = new ArrayList<>();
    switch (access) {
      case READ -> categories.add("@read");
      case WRITE -> categories.add("@write");
      case NONE -> {}
    }
    switch (description.group()) {
      case "string", "bitmap" -> categories.add("@" + description.group());
      case "generic" -> categories.add("@keyspace");
      case "connection" -> categories.add("@connection");
      case "transactions" -> categories.add("@transaction");
      default -> {}
    }
    if (traits.contains(Trait.ADMIN)) {
      categories.add("@admin");
    }
    if (traits.contains(Trait.ADMIN) || traits.contains(Trait.DANGEROUS)) {
      categories.add("@dangerous");
    }
    categories.add(traits.contains(Trait.SLOW) ? "@slow" : "@fast");
    return categories;
  }
}
