// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongConsumer;
import org.junit.jupiter.api.Test;

/** Who is asked whether this node leads still, and what the answers mean. */
class LeaderCheckTest {
  private static final Peer SELF = new Peer("n1", 1);
  private static final Peer COPY = new Peer("n2", 3);
  private static final Peer WITNESS = new Peer("n3", 1);
  private static final long TERM = 7;

  private long ownTerm = TERM;
  private Set<Peer> voters = Set.of(SELF, COPY, WITNESS);
  private long now;
  private final List<Runnable> timers = new ArrayList<>();
  private final Map<Peer, LongConsumer> asked = new HashMap<>();
  private final List<Optional<String>> outcomes = new ArrayList<>();
  private final LeaderCheck check =
      new LeaderCheck(
          "group",
          SELF,
          new LeaderCheck.State() {
            @Override
            public long term(String group) {
              return ownTerm;
            }

            @Override
            public Set<Peer> voters(String group) {
              return voters;
            }
          },
          (voter, group, done) -> {
            assertThat(group).asString().isEqualTo("group");
            assertThat(asked.put(voter, done)).as("asked once").isNull();
          },
          (nanos, task) -> timers.add(task),
          () -> now);

  @Test
  void aMajorityInTheTermConfirms() {
    ask();
    assertThat(outcomes).isEmpty();
    answer(COPY, TERM);
    assertThat(outcomes).containsExactly(Optional.empty());
    answer(WITNESS, TERM + 1);
    assertThat(outcomes).as("told once").hasSize(1);
  }

  @Test
  void aVoterThatHasNotHeardOfTheTermYetConfirmsToo() {
    ask();
    answer(COPY, TERM - 1);
    assertThat(outcomes).containsExactly(Optional.empty());
  }

  @Test
  void laterTermsOfAMajorityDoNot() {
    ask();
    answer(COPY, TERM + 1);
    assertThat(outcomes).as("the witness may still agree").isEmpty();
    answer(WITNESS, TERM + 1);
    assertThat(outcomes.get(0)).isPresent();
  }

  @Test
  void oneThatDoesNotHoldTheIncarnationIsNoVoter() {
    ask();
    answer(COPY, 0);
    answer(WITNESS, 0);
    assertThat(outcomes.get(0)).isPresent();
  }

  @Test
  void thisNodesOwnTermCountsWhenTheOthersHaveAnswered() {
    ask();
    ownTerm = TERM + 1;
    answer(COPY, TERM);
    assertThat(outcomes.get(0)).isPresent();
  }

  @Test
  void whoIsNoVoterOrDoesNotKnowThemAsksNobody() {
    voters = Set.of();
    assertThat(check.confirm(TERM, outcomes::add)).isFalse();
    voters = Set.of(COPY, WITNESS);
    assertThat(check.confirm(TERM, outcomes::add)).isFalse();
    assertThat(asked).isEmpty();
    assertThat(outcomes).isEmpty();
  }

  @Test
  void aLoneVoterIsAMajority() {
    voters = Set.of(SELF);
    ask();
    timers.forEach(Runnable::run);
    assertThat(outcomes).containsExactly(Optional.empty());
    ownTerm = TERM + 1;
    ask();
    timers.get(1).run();
    assertThat(outcomes.get(1)).isPresent();
  }

  @Test
  void nobodyElseIsAskedAfterTheFirstSufficed() {
    confirmedByTheFirst();
    ask();
    assertThat(asked).containsOnlyKeys(COPY);
    answer(COPY, TERM);
    assertThat(outcomes).hasSize(2);
  }

  @Test
  void theOtherIsAskedWhenTheFirstIsSilent() {
    confirmedByTheFirst();
    ask();
    now += LeaderCheck.ALONE_NANOS;
    runTimers();
    assertThat(asked).containsOnlyKeys(COPY, WITNESS);
    answer(WITNESS, TERM);
    assertThat(outcomes).containsExactly(Optional.empty(), Optional.empty());

    asked.clear(); // it has not answered yet
    ask();
    assertThat(asked).as("and at once the next time").containsOnlyKeys(COPY, WITNESS);
  }

  @Test
  void aTickThatComesEarlyForALaterRoundLooksAgain() {
    confirmedByTheFirst();
    ask();
    now += LeaderCheck.ALONE_NANOS - 1;
    answer(COPY, TERM);
    ask();
    now += 1;
    runTimers();
    assertThat(asked).containsOnlyKeys(COPY);
    now += LeaderCheck.ALONE_NANOS;
    runTimers();
    assertThat(asked).containsOnlyKeys(COPY, WITNESS);
  }

  @Test
  void theOtherIsAskedAtOnceWhenTheFirstFails() {
    confirmedByTheFirst();
    ask();
    asked.remove(COPY).accept(0);
    assertThat(asked).containsOnlyKeys(WITNESS);
    answer(WITNESS, TERM);
    assertThat(outcomes).hasSize(2).containsOnly(Optional.empty());
  }

  @Test
  void thoseThatFollowInTheOrderOfAddressesAreAskedFirst() {
    Peer before = new Peer("n0-9", 1);
    voters = Set.of(SELF, WITNESS, before, COPY, new Peer("n0", 1));
    confirmedBy(COPY, WITNESS);
    ask();
    assertThat(asked).containsOnlyKeys(COPY, WITNESS);
  }

  @Test
  void ofFiveTwoOthersMustAgree() {
    Peer third = new Peer("n4", 1);
    Peer fourth = new Peer("n5", 1);
    voters = Set.of(SELF, COPY, third, fourth, WITNESS);
    ask();
    answer(third, TERM);
    assertThat(outcomes).isEmpty();
    answer(fourth, TERM + 1);
    answer(COPY, TERM);
    assertThat(outcomes).containsExactly(Optional.empty());
  }

  private void confirmedByTheFirst() {
    confirmedBy(COPY);
  }

  private void confirmedBy(Peer... first) {
    ask();
    for (Peer peer : first) {
      answer(peer, TERM);
    }
    asked.clear();
  }

  private void ask() {
    assertThat(check.confirm(TERM, outcomes::add)).isTrue();
  }

  private void answer(Peer peer, long term) {
    asked.remove(peer).accept(term);
  }

  private void runTimers() {
    List<Runnable> due = List.copyOf(timers);
    timers.clear();
    due.forEach(Runnable::run);
  }
}
