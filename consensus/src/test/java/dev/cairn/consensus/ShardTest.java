// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** What a shard does for all its groups at once; the simulation shows the rest under faults. */
class ShardTest {
  private static final int GROUPS = 50;

  private final Map<String, Host> hosts = new TreeMap<>();
  private final Deque<Batch> onTheWay = new ArrayDeque<>();
  private final List<Batch> sent = new ArrayList<>();
  private final Set<String> cut = new HashSet<>();
  private final Set<String> deaf = new HashSet<>();
  private long now;

  /** A node whose disk is as quick as its clock. */
  private final class Host implements SharedLog {
    final String name;
    final Shard shard;
    final List<Part> appended = new ArrayList<>();
    final List<Long> answered = new ArrayList<>();
    long appends;
    long synced;
    long deadline;
    boolean slow;

    Host(String name, long session) {
      this.name = name;
      this.shard =
          new Shard(
              name,
              session,
              Settings.DEFAULT,
              this,
              ShardTest.this::send,
              new SplittableRandom(name.hashCode()),
              now);
    }

    @Override
    public long append(List<Part> parts) {
      appended.addAll(parts);
      return ++appends;
    }

    @Override
    public void read(long group, EntriesWanted wanted) {
      throw new AssertionError("all entries are in memory");
    }

    void round() {
      deadline = shard.round(now);
      if (!slow && synced < appends) {
        synced = appends;
        shard.durable(synced, now);
        deadline = now;
      }
    }

    void place(long group, Configuration founded) {
      Replica replica =
          new Replica() {
            @Override
            public void apply(long upTo) {
              shard.applied(group, upTo, now);
            }

            @Override
            public void stands(long term, Peer leader, boolean leads) {}

            @Override
            public void answer(ReadGrant grant) {
              answered.add(grant.token());
            }

            @Override
            public void refuse(long token) {
              throw new AssertionError("read " + token);
            }

            @Override
            public void fetch(SnapshotOffer offer) {
              throw new AssertionError("a snapshot");
            }
          };
      shard.place(group, new Member(new Peer(name, 1), Role.REPLICA), founded, replica, now);
    }
  }

  private void send(Batch batch) {
    sent.add(batch);
    if (!cut.contains(batch.from()) && !cut.contains(batch.to()) && !deaf.contains(batch.to())) {
      onTheWay.add(batch);
    }
  }

  private void found() {
    List<Member> voters =
        List.of("a", "b", "c").stream()
            .map(name -> new Member(new Peer(name, 1), Role.REPLICA))
            .toList();
    for (Member voter : voters) {
      Host host = new Host(voter.peer().node(), 1);
      hosts.put(host.name, host);
      for (long group = 1; group <= GROUPS; group++) {
        host.place(group, Configuration.stable(1, voters, List.of()));
      }
    }
  }

  /** Lets time go on until a moment. */
  private void runUntil(long until) {
    while (true) {
      Batch batch = onTheWay.poll();
      if (batch != null) {
        hosts.get(batch.to()).shard.receive(batch, now);
        hosts.get(batch.to()).deadline = now;
      } else {
        now = hosts.values().stream().mapToLong(host -> host.deadline).min().orElseThrow();
        if (now > until) {
          now = until;
          return;
        }
      }
      for (Host host : hosts.values()) {
        if (host.deadline <= now) {
          host.round();
        }
      }
    }
  }

  private Host leaderOf(long group) {
    return hosts.values().stream()
        .filter(host -> !cut.contains(host.name))
        .filter(host -> host.shard.status(group).orElseThrow().leads())
        .findFirst()
        .orElseThrow();
  }

  private boolean allSleep() {
    return hosts.values().stream().allMatch(host -> host.shard.asleep() == GROUPS);
  }

  @Test
  void groupsWithoutWorkSleepAndOneBeatSpeaksForAllOfThem() {
    found();
    runUntil(5000);
    assertThat(allSleep()).isTrue();
    sent.clear();
    runUntil(now + 10_000);
    assertThat(allSleep()).isTrue();
    assertThat(sent).allMatch(batch -> batch.messages().isEmpty());
    assertThat(sent).noneMatch(batch -> batch.beat() != null && batch.beat().led() != null);
    long pairs = 6;
    long beats = 10_000 / Settings.DEFAULT.beatMillis() + 1;
    assertThat(sent).hasSizeLessThanOrEqualTo((int) (2 * pairs * beats));
  }

  @Test
  void workWakesItsGroupAlone() {
    found();
    runUntil(5000);
    sent.clear();
    Proposal proposal = leaderOf(7).shard.propose(7, List.of(new byte[1]), now);
    leaderOf(7).deadline = now;
    runUntil(now + 2000);
    assertThat(proposal.isAccepted()).isTrue();
    assertThat(hosts.values())
        .allMatch(host -> host.shard.status(7).orElseThrow().applied() == proposal.index());
    assertThat(sent.stream().flatMap(batch -> batch.messages().stream()))
        .isNotEmpty()
        .allMatch(envelope -> envelope.group() == 7);
    assertThat(allSleep()).isTrue();
  }

  @Test
  void aNodeThatFallsSilentWakesWhoReliedOnIt() {
    found();
    runUntil(5000);
    Host gone = leaderOf(3);
    cut.add(gone.name);
    runUntil(now + 5000);
    for (long group = 1; group <= GROUPS; group++) {
      assertThat(leaderOf(group)).isNotSameAs(gone);
    }
    assertThat(gone.shard.status(3).orElseThrow().leads()).isFalse();
  }

  /** A node's answers and its own beats end at different moments: each end wakes who needs it. */
  @Test
  void whoWaitsForAnswersAndForBeatsOfASilentNodeWakesForBoth() {
    found();
    runUntil(5000);
    Host gone = leaderOf(3);
    deaf.add(gone.name);
    runUntil(now + Settings.DEFAULT.beatMillis() + 50);
    cut.add(gone.name);
    runUntil(now + 5000);
    for (long group = 1; group <= GROUPS; group++) {
      assertThat(leaderOf(group)).isNotSameAs(gone);
    }
  }

  @Test
  void whoSleepsStandsSoonWhenTheLeadersProcessIsGone() {
    found();
    runUntil(5000);
    Host gone = leaderOf(3);
    cut.add(gone.name);
    for (Host other : hosts.values()) {
      if (other != gone) {
        other.shard.gone(gone.name, 1, now);
        other.deadline = now;
      }
    }
    long before = groupsLedBeside(gone);
    runUntil(now + Settings.DEFAULT.electionMillis() / 2);
    long split = GROUPS - groupsLedBeside(gone); // two stood at the same moment
    assertThat(split).isLessThan((GROUPS - before) / 4);
    runUntil(now + 5000);
    assertThat(groupsLedBeside(gone)).isEqualTo(GROUPS);
  }

  private long groupsLedBeside(Host gone) {
    return LongStream.rangeClosed(1, GROUPS)
        .filter(
            group ->
                hosts.values().stream().anyMatch(host -> host != gone && host.shard.leads(group)))
        .count();
  }

  @Test
  void aGroupThatIsNotListedCountsAsSilent() {
    found();
    runUntil(5000);
    Host ended = leaderOf(3);
    ended.shard.close(3);
    hosts.values().stream().filter(host -> host != ended).forEach(host -> host.deadline = now);
    List<Host> others = hosts.values().stream().filter(host -> host != ended).toList();
    runUntil(now + 5000);
    assertThat(others).anyMatch(host -> host.shard.status(3).orElseThrow().leads());
    assertThat(leaderOf(4).shard.status(4).orElseThrow().term()).isPositive();
  }

  /** A leader of an earlier term is not taken for one by whoever sleeps under a later one. */
  @Test
  void whoSleepsDoesNotFollowALeaderOfAnEarlierTerm() {
    found();
    runUntil(5000);
    Host former = leaderOf(3);
    List<Long> led =
        LongStream.rangeClosed(1, GROUPS)
            .filter(group -> former.shard.leads(group))
            .boxed()
            .toList();
    Batch.Beat last =
        sent.stream()
            .filter(batch -> batch.from().equals(former.name) && batch.beat() != null)
            .reduce((one, next) -> next)
            .orElseThrow()
            .beat();
    cut.add(former.name);
    former.deadline = Long.MAX_VALUE; // it is frozen, and leads in its own eyes
    runUntil(now + 5000);
    Host follower = hosts.values().stream().filter(host -> host != former).findFirst().get();
    assertThat(follower.shard.asleep()).isPositive();
    sent.clear();
    Batch.Beat beat = new Batch.Beat(last.version(), null, 99);
    follower.shard.receive(new Batch(former.name, follower.name, 1, beat, null, List.of()), now);
    follower.round();
    Batch.BeatReply reply =
        sent.stream().map(Batch::reply).filter(Objects::nonNull).findFirst().get();
    assertThat(reply.question()).isEqualTo(99);
    assertThat(reply.silent()).containsAll(led);
  }

  @Test
  void oneQuestionToEachNodeConfirmsAllReads() {
    found();
    runUntil(5000);
    sent.clear();
    for (Host host : hosts.values()) {
      for (long group = 1; group <= GROUPS; group++) {
        if (host.shard.status(group).orElseThrow().leads()) {
          assertThat(host.shard.read(group, group, now)).isEmpty();
        }
      }
      host.deadline = now;
    }
    runUntil(now);
    assertThat(hosts.values().stream().mapToInt(host -> host.answered.size()).sum())
        .isEqualTo(GROUPS);
    assertThat(sent.stream().filter(batch -> batch.beat() != null).count())
        .isLessThanOrEqualTo(2 * 6);
  }

  @Test
  void aReplicaDoesNothingBeforeItsMarkerIsOnTheDisk() {
    found();
    hosts.values().forEach(host -> host.slow = true);
    hosts.values().forEach(Host::round);
    runUntil(5000);
    assertThat(sent).isEmpty();
    assertThat(hosts.get("a").appended).hasSize(GROUPS).allMatch(part -> part.marker() != null);
    assertThat(hosts.get("a").shard.status(1)).isEmpty();
    hosts.values().forEach(host -> host.slow = false);
    hosts.values().forEach(Host::round);
    runUntil(10_000);
    assertThat(allSleep()).isTrue();
  }

  @Test
  void aReplicaThatEndsBeforeItsFirstAppendLeavesNoMarker() {
    found();
    Host host = hosts.get("a");
    host.shard.close(3);
    host.round();
    assertThat(host.appended).hasSize(GROUPS - 1).noneMatch(part -> part.group() == 3);
  }

  @Test
  void whatAnEarlierProcessSentOrLostIsDropped() {
    found();
    runUntil(5000);
    Host follower = hosts.values().stream().filter(host -> host != leaderOf(1)).findFirst().get();
    String leader = leaderOf(1).name;
    Shard shard = follower.shard;
    assertThat(shard.sessionOf(leader)).isEqualTo(1);
    int asleep = shard.asleep();
    shard.gone(leader, 0, now); // of a process before the one that is heard now
    assertThat(shard.asleep()).isEqualTo(asleep);
    shard.receive(new Batch(leader, follower.name, 2, null, null, List.of()), now);
    assertThat(shard.sessionOf(leader)).isEqualTo(2);
    assertThat(shard.asleep()).isLessThan(asleep);
    Message old = new Message.Outdated(new Peer(leader, 1), new Peer(follower.name, 1), 99);
    shard.receive(
        new Batch(leader, follower.name, 1, null, null, List.of(new Batch.Envelope(1, old))), now);
    assertThat(shard.status(1).orElseThrow().term()).isLessThan(99);
  }
}
