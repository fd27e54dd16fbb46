// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import java.util.ArrayList;
import java.util.List;

/**
 * One row of the {@link CommandTable}: all that is known about a command, and what runs it.
 *
 * @param name in lower case; of a subcommand, its own word only
 * @param aliases other names for the same
 * @param arity words it takes, its name (and its container's) included; negative: at least so many
 * @param access what it does to data, which decides what may overtake it
 * @param fast whether it is constant work
 * @param keys where its keys stand
 * @param group of Redis' documentation
 * @param since the version of Redis that first had it; of Cairn, for Cairn's own
 * @param complexity in O notation
 * @param syntax how it is called
 * @param summary one sentence
 * @param subcommands of a container
 * @param handler what runs it; of a container, when it is called without a subcommand
 */
public record Command(
    String name,
    List<String> aliases,
    int arity,
    Access access,
    boolean fast,
    Keys keys,
    String group,
    String since,
    String complexity,
    String syntax,
    String summary,
    List<Command> subcommands,
    Handler handler) {

  /** What a command does to data. */
  public enum Access {
    /** Nothing: never waits for other commands. */
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
   */
  record Keys(int first, int last, int step) {
    static final Keys NONE = new Keys(0, 0, 0);
    static final Keys ONE = new Keys(1, 1, 1);
    static final Keys ALL = new Keys(1, -1, 1);
    static final Keys PAIRS = new Keys(1, -1, 2);

    /** The keys of a call whose arity is right. */
    List<byte[]> of(List<byte[]> words) {
      List<byte[]> keys = new ArrayList<>();
      if (first > 0) {
        int end = last < 0 ? words.size() + last : last;
        for (int i = first; i <= end && i < words.size(); i += step) {
          keys.add(words.get(i));
        }
      }
      return keys;
    }
  }

  /** What runs a command. Returns at once; answers through the call, now or later. */
  @FunctionalInterface
  interface Handler {
    void run(Call call);
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
        flags.add("denyoom");
      }
      case NONE -> {
        flags.add("loading");
        flags.add("stale");
      }
    }
    if (fast) {
      flags.add("fast");
    }
    return flags;
  }

  /** Redis' access categories, in Redis' words. */
  List<String> categories() {
    List<String> categories = new ArrayList<>();
    switch (access) {
      case READ -> categories.add("@read");
      case WRITE -> categories.add("@write");
      case NONE -> categories.add("@connection");
    }
    if (keys.first() > 0) {
      categories.add("@string");
    }
    categories.add(fast ? "@fast" : "@slow");
    return categories;
  }
}
