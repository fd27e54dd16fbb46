// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.value;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Patterns match what {@link #plain}, a recursion with no regard to time, matches. That recursion
 * is held against redis-server by {@code .ci/differential}, whose KEYS and SCAN have patterns of
 * the same pieces.
 */
final class GlobTest {
  private static final String PIECES = "*?[]^-\\abcB\u0080\u00ff\0";

  @ParameterizedTest
  @CsvSource({
    "*, abc, true",
    "a*c, abbbc, true",
    "a*c, abbbd, false",
    "a?c, abc, true",
    "a?c, ac, false",
    "[a-c]x, bx, true",
    "[c-a]x, bx, true",
    "[^a-c]x, bx, false",
    "[^a-c]x, dx, true",
    "[]a, a, false",
    "[^]a, ba, true",
    "[a-]x, _x, false",
    "[a-]x, _, true",
    "[^, a, true",
    "a\\*, a*, true",
    "a\\*, ab, false",
    "a\\, a\\, true",
    "*a*b*c*, xxaxxbxxcxx, true",
    "*ab, aab, true",
    "ab*ba, aba, false",
    "'', a, false",
    "'', '', true",
    "*, '', false",
    "[, a, false",
  })
  void globsMatchAsInRedis(String pattern, String text, boolean matches) {
    assertThat(Glob.of(bytes(pattern)).matcher().matches(bytes(text))).isEqualTo(matches);
    assertThat(plain(bytes(pattern), 0, bytes(text), 0, false)).isEqualTo(matches);
  }

  @ParameterizedTest
  @CsvSource({
    "MaxC*, maxclients, true",
    "[L-N]axclients, maxclients, true",
    "[Z-a]axclients, maxclients, false",
    "[\\M]axclients, maxclients, false",
    "\\Maxclients, maxclients, true",
  })
  void capitalsAreSmallLettersWhereTheyMayBe(String pattern, String text, boolean matches) {
    assertThat(Glob.ignoringCase(bytes(pattern)).matcher().matches(bytes(text))).isEqualTo(matches);
    assertThat(plain(bytes(pattern), 0, bytes(text), 0, true)).isEqualTo(matches);
  }

  @Property(tries = 2_000)
  void aPatternOfAnyPiecesMatchesWhatThePlainRecursionDoes(@ForAll long seed) {
    Random random = new Random(seed);
    for (int i = 0; i < 20; i++) {
      byte[] pattern = pieces(random, 9, PIECES);
      byte[] text = pieces(random, 7, "abcB\u0080\u00ff\0-]^[");
      boolean ignoreCase = random.nextBoolean();
      Glob glob = ignoreCase ? Glob.ignoringCase(pattern) : Glob.of(pattern);
      assertThat(glob.matcher().matches(text))
          .as("%s against %s, case %s", shown(pattern), shown(text), ignoreCase)
          .isEqualTo(
              text.length == 0 ? pattern.length == 0 : plain(pattern, 0, text, 0, ignoreCase));
      if (!ignoreCase && glob.matcher().matches(text)) {
        byte[] prefix = glob.prefix();
        assertThat(Arrays.copyOf(text, prefix.length)).isEqualTo(prefix);
      }
    }
  }

  @Property(tries = 300)
  void longSegmentsAreFoundAsShortOnesAre(@ForAll long seed) {
    Random random = new Random(seed);
    int length = 30 + random.nextInt(110);
    byte[] text = pieces(random, 400, "ab");
    int from = text.length < length ? 0 : random.nextInt(text.length - length + 1);
    byte[] part = Arrays.copyOfRange(text, from, Math.min(text.length, from + length));
    StringBuilder pattern = new StringBuilder("*");
    for (byte value : part) {
      pattern.append(
          random.nextInt(9) == 0 ? "?" : random.nextInt(9) == 0 ? "[^c]" : "" + (char) value);
    }
    byte[] there = bytes(pattern + "*");
    assertThat(Glob.of(there).matcher().matches(text)).isEqualTo(text.length > 0);
    byte[] perhaps = bytes(pattern + (random.nextBoolean() ? "a*" : "?*b"));
    assertThat(Glob.of(perhaps).matcher().matches(text))
        .isEqualTo(
            text.length > 0
                && new String(text, StandardCharsets.ISO_8859_1)
                    .matches(
                        new String(perhaps, StandardCharsets.ISO_8859_1)
                            .replace("*", ".*")
                            .replace("?", ".")));
  }

  /** Without a bound on the work, each of these takes minutes, or the age of the universe. */
  @ParameterizedTest
  @ValueSource(
      strings = {"*[b...]", "*a...ab", "*a*a*a...b", "*a?a?...b*", "[a-a...]", "*[^b][^b]...b"})
  @Timeout(60)
  void thePatternsThatCostMostAreDoneWith(String shape) {
    byte[] text = new byte[Glob.BYTES_MAX];
    Arrays.fill(text, (byte) 'a');
    int half = Glob.BYTES_MAX / 2;
    String pattern =
        switch (shape) {
          case "*[b...]" -> "*[" + "b".repeat(half) + "]";
          case "*a...ab" -> "*" + "a".repeat(half) + "b*";
          case "*a*a*a...b" -> "*a".repeat(half / 2) + "b";
          case "*a?a?...b*" -> "*" + "a?".repeat(half / 2) + "b*";
          case "[a-a...]" -> "[" + "a-a".repeat(half / 3) + "]";
          default -> "*" + "[^b]".repeat(half / 4) + "b*";
        };
    Glob glob = Glob.of(bytes(pattern));
    for (int i = 0; i < 5; i++) {
      assertThat(glob.matcher().matches(text)).isFalse();
    }
  }

  @Test
  void aPatternIsAsLongAsAKeyMayBeAndNoLonger() {
    byte[] longest = new byte[Glob.BYTES_MAX];
    Arrays.fill(longest, (byte) 'k');
    assertThat(Glob.of(longest).matcher().matches(longest)).isTrue();
    assertThatThrownBy(() -> Glob.of(new byte[Glob.BYTES_MAX + 1]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("pattern must be at most 65536 bytes, this one has 65537");
  }

  /** What a text is compared with, element by element; a star tries every place. */
  private static boolean plain(byte[] pattern, int p, byte[] text, int t, boolean ignoreCase) {
    if (p == pattern.length) {
      return t == text.length;
    }
    if (text.length == 0) {
      return false;
    }
    if (pattern[p] == '*') {
      for (int next = t; next <= text.length; next++) {
        if (plain(pattern, p + 1, text, next, ignoreCase)) {
          return true;
        }
      }
      return false;
    }
    if (t == text.length) {
      return false;
    }
    int end = endOfElement(pattern, p);
    return elementHas(pattern, p, end, text[t], ignoreCase)
        && plain(pattern, end, text, t + 1, ignoreCase);
  }

  private static int endOfElement(byte[] pattern, int p) {
    if (pattern[p] == '\\' && p + 1 < pattern.length) {
      return p + 2;
    }
    if (pattern[p] != '[') {
      return p + 1;
    }
    int at = p + 1 + (p + 1 < pattern.length && pattern[p + 1] == '^' ? 1 : 0);
    while (at < pattern.length && pattern[at] != ']') {
      at = endOfMember(pattern, at);
    }
    return Math.min(at + 1, pattern.length);
  }

  private static int endOfMember(byte[] pattern, int at) {
    if (pattern[at] == '\\' && at + 1 < pattern.length) {
      return at + 2;
    }
    return at + 2 < pattern.length && pattern[at + 1] == '-' ? at + 3 : at + 1;
  }

  private static boolean elementHas(byte[] pattern, int p, int end, byte c, boolean ignoreCase) {
    switch (pattern[p]) {
      case '?':
        return true;
      case '\\':
        return same(pattern[end - 1], c, ignoreCase);
      case '[':
        break;
      default:
        return same(pattern[p], c, ignoreCase);
    }
    boolean negated = p + 1 < pattern.length && pattern[p + 1] == '^';
    int at = p + 1 + (negated ? 1 : 0);
    boolean found = false;
    while (at < pattern.length && pattern[at] != ']') {
      int next = endOfMember(pattern, at);
      if (next - at == 2) {
        found |= pattern[at + 1] == c;
      } else if (next - at == 3) {
        byte low = lower((byte) Math.min(pattern[at], pattern[at + 2]), ignoreCase);
        byte high = lower((byte) Math.max(pattern[at], pattern[at + 2]), ignoreCase);
        found |= lower(c, ignoreCase) >= low && lower(c, ignoreCase) <= high;
      } else {
        found |= same(pattern[at], c, ignoreCase);
      }
      at = next;
    }
    return found != negated;
  }

  private static boolean same(byte left, byte right, boolean ignoreCase) {
    return lower(left, ignoreCase) == lower(right, ignoreCase);
  }

  private static byte lower(byte value, boolean ignoreCase) {
    return ignoreCase && value >= 'A' && value <= 'Z' ? (byte) (value + 'a' - 'A') : value;
  }

  private static byte[] pieces(Random random, int most, String from) {
    byte[] made = new byte[random.nextInt(most + 1)];
    for (int i = 0; i < made.length; i++) {
      made[i] = (byte) from.charAt(random.nextInt(from.length()));
    }
    return made;
  }

  private static String shown(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }
}
