// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What commands do to their keys, in the words of Redis' key specifications: a value is read
 * ({@code RO}), changed ({@code RW}), overwritten whatever it was ({@code OW}) or removed ({@code
 * RM}); {@code access} says that the user gets something of it, the other words what is done.
 */
final class KeyFlags {
  private static final String READ = "RO access";
  private static final String OVERWRITE = "OW update";
  private static final String REVISE = "RW access update";

  /**
   * Of the first key, and behind a slash of the others where that is another; subcommands with
   * their container. Whatever is not here is read, or overwritten.
   */
  private static final Map<String, String> FLAGS =
      parse(
          """
          OW insert          : setnx msetnx
          RW insert          : append
          RW update          : setrange expire pexpire expireat pexpireat persist
          RW access update   : getset getex incr decr incrby decrby incrbyfloat setbit
          RW access delete   : getdel delex
          RM delete          : del unlink
          RO                 : exists touch type strlen watch memory|usage
          RO                 : object|encoding object|idletime object|refcount object|freq
          RW access delete/OW update : rename
          RW access delete/OW insert : renamenx
          RO access/OW update : copy
          OW update/RO access : bitop
          """);

  private KeyFlags() {}

  private static Map<String, String> parse(String table) {
    Map<String, String> flags = new HashMap<>();
    for (String line : table.lines().toList()) {
      String[] parts = line.split(":", 2);
      Arrays.stream(parts[1].trim().split(" ")).forEach(name -> flags.put(name, parts[0].trim()));
    }
    return Map.copyOf(flags);
  }

  /**
   * What a call does to its keys.
   *
   * @param name of the command, its container's in front
   * @param words of the call
   * @param index which of its keys, from 0
   */
  static List<String> of(String name, Command command, List<byte[]> words, int index) {
    return switch (name) {
      case "set" -> list(says(words, 3, "get") ? REVISE : OVERWRITE);
      case "bitfield" -> list(onlyReads(words) ? READ : REVISE);
      default -> {
        String fallback = command.access() == Command.Access.WRITE ? OVERWRITE : READ;
        String[] flags = FLAGS.getOrDefault(name, fallback).split("/");
        yield list(flags[Math.min(index, flags.length - 1)]);
      }
    };
  }

  /** The same of any call: what it may do at most. */
  static List<String> of(String name, Command command, int index) {
    return switch (name) {
      case "set", "bitfield" -> list(REVISE + " variable_flags");
      default -> of(name, command, List.of(), index);
    };
  }

  private static boolean onlyReads(List<byte[]> words) {
    return !says(words, 2, "set") && !says(words, 2, "incrby") && !says(words, 2, "overflow");
  }

  private static boolean says(List<byte[]> words, int from, String wanted) {
    return words.stream().skip(from).anyMatch(word -> Words.lower(word).equals(wanted));
  }

  private static List<String> list(String flags) {
    return List.of(flags.split(" "));
  }
}
