// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.testkit.Linearizability.Violation;
import dev.cairn.testkit.Operation.Outcome;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import net.jqwik.api.statistics.Statistics;
import org.junit.jupiter.api.Test;

/** The checker is checked: against brute force, and with histories that it must reject. */
class LinearizabilityTest {
  private final List<Operation> history = new ArrayList<>();

  // ---- histories that are right ----

  @Test
  void anEmptyHistoryIsLinearizable() {
    assertLinearizable();
  }

  @Test
  void concurrentWritesMayTakeEitherOrder() {
    ok(0, 10, put("a"));
    ok(0, 10, put("b"));
    ok(11, 12, get("a"));
    assertLinearizable();
  }

  @Test
  void aReadDuringAWriteMaySeeEither() {
    ok(0, 1, put("old"));
    ok(10, 20, put("new"));
    ok(11, 12, get("new"));
    ok(21, 22, get("new"));
    assertLinearizable();
    history.set(2, operation(11, 12, get("old"), Outcome.OK));
    assertLinearizable();
  }

  @Test
  void aWriteOfUnknownOutcomeMayTakeEffectMuchLaterOrNever() {
    ok(0, 1, put("old"));
    unknown(2, put("late"));
    ok(10, 11, get("old"));
    ok(20, 21, get("late"));
    assertLinearizable();
    history.remove(3);
    assertLinearizable();
  }

  // ---- histories that are wrong, and what is shown of them ----

  @Test
  void aStaleReadIsRejected() {
    ok(0, 1, put("old"));
    ok(2, 3, put("new"));
    ok(4, 5, get("old"));
    assertViolation(put("old"), put("new"), get("old"));
  }

  @Test
  void aReadThatGoesBackIsRejectedEvenWhileTheWriteIsInFlight() {
    ok(0, 1, put("old"));
    ok(10, 90, put("new"));
    ok(20, 30, get("new"));
    ok(40, 50, get("old"));
    assertViolation(put("old"), put("new"), get("new"), get("old"));
  }

  @Test
  void aLostWriteIsRejected() {
    ok(0, 1, put("acknowledged"));
    ok(2, 3, noValue());
    assertViolation(put("acknowledged"), noValue());
  }

  @Test
  void aValueThatNobodyWroteIsRejected() {
    ok(0, 1, put("a"));
    ok(2, 3, get("never written"));
    assertViolation(get("never written"));
  }

  @Test
  void aFailedWriteThatHappenedIsRejected() {
    history.add(operation(0, 1, put("refused"), Outcome.FAILED));
    ok(2, 3, get("refused"));
    assertViolation(get("refused"));
  }

  @Test
  void aWriteOfUnknownOutcomeThatHappenedTwiceIsRejected() {
    unknown(0, put("once"));
    ok(1, 2, get("once"));
    ok(3, 4, put("other"));
    ok(5, 6, get("once"));
    assertThat(Linearizability.check(history)).isPresent();
  }

  @Test
  void aDeleteThatRemovedWhatWasNotThereIsRejected() {
    ok(0, 1, put("a"));
    ok(2, 3, new Action.Delete(Optional.of(true)));
    ok(4, 5, new Action.Delete(Optional.of(true)));
    assertThat(Linearizability.check(history)).isPresent();
  }

  @Test
  void theWitnessIsSmallAmongThousandsOfOperations() {
    Random random = new Random(7);
    long now = 0;
    String state = "v0";
    ok(now, now + 1, put(state));
    for (int i = 1; i < 5_000; i++) {
      now += 10;
      if (random.nextInt(5) == 0) {
        unknown(now, put("unknown" + i));
      } else if (random.nextBoolean()) {
        state = "v" + i;
        ok(now, now + 15, put(state));
        now += 16;
      } else {
        ok(now, now + 5, get(state));
      }
    }
    assertLinearizable();
    ok(now + 10, now + 11, get("v0"));
    Collections.shuffle(history, random);
    Violation violation = Linearizability.check(history).orElseThrow();
    assertThat(violation.witness()).hasSize(3);
    assertThat(violation.toString().lines()).hasSize(4);
    assertThat(violation.toString()).contains("key k", "GET -> v0");
  }

  @Test
  void manyClientsOnOneKeyAreDecidedQuickly() {
    // Every round 12 writes are in flight together, and most rounds leave one of unknown outcome.
    Random random = new Random(11);
    for (int round = 0; round < 100; round++) {
      long start = round * 100L;
      List<String> written = new ArrayList<>();
      for (int client = 0; client < 12; client++) {
        written.add(round + "." + client);
        if (client == 0 && round % 4 != 0) {
          unknown(start, put(round + ".0"));
        } else {
          ok(start + client, start + 50 + client, put(round + "." + client));
        }
      }
      String last = written.get(random.nextInt(written.size()));
      ok(start + 70, start + 80, get(last));
      ok(start + 81, start + 90, get(last));
    }
    assertLinearizable();
  }

  // ---- against brute force ----

  @Property(tries = 20_000)
  void agreesWithBruteForce(@ForAll("histories") List<Operation> random) {
    boolean expected = BruteForce.explains(random);
    Statistics.collect(expected ? "linearizable" : "not");
    Optional<Violation> violation = Linearizability.check(random);
    assertThat(violation.isEmpty()).isEqualTo(expected);
    violation.ifPresent(
        found -> {
          assertThat(BruteForce.explains(found.witness())).isFalse();
          assertThat(found.witness()).hasSizeLessThanOrEqualTo(random.size());
        });
  }

  @Provide
  Arbitrary<List<Operation>> histories() {
    Arbitrary<String> values = Arbitraries.of("a", "b", "c");
    Arbitrary<Action> actions =
        Arbitraries.frequencyOf(
            Tuple.of(4, values.map(LinearizabilityTest::put)),
            Tuple.of(4, values.optional(0.8).map(Action.Get::new).map(Action.class::cast)),
            Tuple.of(
                1,
                Arbitraries.of(true, false)
                    .optional(0.9)
                    .map(Action.Delete::new)
                    .map(Action.class::cast)));
    Arbitrary<Outcome> outcomes =
        Arbitraries.frequency(
            Tuple.of(8, Outcome.OK), Tuple.of(2, Outcome.UNKNOWN), Tuple.of(1, Outcome.FAILED));
    return Combinators.combine(
            actions,
            outcomes,
            Arbitraries.longs().between(0, 30),
            Arbitraries.longs().between(0, 15))
        .as(
            (action, outcome, start, length) ->
                outcome == Outcome.UNKNOWN
                    ? operation(start, Operation.NEVER, unanswered(action), outcome)
                    : operation(start, start + length, action, outcome))
        .list()
        .ofMaxSize(7);
  }

  private static Action unanswered(Action action) {
    return action instanceof Action.Delete ? Action.Delete.UNANSWERED : action;
  }

  /** Tries every order of every choice of unknown writes; shares nothing with the checker. */
  private static final class BruteForce {
    private BruteForce() {}

    static boolean explains(List<Operation> history) {
      List<Operation> candidates = new ArrayList<>();
      for (Operation operation : history) {
        boolean unknownRead =
            operation.outcome() == Outcome.UNKNOWN && operation.action() instanceof Action.Get;
        if (operation.outcome() != Outcome.FAILED && !unknownRead) {
          candidates.add(operation);
        }
      }
      return someOrder(candidates, null);
    }

    private static boolean someOrder(List<Operation> rest, String state) {
      if (rest.stream().allMatch(operation -> operation.outcome() == Outcome.UNKNOWN)) {
        return true;
      }
      for (int i = 0; i < rest.size(); i++) {
        Operation next = rest.get(i);
        boolean mayBeNext = rest.stream().noneMatch(other -> other.precedes(next));
        if (mayBeNext && right(next.action(), state)) {
          List<Operation> others = new ArrayList<>(rest);
          others.remove(i);
          if (someOrder(others, changed(next.action(), state))) {
            return true;
          }
        }
      }
      return false;
    }

    private static boolean right(Action action, String state) {
      if (action instanceof Action.Get get) {
        return state == null ? get.read().isEmpty() : get.read().equals(Optional.of(state));
      }
      if (action instanceof Action.Delete delete && delete.existed().isPresent()) {
        return delete.existed().get() ? state != null : state == null;
      }
      return true;
    }

    private static String changed(Action action, String state) {
      if (action instanceof Action.Put put) {
        return put.value();
      }
      return action instanceof Action.Delete ? null : state;
    }
  }

  // ---- words of the histories above ----

  private void ok(long start, long end, Action action) {
    history.add(operation(start, end, action, Outcome.OK));
  }

  private void unknown(long start, Action action) {
    history.add(operation(start, Operation.NEVER, action, Outcome.UNKNOWN));
  }

  private static Operation operation(long start, long end, Action action, Outcome outcome) {
    return new Operation(0, "k", action, outcome, start, end);
  }

  private static Action put(String value) {
    return new Action.Put(value);
  }

  private static Action get(String value) {
    return new Action.Get(Optional.of(value));
  }

  private static Action noValue() {
    return new Action.Get(Optional.empty());
  }

  private void assertLinearizable() {
    assertThat(Linearizability.check(history)).isEmpty();
  }

  private void assertViolation(Action... witness) {
    assertThat(
            Linearizability.check(history).orElseThrow().witness().stream().map(Operation::action))
        .containsExactly(witness);
  }
}
