// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.testkit.Linearizability.Violation;
import dev.cairn.testkit.Observation.Outcome;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.IntFunction;
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
  private final List<Observation> history = new ArrayList<>();

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

  // ---- what is done exactly once ----

  @Test
  void incrementsOfUnknownOutcomeFillTheNumbersThatNobodyWasTold() {
    ok(0, 1, increment(1));
    unknown(2, Action.Increment.UNANSWERED);
    unknown(2, Action.Increment.UNANSWERED);
    ok(3, 4, increment(3));
    ok(5, 6, get("3"));
    assertLinearizable();
    ok(7, 8, get("4"));
    assertLinearizable();
    ok(9, 10, get("5"));
    assertThat(Linearizability.check(history)).isPresent();
  }

  @Test
  void aNumberThatTwoWereToldIsRejected() {
    ok(0, 10, increment(1));
    ok(0, 10, increment(1));
    assertViolation(increment(1), increment(1));
  }

  @Test
  void aLostIncrementIsRejected() {
    ok(0, 1, increment(1));
    ok(2, 3, noValue());
    assertViolation(increment(1), noValue());
  }

  @Test
  void anIncrementThatWasDoneTwiceIsRejected() {
    unknown(0, Action.Increment.UNANSWERED);
    ok(1, 2, get("2"));
    assertThat(Linearizability.check(history)).isPresent();
  }

  @Test
  void aPieceThatIsThereTwiceIsRejected() {
    unknown(0, Action.Append.of("a;"));
    ok(1, 2, get("a;"));
    assertLinearizable();
    ok(3, 4, get("a;a;"));
    assertViolation(Action.Append.of("a;"), get("a;a;"));
  }

  @Test
  void aLostPieceIsRejected() {
    ok(0, 1, append("a;", 2));
    ok(2, 3, append("b;", 4));
    ok(4, 5, get("a;b;"));
    assertLinearizable();
    ok(6, 7, get("b;"));
    assertViolation(get("a;b;"), get("b;"));
  }

  @Test
  void piecesInAnotherOrderThanTheyWereAcknowledgedInAreRejected() {
    ok(0, 1, append("a;", 2));
    ok(2, 3, append("b;", 4));
    ok(4, 5, get("b;a;"));
    assertThat(Linearizability.check(history)).isPresent();
  }

  @Test
  void aFailedAppendThatHappenedIsRejected() {
    history.add(operation(0, 1, Action.Append.of("a;"), Outcome.FAILED));
    ok(2, 3, get("a;"));
    assertViolation(get("a;"));
  }

  @Property(tries = 10_000)
  void countersAgreeWithBruteForce(@ForAll long seed) {
    agreesOn(Told.history(new Random(seed), i -> Action.Increment.UNANSWERED));
  }

  @Property(tries = 10_000)
  void listsAgreeWithBruteForce(@ForAll long seed) {
    agreesOn(Told.history(new Random(seed), i -> Action.Append.of((char) ('a' + i) + ";")));
  }

  private static void agreesOn(List<Observation> random) {
    boolean expected = BruteForce.explains(random);
    Statistics.collect(expected ? "linearizable" : "not");
    assertThat(Linearizability.check(random).isEmpty()).as("%s", random).isEqualTo(expected);
  }

  /** Histories that did happen to one copy, of which most were then told a little wrong. */
  private static final class Told {
    private static final int MOMENT_MAX = 30;
    private static final int LENGTH_MAX = 12;

    static List<Observation> history(Random random, IntFunction<Action> write) {
      long[] moments = random.longs(1 + random.nextInt(6), 0, MOMENT_MAX).sorted().toArray();
      List<Observation> history = new ArrayList<>();
      String state = null;
      for (int i = 0; i < moments.length; i++) {
        Action asked = random.nextInt(3) == 0 ? Action.Get.UNANSWERED : write.apply(i);
        int draw = random.nextInt(10);
        Outcome outcome = draw < 2 ? Outcome.UNKNOWN : draw < 3 ? Outcome.FAILED : Outcome.OK;
        boolean happened = outcome == Outcome.OK || (draw == 1 && !asked.readOnly());
        if (happened) {
          state = BruteForce.changed(asked, state);
        }
        Action told = outcome == Outcome.OK ? answered(asked, state) : asked;
        history.add(
            operation(
                moments[i] - random.nextInt(LENGTH_MAX),
                outcome == Outcome.UNKNOWN
                    ? Observation.NEVER
                    : moments[i] + random.nextInt(LENGTH_MAX),
                told,
                outcome));
      }
      long end = MOMENT_MAX + 2L * LENGTH_MAX;
      history.add(operation(end, end + 1, answered(Action.Get.UNANSWERED, state), Outcome.OK));
      if (random.nextInt(3) > 0) {
        int wrong = random.nextInt(history.size());
        history.set(wrong, wrong(random, history.get(wrong), wrong == history.size() - 1));
      }
      return history;
    }

    private static Action answered(Action asked, String state) {
      if (asked instanceof Action.Get) {
        return new Action.Get(Optional.ofNullable(state));
      } else if (asked instanceof Action.Append piece) {
        return new Action.Append(piece.piece(), Optional.of((long) state.length()));
      }
      return new Action.Increment(Optional.of(Long.parseLong(state)));
    }

    private static Observation wrong(Random random, Observation right, boolean last) {
      Action action = right.action();
      if (!last && random.nextBoolean()) {
        long shift = random.nextInt(-LENGTH_MAX, LENGTH_MAX);
        long completed = right.completedNanos();
        return operation(
            right.invokedNanos() + shift,
            completed == Observation.NEVER ? completed : completed + shift,
            action,
            right.outcome());
      } else if (action instanceof Action.Increment increment) {
        action = new Action.Increment(increment.result().map(n -> n + random.nextInt(3) - 1));
      } else if (action instanceof Action.Append append) {
        action =
            new Action.Append(
                append.piece(), append.length().map(n -> n + 2L * (random.nextInt(3) - 1)));
      } else if (action instanceof Action.Get get) {
        action = new Action.Get(get.read().flatMap(value -> misread(random, value)));
      }
      return operation(right.invokedNanos(), right.completedNanos(), action, right.outcome());
    }

    private static Optional<String> misread(Random random, String value) {
      if (!value.endsWith(";")) {
        return Optional.of(Long.toString(Long.parseLong(value) + random.nextInt(3) - 1));
      }
      return switch (random.nextInt(3)) {
        case 0 -> value.length() == 2 ? Optional.empty() : Optional.of(value.substring(2));
        case 1 -> Optional.of(value + value.substring(0, 2));
        default ->
            value.length() == 2
                ? Optional.empty()
                : Optional.of(value.substring(0, value.length() - 2));
      };
    }
  }

  // ---- against brute force ----

  @Property(tries = 20_000)
  void agreesWithBruteForce(@ForAll("histories") List<Observation> random) {
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
  Arbitrary<List<Observation>> histories() {
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
                    ? operation(start, Observation.NEVER, unanswered(action), outcome)
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

    static boolean explains(List<Observation> history) {
      List<Observation> candidates = new ArrayList<>();
      for (Observation operation : history) {
        boolean unknownRead =
            operation.outcome() == Outcome.UNKNOWN && operation.action() instanceof Action.Get;
        if (operation.outcome() != Outcome.FAILED && !unknownRead) {
          candidates.add(operation);
        }
      }
      return someOrder(candidates, null);
    }

    private static boolean someOrder(List<Observation> rest, String state) {
      if (rest.stream().allMatch(operation -> operation.outcome() == Outcome.UNKNOWN)) {
        return true;
      }
      for (int i = 0; i < rest.size(); i++) {
        Observation next = rest.get(i);
        boolean mayBeNext = rest.stream().noneMatch(other -> other.precedes(next));
        if (mayBeNext && right(next.action(), state)) {
          List<Observation> others = new ArrayList<>(rest);
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
      if (action instanceof Action.Increment increment && increment.result().isPresent()) {
        return increment.result().get() == (state == null ? 0 : Long.parseLong(state)) + 1;
      }
      if (action instanceof Action.Append append && append.length().isPresent()) {
        return append.length().get()
            == (state == null ? 0 : state.length()) + append.piece().length();
      }
      return true;
    }

    private static String changed(Action action, String state) {
      if (action instanceof Action.Put put) {
        return put.value();
      }
      if (action instanceof Action.Increment) {
        return Long.toString((state == null ? 0 : Long.parseLong(state)) + 1);
      }
      if (action instanceof Action.Append append) {
        return (state == null ? "" : state) + append.piece();
      }
      return action instanceof Action.Delete ? null : state;
    }
  }

  // ---- words of the histories above ----

  private void ok(long start, long end, Action action) {
    history.add(operation(start, end, action, Outcome.OK));
  }

  private void unknown(long start, Action action) {
    history.add(operation(start, Observation.NEVER, action, Outcome.UNKNOWN));
  }

  private static Observation operation(long start, long end, Action action, Outcome outcome) {
    return new Observation(0, "k", action, outcome, start, end);
  }

  private static Action increment(long result) {
    return new Action.Increment(Optional.of(result));
  }

  private static Action append(String piece, long length) {
    return new Action.Append(piece, Optional.of(length));
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
            Linearizability.check(history).orElseThrow().witness().stream()
                .map(Observation::action))
        .containsExactly(witness);
  }
}
