// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

/** Splitting lines, and that every printed value can be read back. */
final class WordsTest {
  @Test
  void splitsAsRedisCliDoes() throws Words.MalformedException {
    assertThat(words("  PUT  k\t\"a b\\x41\\q\" 'it\\'s \\n' don"))
        .containsExactly("PUT", "k", "a bAq", "it's \\n", "don");
    assertThat(words("\"\" ''")).containsExactly("", "");
    assertThat(words("   ")).isEmpty();
    assertThat(words("\"\\xzz\\x4\"")).containsExactly("xzzx4");
  }

  @Property
  void whatIsPrintedIsReadBack(@ForAll @Size(max = 40) byte[] value)
      throws Words.MalformedException {
    String printed = Printed.value(value);
    if (printed.startsWith("\"")) {
      List<byte[]> words = Words.of(("PUT k " + printed).getBytes(StandardCharsets.UTF_8));
      assertThat(words.get(2)).isEqualTo(value);
    } else {
      assertThat(printed.getBytes(StandardCharsets.UTF_8)).isEqualTo(value);
    }
    assertThat(printed.chars()).noneMatch(character -> character < ' ');
  }

  private static List<String> words(String line) throws Words.MalformedException {
    return Words.of(line.getBytes(StandardCharsets.UTF_8)).stream()
        .map(word -> new String(word, StandardCharsets.UTF_8))
        .toList();
  }
}
