// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** When a member stands, by a clock that the test turns. */
class CandidacyTest {
  private static final int LEASE_MILLIS = 500;

  private final Engine engine = new Engine();
  private long now = 10_000;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void aReplicaStandsBeforeAWitnessHoweverChanceHasIt(long seed) {
    Candidacy replica = candidacy(false, seed);
    Candidacy witness = candidacy(true, -seed);
    engine.heardAt = now;
    long replicaAt = firstDue(replica, engine.heardAt);
    long witnessAt = firstDue(witness, engine.heardAt);
    assertThat(replicaAt - engine.heardAt).isBetween(700L, 900L);
    assertThat(witnessAt - engine.heardAt).isBetween(1_000L, 1_200L);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void nobodyWaitsForALeaderWhoseProcessHasEnded(long seed) {
    Candidacy replica = candidacy(false, seed);
    Candidacy witness = candidacy(true, -seed);
    engine.heardAt = now;
    long endedAt = now + 10;
    now = endedAt;
    assertThat(replica.leaderEnded(now)).isTrue();
    engine.heardAt = endedAt - 10; // each has its own in truth
    assertThat(witness.leaderEnded(now)).isTrue();
    assertThat(firstDue(replica, endedAt) - endedAt).isBetween(20L, 120L);
    assertThat(firstDue(witness, endedAt) - endedAt).isBetween(300L, 400L);
  }

  @Test
  void oneThatWasRefusedStandsAgainAtFirstSooner() {
    Candidacy replica = candidacy(false, 7);
    replica.leaderEnded(now);
    long before = firstDue(replica, now);
    for (long pause : new long[] {125, 250, 500, 500, 500}) {
      replica.stand();
      long next = firstDue(replica, before + 1);
      assertThat(next - before).isBetween(pause, pause + 200);
      before = next;
    }
  }

  @Test
  void nobodyStandsTwiceAtOnce() {
    Candidacy replica = candidacy(false, 7);
    replica.leaderEnded(now);
    long first = firstDue(replica, now);
    now = first + 10_000;
    assertThat(replica.due(now)).as("it still stands").isFalse();
    replica.stand();
    assertThat(replica.due(now)).isTrue();
    assertThat(engine.stood).isEqualTo(1);
  }

  /** There was no thread for it. */
  @Test
  void anAttemptThatCouldNotBeginIsNotTheLast() {
    Candidacy replica = candidacy(false, 7);
    long first = firstDue(replica, now);
    replica.stood();
    assertThat(firstDue(replica, first + 1) - first).isBetween(500L, 700L);
  }

  @Test
  void beingToldTwiceDelaysNobody() {
    Candidacy witness = candidacy(true, 7);
    witness.leaderEnded(now);
    long told = now;
    for (; now < told + 1_000 && !witness.due(now); now += 10) {
      assertThat(witness.leaderEnded(now)).isFalse();
    }
    assertThat(now - told).isBetween(300L, 410L);
  }

  @Test
  void aLeaderThatIsHeardAgainEndsIt() {
    Candidacy replica = candidacy(false, 7);
    replica.leaderEnded(now);
    engine.heardAt = now + 1;
    assertThat(replica.due(now + 400)).isFalse();
    engine.heardAt = now + 400;
    assertThat(firstDue(replica, engine.heardAt) - engine.heardAt).isBetween(700L, 900L);
  }

  @Test
  void whoDoesNotWaitForALeaderDoesNotStand() {
    Candidacy leader = candidacy(false, 7);
    engine.waits = false;
    engine.heardAt = 0;
    assertThat(leader.due(now)).isFalse();
    leader.leaderEnded(now);
    assertThat(engine.silentMillis()).as("the lease of another term is left alone").isEqualTo(now);
    assertThat(leader.due(now + 5_000)).isFalse();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void whoSaysForHowLongItIsNotDueIsNotDueForSoLong(long seed) {
    Random random = new Random(seed);
    Candidacy member = candidacy(seed % 2 == 0, seed);
    long undueUntil = now;
    int due = 0;
    for (; due < 5; now++) {
      if (random.nextInt(1_500) == 0) {
        engine.heardAt = now;
      }
      boolean isDue = member.due(now);
      if (isDue) {
        assertThat(now).as("it said it would not be due").isGreaterThanOrEqualTo(undueUntil);
        due++;
        member.stand();
      }
      undueUntil = Math.max(undueUntil, now + member.undueForMillis(now));
    }
  }

  @Test
  void whoHearsALeaderIsNotDueUntilALeaseLater() {
    Candidacy replica = candidacy(false, 7);
    engine.heardAt = now - 100;
    assertThat(replica.undueForMillis(now)).isEqualTo(LEASE_MILLIS - 100);
    engine.waits = false;
    assertThat(replica.undueForMillis(now)).as("a leader").isEqualTo(LEASE_MILLIS);
  }

  private Candidacy candidacy(boolean witness, long seed) {
    return new Candidacy(engine, witness, LEASE_MILLIS, new Random(seed));
  }

  private long firstDue(Candidacy candidacy, long from) {
    for (now = from; !candidacy.due(now); now++) {
      assertThat(now).as("it stands at some time").isLessThan(from + 10_000);
    }
    return now;
  }

  private final class Engine implements Candidacy.Follower {
    private boolean waits = true;
    private long heardAt = 10_000;
    private int stood;

    @Override
    public boolean waits() {
      return waits;
    }

    @Override
    public long silentMillis() {
      return now - heardAt;
    }

    @Override
    public void endLease() {
      heardAt = now - LEASE_MILLIS;
    }

    @Override
    public void stand() {
      stood++;
    }
  }
}
