// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.server.access.User;
import java.util.List;

/**
 * What commands do to their keys, as rights have it: read, write, both, or nothing that says
 * anything of the value. Made of {@link KeyFlags} once, so that a request costs two look-ups.
 * Immutable.
 */
final class KeyDirections {
  private static final int[] OF_THE_CALL = {};

  private final int[][] byNumber; // of a command's first key, and of the others

  /**
   * Looks all commands up.
   *
   * @param commands each at its {@link Command#number}
   */
  KeyDirections(List<Command> commands) {
    byNumber = commands.stream().map(KeyDirections::fixed).toArray(int[][]::new);
  }

  private static int[] fixed(Command command) {
    String name = command.fullName();
    List<String> first = KeyFlags.of(name, command, 0);
    return first.contains("variable_flags")
        ? OF_THE_CALL
        : new int[] {of(first), of(KeyFlags.of(name, command, 1))};
  }

  /** What a call does to one of its keys. */
  int of(Command command, List<byte[]> words, int index) {
    int[] fixed = byNumber[command.number()];
    return fixed.length > 0
        ? fixed[Math.min(index, 1)]
        : of(KeyFlags.of(command.fullName(), command, words, index));
  }

  private static int of(List<String> flags) {
    int directions = 0;
    for (String flag : flags) {
      switch (flag) {
        case "access" -> directions |= User.KeyUse.READ;
        case "insert", "update", "delete" -> directions |= User.KeyUse.WRITE;
        default -> {}
      }
    }
    return directions;
  }
}
