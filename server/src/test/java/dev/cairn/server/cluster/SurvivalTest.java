// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.server.cluster.Survival.Voter;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SurvivalTest {
  /**
   * Voters are letters: capitals are full copies, w is the witness; a digit behind one says that it
   * serves and does not count (1), or does not serve (0). Pairs that are not linked stand in the
   * second column.
   */
  @ParameterizedTest
  @CsvSource({
    // voters, broken, can lose, can elect
    "A, , 0, true",
    "AB, , 0, true",
    "AB0, , 0, false",
    "ABw, , 1, true",
    "ABw0, , 0, true",
    "AB0w, , 0, true",
    "A0B0w, , 0, false", // a witness alone
    "AB1w, , 0, true", // a copy that stands still
    "ABw1, , 0, true",
    "ABw, AB, 0, true", // the witness sees both; its loss ends it
    "ABw, Bw, 0, true",
    "ABw, AB Bw, 0, true", // nobody is linked with B
    "ABw, AB Bw Aw, 0, false",
    "ABC, , 1, true",
    "ABC, AB, 0, true",
    "ABCDE, , 2, true",
    "ABCDE, AB, 1, true",
    "ABCDE, AB CD, 0, true",
    "ABCDE0, , 1, true",
    "ABCD0E0, , 0, true",
    "ABC0D0E0, , 0, false",
    "AB1C1D1E1, , 0, true",
  })
  void isJudgedByItsCore(String voters, String broken, int canLose, boolean canElect) {
    Survival survival = of(voters, broken);
    assertThat(survival.canLose()).isEqualTo(canLose);
    assertThat(survival.canElect()).isEqualTo(canElect);
  }

  private static Survival of(String voters, String broken) {
    List<Voter> all =
        Arrays.stream(voters.split("(?=[A-Zw])"))
            .map(
                text ->
                    new Voter(
                        text.substring(0, 1),
                        !text.startsWith("w"),
                        !text.endsWith("0"),
                        text.length() == 1))
            .toList();
    Set<String> pairs = broken == null ? Set.of() : Set.of(broken.split(" "));
    return Survival.of(all, (a, b) -> !pairs.contains(a + b) && !pairs.contains(b + a));
  }

  /** Whatever is lost of what may be lost, a linked majority with a full copy is left. */
  @Property(tries = 500)
  void neverSaysMoreThanTheTruth(
      @ForAll @IntRange(min = 1, max = 5) int copies,
      @ForAll boolean witness,
      @ForAll @IntRange(max = (1 << 15) - 1) int links,
      @ForAll @IntRange(max = (1 << 6) - 1) int counting) {
    int size = copies + (witness ? 1 : 0);
    List<Voter> voters =
        java.util.stream.IntStream.range(0, size)
            .mapToObj(
                i -> {
                  boolean counts = (counting >> i & 1) == 1;
                  return new Voter("" + i, i < copies, counts, counts);
                })
            .collect(Collectors.toList());
    int canLose = Survival.of(voters, (a, b) -> linked(links, a, b)).canLose();
    for (int lost = 0; lost < 1 << size; lost++) {
      if (Integer.bitCount(lost) == canLose && canLose > 0) {
        assertThat(goesOn(voters, lost, links)).isTrue();
      }
    }
  }

  private static boolean linked(int links, String a, String b) {
    int low = Math.min(Integer.parseInt(a), Integer.parseInt(b));
    int high = Math.max(Integer.parseInt(a), Integer.parseInt(b));
    return (links >> (high * (high - 1) / 2 + low) & 1) == 1;
  }

  private static boolean goesOn(List<Voter> voters, int lost, int links) {
    List<Voter> left =
        voters.stream()
            .filter(v -> v.counts() && (lost >> Integer.parseInt(v.nodeId()) & 1) == 0)
            .toList();
    return left.stream()
        .filter(Voter::full)
        .anyMatch(
            leader ->
                left.stream()
                        .filter(v -> v.equals(leader) || linked(links, v.nodeId(), leader.nodeId()))
                        .count()
                    > voters.size() / 2);
  }
}
