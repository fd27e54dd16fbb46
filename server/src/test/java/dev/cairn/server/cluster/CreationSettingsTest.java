// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What was given at a start against what a cluster was created with: 3 copies, 9 partitions. */
class CreationSettingsTest {
  private static final ClusterState LOGGED =
      ClusterState.founded(
          "c".repeat(40), 3, 9, List.of(new Member("a", "h:1", "h", 1, 0, "h", 2, 1, 1)));

  @ParameterizedTest
  @CsvSource({
    " ,  , false",
    "3,  , false",
    " , 9, false",
    "3, 9, false",
    "2,  , true",
    " , 6, true",
    "3, 6, true",
    "2, 9, true"
  })
  void onlyWhatWasGivenCanDiffer(Integer replicationFactor, Integer partitions, boolean differs) {
    CreationSettings given =
        new CreationSettings(optional(replicationFactor), optional(partitions), 3);
    assertThat(given.contradict(LOGGED)).isEqualTo(differs);
  }

  @Test
  void defaultsAreThoseOfANewCluster() {
    CreationSettings none = new CreationSettings(OptionalInt.empty(), OptionalInt.empty(), 4);
    assertThat(none.replicationFactorNow()).isEqualTo(2);
    assertThat(none.partitionsNow()).isEqualTo(8);
    assertThat(none.given()).isEqualTo("replication-factor=- partitions=-");
  }

  private static OptionalInt optional(Integer value) {
    return value == null ? OptionalInt.empty() : OptionalInt.of(value);
  }
}
