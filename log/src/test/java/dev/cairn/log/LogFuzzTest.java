// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/**
 * A short run of {@link LogFuzz}; a longer one: {@code -Dcairn.log.fuzz.seconds=600}, with other
 * seeds: {@code -Dcairn.log.fuzz.first=1000000}.
 */
class LogFuzzTest {
  private static final long SECONDS = Long.getLong("cairn.log.fuzz.seconds", 3);
  private static final long FIRST = Long.getLong("cairn.log.fuzz.first", 1);

  @Test
  void whateverTheFilesHoldAStartEndsWellOrIsRefused() throws Exception {
    long[] counts = LogFuzz.run(FIRST, SECONDS);
    assertThat(counts[0]).as("starts").isPositive();
    assertThat(counts[1]).as("starts that ended well").isPositive().isLessThan(counts[0]);
  }
}
