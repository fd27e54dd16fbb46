// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * A call of each command of the table with as few words as it takes, and which of them are keys.
 */
public final class PermissionExamples {
  /** Of those whose words decide where keys are, or whether they change them. */
  private static final Map<String, String> CALLS =
      Map.of(
          "msetex", "msetex 2 ok:1 v ok:2 v",
          "cairn|with", "cairn with x y",
          "bitop", "bitop and ok:1 ok:2 ok:3");

  private PermissionExamples() {}

  /**
   * A call.
   *
   * @param name by which the command is known to users, {@code config|get}
   * @param words separated by spaces; keys begin with {@code ok:}
   * @param keys which words are keys
   */
  public record Example(String name, String words, List<Integer> keys) {
    /** The same with another word in the place of a key. */
    public String with(int key, String other) {
      String[] all = words.split(" ");
      all[keys.get(key)] = other;
      return String.join(" ", all);
    }
  }

  /** One for each command that can be called, but those that everybody may run. */
  public static List<Example> all() {
    List<Example> examples = new ArrayList<>();
    for (Command command : CommandTable.byNumber()) {
      if (CommandTable.isCalled(command) && !command.isOpen()) {
        examples.add(example(command));
      }
    }
    return examples;
  }

  private static Example example(Command command) {
    String given = CALLS.get(command.fullName());
    List<String> words = new ArrayList<>();
    if (given != null) {
      words.addAll(List.of(given.split(" ")));
    } else {
      words.addAll(List.of(command.fullName().split("\\|")));
      while (words.size() < Math.abs(command.arity())) {
        words.add("ok:" + words.size());
      }
    }
    List<byte[]> bytes = words.stream().map(word -> word.getBytes(StandardCharsets.UTF_8)).toList();
    List<Integer> keys = new ArrayList<>();
    for (int i = 0; i < words.size(); i++) {
      if (command.keys().has(i, bytes)) {
        keys.add(i);
      }
    }
    return new Example(command.fullName(), String.join(" ", words).toLowerCase(Locale.ROOT), keys);
  }

  /** Categories of each command, with the at sign. */
  public static Map<String, List<String>> categories() {
    Map<String, List<String>> categories = new TreeMap<>();
    CommandTable.byNumber()
        .forEach(command -> categories.put(command.fullName(), command.categories()));
    return categories;
  }
}
