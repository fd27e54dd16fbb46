// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.access;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Commands and the keys that they may be run with: a user's own, or one in parentheses. Immutable;
 * made by {@link SelectorRules}.
 *
 * @param allCommands whether all may be run, those that a later version adds too
 * @param commands those that may be run ({@link Catalog})
 * @param firstArguments commands that may be run with these first arguments only, by number
 * @param allKeys whether they may be run with all keys
 * @param keys the patterns of the keys
 * @param allChannels kept for Redis' sake: Cairn has no channels
 * @param channels the same
 * @param commandRules the rules that made {@code commands}, behind {@code +@all} or {@code -@all}
 */
record Selector(
    boolean allCommands,
    long[] commands,
    Map<Integer, List<String>> firstArguments,
    boolean allKeys,
    List<KeyRule> keys,
    boolean allChannels,
    List<String> channels,
    List<String> commandRules) {

  /** Whether everything is allowed. */
  boolean isUnlimited() {
    return allCommands && allKeys;
  }

  boolean allowsCommand(int command, List<byte[]> words) {
    if (allCommands || Catalog.has(commands, command)) {
      return true;
    }
    List<String> arguments = firstArguments.get(command);
    if (arguments == null || words.size() < 2) {
      return false;
    }
    String first = new String(words.get(1), StandardCharsets.ISO_8859_1);
    return arguments.stream().anyMatch(first::equalsIgnoreCase);
  }

  /** Whether a key may be used so; what nothing is told of needs a pattern that matches. */
  boolean allowsKey(byte[] key, int directions) {
    if (allKeys) {
      return true;
    }
    for (KeyRule rule : keys) {
      if (rule.allows(key, directions)) {
        return true;
      }
    }
    return false;
  }

  /** As ACL GETUSER tells it. */
  String commandsText() {
    return String.join(" ", commandRules);
  }

  /** As ACL GETUSER tells it. */
  String keysText() {
    return allKeys ? "~*" : keys.stream().map(KeyRule::text).collect(Collectors.joining(" "));
  }

  /** As ACL GETUSER tells it. */
  String channelsText() {
    return allChannels
        ? "&*"
        : channels.stream().map(channel -> "&" + channel).collect(Collectors.joining(" "));
  }

  /** The rules from which it could be made again, as ACL LIST tells them. */
  String text() {
    StringBuilder text = new StringBuilder();
    if (allKeys || !keys.isEmpty()) {
      text.append(keysText()).append(' ');
    }
    text.append(allChannels ? "&*" : "resetchannels").append(' ');
    if (!allChannels && !channels.isEmpty()) {
      text.append(channelsText()).append(' ');
    }
    return text.append(commandsText()).toString();
  }
}
