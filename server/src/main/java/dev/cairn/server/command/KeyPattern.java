// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.protocol.Slots;
import dev.cairn.server.storage.KeyRange;
import dev.cairn.server.value.Glob;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/** What keys KEYS and SCAN look for: a glob, and what of it spares a look at others. */
final class KeyPattern implements KeySieve {
  private static final Pattern WITH_TAG = Pattern.compile("[^{]*\\{[^}]+\\}.*", Pattern.DOTALL);

  private final Glob glob;
  private final byte[] prefix;

  /**
   * @throws Refusal if the pattern is too long
   */
  KeyPattern(byte[] pattern) {
    glob = glob(pattern);
    prefix = glob.prefix();
  }

  private static Glob glob(byte[] pattern) {
    try {
      return Glob.of(pattern);
    } catch (IllegalArgumentException tooLong) {
      throw new Refusal(tooLong.getMessage());
    }
  }

  /** The keys among which those that match lie. */
  KeyRange range() {
    return KeyRange.prefix(prefix);
  }

  /** The partitions in which they may be: one, if the pattern has a whole hash tag in front. */
  List<Integer> partitions(Call call) {
    List<Integer> all = KeyCommands.partitions(call);
    // Each byte a character.
    String text = new String(prefix, StandardCharsets.ISO_8859_1);
    if (!glob.isLiteral() && !WITH_TAG.matcher(text).matches()) {
      return all;
    }
    int slot = Slots.of(prefix);
    return all.stream()
        .filter(partition -> partition == ScanCommands.partitionOf(call, slot))
        .toList();
  }

  @Override
  public boolean takesLong() {
    return !glob.matchesAll();
  }

  @Override
  public Predicate<byte[]> wanted() {
    if (glob.matchesAll()) {
      return key -> true;
    }
    return glob.matcher()::matches;
  }
}
