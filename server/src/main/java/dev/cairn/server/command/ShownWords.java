// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The words of a command as people may see them who look after a node and not after its data: its
 * name, its keys, and of all else the size. What is a key, the command's row says. A password is
 * never shown, and neither is its size.
 *
 * @param command whose row counts; of a container, the subcommand
 * @param words all of them, the names of command and container first
 */
record ShownWords(Command command, List<byte[]> words) {
  private static final byte[] SECRET = "(redacted)".getBytes(StandardCharsets.US_ASCII);

  /**
   * What is shown.
   *
   * @param values whether values and other arguments are shown as they are, where they are no
   *     secret
   */
  List<byte[]> shown(boolean values) {
    List<byte[]> shown = new ArrayList<>(words.size());
    int names = command.container().isEmpty() ? 1 : 2;
    for (int i = 0; i < words.size(); i++) {
      byte[] word = words.get(i);
      if (i < names || command.keys().has(i, words)) {
        shown.add(word);
      } else if (isSecret(i)) {
        shown.add(SECRET);
      } else {
        shown.add(values ? word : size(word));
      }
    }
    return shown;
  }

  /** What is kept of a command that hands no values about: all but what lets somebody in. */
  List<byte[]> audited() {
    List<byte[]> shown = new ArrayList<>(words.size());
    boolean rules = lower(0).equals("acl");
    for (int i = 0; i < words.size(); i++) {
      boolean secret = rules ? i > 2 && isPasswordRule(words.get(i)) : isSecret(i);
      shown.add(secret ? SECRET : words.get(i));
    }
    return shown;
  }

  /** Whether a rule of ACL SETUSER adds or takes away a password, also inside parentheses. */
  private static boolean isPasswordRule(byte[] rule) {
    int start = 0;
    while (start < rule.length && (rule[start] == '(' || rule[start] == ' ')) {
      start++;
    }
    return start < rule.length && "><#!".indexOf(rule[start]) >= 0;
  }

  /** Passwords, and what may be one: what a client sends with AUTH, or sets by that name. */
  private boolean isSecret(int index) {
    return switch (lower(0)) {
      case "auth" -> true;
      case "acl" -> index > 2 && (lower(1).equals("setuser") || lower(1).equals("dryrun"));
      case "hello" ->
          (index > 1 && lower(index - 1).equals("auth"))
              || (index > 2 && lower(index - 2).equals("auth"));
      case "config" -> index > 2 && lower(index - 1).matches(".*(pass|auth|user).*");
      default -> false;
    };
  }

  private String lower(int index) {
    return new String(words.get(index), StandardCharsets.ISO_8859_1).toLowerCase(Locale.ROOT);
  }

  private static byte[] size(byte[] word) {
    return (word.length == 1 ? "(1 byte)" : "(" + word.length + " bytes)")
        .getBytes(StandardCharsets.US_ASCII);
  }
}
