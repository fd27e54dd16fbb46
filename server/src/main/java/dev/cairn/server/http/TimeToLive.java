// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import dev.cairn.server.operation.Expiry;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How long a key is to stay.
 *
 * <pre>
 *   ttl = number ["ms" | "s" | "m" | "h" | "d"]     seconds where no unit stands; a fraction may
 *       | "keep"                                    as long as it was to stay before
 * </pre>
 */
final class TimeToLive {
  private static final Pattern TTL = Pattern.compile("(\\d{1,12}(?:\\.\\d{1,9})?)(ms|s|m|h|d)?");
  private static final Map<String, Long> MILLIS =
      Map.of("ms", 1L, "s", 1000L, "m", 60_000L, "h", 3_600_000L, "d", 86_400_000L);

  private TimeToLive() {}

  /** The expiry of a parameter; nothing said: the key stays. */
  static Expiry of(Optional<String> text) {
    return text.map(TimeToLive::of).orElse(Expiry.NEVER);
  }

  private static Expiry of(String text) {
    if (text.equals("keep")) {
      return Expiry.KEEP;
    }
    Matcher matcher = TTL.matcher(text);
    if (!matcher.matches()) {
      throw new BadRequest("ttl is a number of seconds, with a unit such as 90m, or keep");
    }
    long unit = MILLIS.get(matcher.group(2) == null ? "s" : matcher.group(2));
    long millis =
        new BigDecimal(matcher.group(1))
            .multiply(BigDecimal.valueOf(unit))
            .setScale(0, RoundingMode.CEILING)
            .longValueExact();
    if (millis == 0) {
      throw new BadRequest("a ttl is longer than 0; DELETE removes a key");
    }
    return new Expiry(Expiry.Kind.AFTER, millis);
  }
}
