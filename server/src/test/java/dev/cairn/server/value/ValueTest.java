// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.value;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Known answers; the differential test of the testkit asks a Redis for many more. */
class ValueTest {
  @ParameterizedTest
  @ValueSource(longs = {0, 1, -1, 10, Long.MAX_VALUE, Long.MIN_VALUE, -10})
  void wholeNumbersAreReadAsWritten(long number) {
    assertThat(Integers.parse(Integers.format(number))).isEqualTo(OptionalLong.of(number));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "-",
        "-0",
        "+1",
        "01",
        "-01",
        " 1",
        "1 ",
        "1.0",
        "0x1",
        "9223372036854775808",
        "-9223372036854775809",
        "99999999999999999999",
        "100000000000000000000"
      })
  void otherTextIsNoWholeNumber(String text) {
    assertThat(Integers.parse(text.getBytes(UTF_8))).isEmpty();
  }

  /** As redis-server 7.0.15 on x86-64 answers {@code SET k left; INCRBYFLOAT k right}. */
  @ParameterizedTest
  @CsvSource({
    "0, 0.1, 0.1",
    "0.1, 0.2, 0.3",
    "3.0e3, 200, 3200",
    "10.50, 0.1, 10.6",
    "5.0e3, -5000, 0",
    "-0, -0, 0",
    "0x10, 0x.8p1, 17",
    "1e-18, 0, 0",
    "6e-18, 0, 0.00000000000000001",
    "-6e-18, 0, -0.00000000000000001",
    "1, 1e-17, 1.00000000000000001",
    "9223372036854775807, 1, 9223372036854775808",
    "18446744073709551615, 2, 18446744073709551616",
    "0.333333333333333333333333, 0, 0.33333333333333333",
  })
  void sumsOfFloats(String left, String right, String sum) {
    assertThat(float80(left).orElseThrow().plus(float80(right).orElseThrow()))
        .hasValueSatisfying(found -> assertThat(new String(found.format(), UTF_8)).isEqualTo(sum));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " 1",
        "1 ",
        "1e",
        "1e+",
        "e1",
        ".",
        "0x",
        "0xg",
        "nan",
        "-nan",
        "1e5000",
        "1e-5000",
        "1,5",
        "١",
        "infinit",
        "--1",
        "1e99999999999"
      })
  void otherTextIsNoFloat(String text) {
    assertThat(float80(text)).isEmpty();
  }

  @Test
  void infinityIsReadAndNeverResults() {
    LongDouble infinity = float80("-inf").orElseThrow();
    assertThat(infinity.plus(LongDouble.zero())).isEmpty();
    LongDouble largest = float80("1.18e4932").orElseThrow();
    assertThat(largest.plus(largest)).isEmpty();
    assertThat(largest.plus(LongDouble.zero())).isPresent();
  }

  private static Optional<LongDouble> float80(String text) {
    return LongDouble.parse(text.getBytes(UTF_8));
  }

  /** The second is of redis/redis issue 14496, where leading zeros were lost. */
  @ParameterizedTest
  @CsvSource({
    "'', 2d06800538d394c2",
    "v8lf0c11xh8ymlqztfd3eeq16kfn4sspw7fqmnuuq3k3t75em5wdizgcdw7uc26nnf961u2jkfzkjytls2kwlj7626sd, 00006c38adf31777",
  })
  void digests(String value, String digest) {
    assertThat(Digest.of(value.getBytes(UTF_8))).isEqualTo(digest);
    assertThat(
            Digest.matches(
                value.getBytes(UTF_8), digest.toUpperCase(java.util.Locale.ROOT).getBytes(UTF_8)))
        .isTrue();
  }
}
