// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.testkit.RightsCheck.Change;
import dev.cairn.testkit.RightsCheck.Outcome;
import dev.cairn.testkit.RightsCheck.Seen;
import dev.cairn.testkit.RightsCheck.Up;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Histories that are right, and such with something planted that is wrong. */
class RightsCheckTest {
  private final List<Change> changes = new ArrayList<>();
  private final List<Seen> seen = new ArrayList<>();
  private final List<Up> up = new ArrayList<>();

  private void change(int state, long asked, long answered, Outcome outcome) {
    changes.add(new Change(state, asked, answered, outcome));
  }

  private void seen(int node, int state, long from) {
    seen.add(new Seen(node, state, from, from + 1));
  }

  private List<String> violations() {
    return RightsCheck.violations(changes, seen, up);
  }

  private void holds(int count) {
    for (int state = 1; state <= count; state++) {
      change(state, 100L * state, 100L * state + 10, Outcome.OK);
    }
  }

  @Test
  void whatFollowsTheLogIsRight() {
    holds(3);
    up.add(new Up(0, 0, 1_000));
    up.add(new Up(1, 0, 150));
    up.add(new Up(1, 350, 1_000));
    seen(0, 0, 50);
    seen(0, 1, 105); // while it is made
    seen(0, 1, 150);
    seen(0, 3, 305);
    seen(0, 3, 400);
    seen(1, 1, 340); // it was down, and has not caught up
    seen(1, 3, 360);

    assertThat(violations()).isEmpty();
  }

  @Test
  void aNodeThatGoesBackIsSeen() {
    holds(2);
    seen(0, 2, 250);
    seen(0, 1, 260);

    assertThat(violations())
        .singleElement()
        .asString()
        .contains("1: held before 2 was asked for", "2: node 0 allowed it before 1");
  }

  @Test
  void aNodeThatGoesBackOverItsRestartIsSeen() {
    holds(2);
    up.add(new Up(1, 0, 300));
    seen(1, 2, 250);
    seen(1, 0, 500);

    assertThat(violations()).singleElement().asString().contains("node 1 allowed it before 0");
  }

  @Test
  void aNodeThatIsUpAndBehindAfterOkIsSeen() {
    holds(2);
    up.add(new Up(0, 0, 1_000));
    seen(0, 1, 211);

    assertThat(violations())
        .singleElement()
        .asString()
        .contains("2: it was answered OK before node 0, which was up, allowed 1");
  }

  @Test
  void whatWasRefusedOrNotAskedForIsSeen() {
    change(1, 100, 110, Outcome.REFUSED);
    change(2, 200, 210, Outcome.UNKNOWN);
    seen(0, 1, 150);
    seen(1, 2, 190);
    seen(2, 7, 190);

    assertThat(violations())
        .containsExactly(
            "node 0 allowed state 1, which was refused or not asked for yet",
            "node 1 allowed state 2, which was refused or not asked for yet",
            "node 2 allowed state 7, which was refused or not asked for yet");
  }

  @Test
  void whatIsUnknownMayTakeEffectLateAndInOneOrderOnly() {
    change(1, 100, 110, Outcome.UNKNOWN);
    change(2, 200, 210, Outcome.UNKNOWN);
    change(3, 300, 310, Outcome.UNKNOWN);
    up.add(new Up(0, 0, 1_000));
    up.add(new Up(1, 0, 1_000));
    seen(0, 2, 205);
    seen(0, 1, 250);
    seen(1, 0, 400);
    assertThat(violations()).isEmpty();

    seen(1, 1, 410);
    seen(1, 2, 420);
    assertThat(violations()).singleElement().asString().startsWith("no order explains ");
  }

  @Test
  void whatHoldsAndIsNotEverywhereYetMayBeSeenLate() {
    change(1, 100, 110, Outcome.OK);
    change(2, 200, 210, Outcome.HOLDS);
    up.add(new Up(0, 0, 1_000));
    seen(0, 1, 250);
    assertThat(violations()).isEmpty();

    seen(0, 2, 260);
    seen(0, 1, 270);
    assertThat(violations()).hasSize(1);
  }
}
