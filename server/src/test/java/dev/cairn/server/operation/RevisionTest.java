// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.operation;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.server.operation.KeyOperation.Revision;
import dev.cairn.state.RequestIds;
import dev.cairn.state.State;
import dev.cairn.state.TwinDatabase;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Writing by version, step by step as the log would. */
class RevisionTest {
  private static final byte[] KEY = "key".getBytes(UTF_8);
  private static final byte[] VALUE = "value".getBytes(UTF_8);
  private static final Condition ABSENT = Condition.of(Condition.Kind.IF_ABSENT);

  private final State state =
      State.open(new TwinDatabase(), 1, new RequestIds.Bounds(1_000, 10, 1 << 10, 1 << 10));
  private final Keyspace keyspace = new StateKeyspace(state);

  /** Entries follow one another; each has the time that was reached last. */
  private void reach(long timeMillis) {
    state.end();
    state.begin(state.applied().index() + 1, 1, timeMillis);
  }

  @BeforeEach
  void begin() {
    state.begin(1, 1, 0);
  }

  private record Told(boolean held, long before, long after) {}

  private Told apply(Operation operation) {
    List<Long> numbers =
        ((Result.Many) operation.apply(keyspace))
            .results().stream().map(number -> ((Result.Int) number).value()).toList();
    return new Told(numbers.get(0) == 1, numbers.get(1), numbers.get(2));
  }

  private static Condition version(Long... versions) {
    return Condition.of(Condition.Kind.IF_VERSION, List.of(versions));
  }

  private static Revision put(Condition condition) {
    return Revision.put(KEY, VALUE, Expiry.NEVER, condition);
  }

  @Test
  void ofTwoThatExpectOneVersionTheSecondFindsAnother() {
    assertThat(apply(put(ABSENT))).isEqualTo(new Told(true, 0, 1));
    assertThat(apply(put(ABSENT))).isEqualTo(new Told(false, 1, 1));
    assertThat(apply(put(version(1L)))).isEqualTo(new Told(true, 1, 2));
    assertThat(apply(put(version(1L)))).isEqualTo(new Told(false, 2, 2));
    assertThat(apply(put(version(7L, 2L)))).isEqualTo(new Told(true, 2, 3));
    assertThat(apply(Revision.delete(KEY, version(2L)))).isEqualTo(new Told(false, 3, 3));
    assertThat(apply(Revision.delete(KEY, version(3L)))).isEqualTo(new Told(true, 3, 0));
    assertThat(apply(Revision.delete(KEY, Condition.ALWAYS))).isEqualTo(new Told(true, 0, 0));
    assertThat(apply(put(version(3L)))).isEqualTo(new Told(false, 0, 0));
    assertThat(apply(put(version()))).isEqualTo(new Told(false, 0, 0));
  }

  @Test
  void aVersionNeverComesAgainWhateverIsDone() {
    Random random = new Random(1);
    long last = 0;
    for (int i = 0; i < 1_000; i++) {
      if (random.nextBoolean()) {
        Told told = apply(put(Condition.ALWAYS));
        assertThat(told.after()).isGreaterThan(last);
        last = told.after();
      } else if (random.nextInt(20) == 0) {
        new Operation.Clear().apply(keyspace);
      } else {
        apply(Revision.delete(KEY, Condition.ALWAYS));
      }
    }
  }

  @Test
  void whatIsInNoneOfSomeVersionsMayBeAbsent() {
    Condition not = Condition.of(Condition.Kind.IF_NOT_VERSION, List.of(1L));
    assertThat(apply(put(not))).isEqualTo(new Told(true, 0, 1));
    assertThat(apply(put(not))).isEqualTo(new Told(false, 1, 1));
    assertThat(apply(put(Condition.ALWAYS))).isEqualTo(new Told(true, 1, 2));
    assertThat(apply(put(not))).isEqualTo(new Told(true, 2, 3));
  }

  @Test
  void aTimeToLiveIsKeptOrEndedAsAsked() {
    reach(1_000);
    apply(Revision.put(KEY, VALUE, new Expiry(Expiry.Kind.AFTER, 500), Condition.ALWAYS));
    apply(Revision.put(KEY, VALUE, Expiry.KEEP, Condition.ALWAYS));
    assertThat(keyspace.get(KEY).orElseThrow().expiresAtMillis()).isEqualTo(1_500);

    reach(1_500);
    assertThat(apply(put(ABSENT)).held()).as("what has expired is not there").isTrue();
    assertThat(keyspace.get(KEY).orElseThrow().expires()).isFalse();
    assertThat(
            Revision.put(KEY, VALUE, new Expiry(Expiry.Kind.AFTER, Long.MAX_VALUE), ABSENT)
                .apply(keyspace))
        .isEqualTo(new Result.Failed(Mistake.EXPIRE_TIME));
  }

  @Test
  void aFetchTellsAPartAndTheVersion() {
    apply(put(Condition.ALWAYS));
    Result.Many all = (Result.Many) new Query.Fetch(KEY, 1, -2).answer(keyspace);
    assertThat(((Result.Bytes) all.results().get(0)).value()).asString(UTF_8).isEqualTo("alu");
    Result.Many facts = (Result.Many) all.results().get(1);
    assertThat(facts).isEqualTo(new Query.Facts(KEY).answer(keyspace));
    assertThat(facts.results().get(0)).isEqualTo(new Result.Int(5));
    assertThat(facts.results().get(4)).isEqualTo(new Result.Int(1));
    assertThat(new Query.Fetch("other".getBytes(UTF_8), 0, -1).answer(keyspace))
        .isEqualTo(new Result.Nil());
  }
}
