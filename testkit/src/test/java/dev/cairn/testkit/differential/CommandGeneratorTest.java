// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.differential;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What the two servers may not differ in for another reason than a fault of one. */
class CommandGeneratorTest {
  private static final Map<String, Integer> PLACE_OF_TIME =
      Map.of("SETEX", 2, "PSETEX", 2, "EXPIRE", 2, "PEXPIRE", 2, "EXPIREAT", 2, "PEXPIREAT", 2);
  private static final List<String> WORDS_BEFORE_TIME = List.of("EX", "PX", "EXAT", "PXAT");
  private static final long SOON_MILLIS = 3_600_000;

  @Test
  void noKeyExpiresWhileARunLasts() {
    List<String> soon = new ArrayList<>();
    for (int lane = 0; lane < 20; lane++) {
      CommandGenerator generator = CommandGenerator.ofPipelines(21, lane, false);
      for (int i = 0; i < 20_000; i++) {
        List<byte[]> words = generator.next().words();
        if (timesOf(words).stream().anyMatch(time -> time > 0 && time < SOON_MILLIS)) {
          soon.add(CommandGenerator.shown(words));
        }
      }
    }
    assertThat(soon).isEmpty();
  }

  /** What stands in the places of times, as milliseconds from now where it is no moment. */
  private static List<Long> timesOf(List<byte[]> words) {
    List<Long> times = new ArrayList<>();
    String name = Differential.name(words);
    Integer place = PLACE_OF_TIME.get(name);
    for (int i = 1; i < words.size(); i++) {
      String before = text(words.get(i - 1)).toUpperCase(Locale.ROOT);
      boolean option = WORDS_BEFORE_TIME.contains(before) && List.of("SET", "GETEX").contains(name);
      boolean moment = before.endsWith("AT") || name.endsWith("AT");
      if (!moment && (option || (place != null && place == i)) && isNumber(words.get(i))) {
        boolean millis = before.startsWith("P") || name.startsWith("P");
        times.add(Long.parseLong(text(words.get(i))) * (millis ? 1 : 1000));
      }
    }
    return times;
  }

  /** As Redis reads one: without a zero in front. */
  private static boolean isNumber(byte[] word) {
    return text(word).matches("-?[1-9][0-9]{0,14}");
  }

  private static String text(byte[] word) {
    return new String(word, StandardCharsets.ISO_8859_1);
  }
}
