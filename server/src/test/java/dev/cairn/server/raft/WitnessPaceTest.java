// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import static org.assertj.core.api.Assertions.assertThat;

import com.alipay.sofa.jraft.entity.EnumOutter.EntryType;
import com.alipay.sofa.jraft.entity.RaftOutter.EntryMeta;
import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesResponse;
import com.google.protobuf.ByteString;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** What a leader sends to its witness, and when, by a clock that the test moves. */
class WitnessPaceTest {
  private static final Peer COPY = new Peer("n1", 1);
  private static final Peer WITNESS = new Peer("n2", 1);
  private static final long MILLI = 1_000_000;

  private long now = WitnessPace.HOLD_NANOS * 1_000 + 1;
  private long term = 3;
  private boolean stopping;
  private final Deque<Timed> timers = new ArrayDeque<>();
  private final List<Sent> toWitness = new ArrayList<>();
  private final Deque<Sent> toCopy = new ArrayDeque<>();
  private final List<RaftRpc.Outcome> outcomes = new ArrayList<>();
  private final WitnessPace pace = new WitnessPace(() -> now, this::after);

  private record Timed(long atNanos, Runnable task) {}

  private record Sent(AppendEntriesRequest request, Consumer<RaftRpc.Outcome> done) {
    long last() {
      return request.getPrevLogIndex() + request.getEntriesCount();
    }

    void answer(boolean success) {
      done.accept(
          new RaftRpc.Outcome(
              AppendEntriesResponse.newBuilder().setTerm(3).setSuccess(success).build(), null));
    }
  }

  private boolean after(long nanos, Runnable task) {
    assertThat(nanos).isBetween(1L, WitnessPace.HOLD_NANOS);
    return !stopping && timers.add(new Timed(now + nanos, task));
  }

  @Test
  void nothingIsHeldWhoeverTheWitnessIsWhenNobodySaidSo() {
    append(COPY, 10, 1);
    toCopy.poll().answer(true);
    append(WITNESS, 10, 1);
    assertThat(toWitness).hasSize(1);
  }

  @Test
  void entriesWaitWhileTheCopyIsPrompt() {
    promptCopy();
    append(COPY, 11, 1);
    append(WITNESS, 11, 1);
    append(WITNESS, 12, 2);
    assertThat(toWitness).isEmpty();

    advance(WitnessPace.HOLD_NANOS);
    assertThat(toWitness).extracting(Sent::last).as("in their order").containsExactly(11L, 13L);
  }

  @Test
  void nothingIsHeldBeforeTheCopyHasAnswered() {
    pace.witnesses(Set.of(WITNESS));
    append(WITNESS, 10, 1);
    assertThat(toWitness).as("no copy is known").hasSize(1);
    append(COPY, 10, 2);
    append(WITNESS, 11, 1);
    assertThat(toWitness).as("it has not answered").hasSize(2);
  }

  @Test
  void aCopyThatFailsSendsWhatIsHeldAndEndsTheHolding() {
    promptCopy();
    append(COPY, 11, 1);
    append(WITNESS, 11, 1);
    assertThat(toWitness).isEmpty();

    toCopy.poll().done().accept(new RaftRpc.Outcome(null, new TimeoutException("gone")));
    assertThat(toWitness).hasSize(1);
    append(WITNESS, 12, 1);
    assertThat(toWitness).hasSize(2);
  }

  @Test
  void aCopyThatRefusesIsNotPrompt() {
    promptCopy();
    append(COPY, 11, 1);
    append(WITNESS, 11, 1);
    toCopy.poll().answer(false);
    assertThat(toWitness).hasSize(1);
  }

  @Test
  void aSilentCopyEndsTheHolding() {
    promptCopy();
    append(COPY, 11, 1);
    append(WITNESS, 11, 1);
    advance(WitnessPace.HOLD_NANOS);
    assertThat(toWitness).hasSize(1);

    append(WITNESS, 12, 1);
    assertThat(toWitness).as("nothing heard for as long as anything is held").hasSize(2);
  }

  @Test
  void aSlowCopyIsNotPromptUntilItAnswersQuickly() {
    promptCopy();
    append(COPY, 11, 1);
    advance(WitnessPace.HOLD_NANOS);
    toCopy.poll().answer(true);
    append(WITNESS, 11, 1);
    assertThat(toWitness).as("its last answer was slow").hasSize(1);

    append(COPY, 12, 1);
    advance(MILLI);
    toCopy.poll().answer(true);
    append(WITNESS, 12, 1);
    assertThat(toWitness).as("held again").hasSize(1);
  }

  @Test
  void aCopyThatHasYetToCatchUpIsNoMajority() {
    promptCopy();
    append(WITNESS, 10 + WitnessPace.ENTRIES_AHEAD_MAX, 1);
    assertThat(toWitness).as("a few entries ahead are usual").isEmpty();
    append(WITNESS, 11 + WitnessPace.ENTRIES_AHEAD_MAX, 1);
    assertThat(toWitness).as("and what was held goes first").hasSize(2);
  }

  @Test
  void everyCopyMustBePrompt() {
    Peer another = new Peer("n3", 1);
    promptCopy();
    append(another, 10, 1);
    append(WITNESS, 11, 1);
    assertThat(toWitness).hasSize(1);
  }

  @Test
  void aHeartbeatIsNeverHeldAndMakesNobodyPrompt() {
    promptCopy();
    append(COPY, 11, 1); // its disk hangs
    advance(WitnessPace.HOLD_NANOS);
    heartbeat(COPY);
    toCopy.pollLast().answer(true);
    heartbeat(WITNESS);
    assertThat(toWitness).hasSize(1);
    append(WITNESS, 11, 1);
    assertThat(toWitness).hasSize(2);
  }

  @Test
  void aProbeIsNeverHeld() {
    promptCopy();
    send(WITNESS, AppendEntriesRequest.newBuilder().setPrevLogIndex(9).setData(ByteString.EMPTY));
    assertThat(toWitness).hasSize(1);
  }

  @Test
  void whatWasKnownOfCopiesEndsWithTheTermAndWithAnotherWitness() {
    promptCopy();
    term = 4;
    append(WITNESS, 11, 1);
    assertThat(toWitness).hasSize(1);

    promptCopy();
    pace.witnesses(Set.of(WITNESS, new Peer("n9", 1)));
    append(WITNESS, 12, 1);
    assertThat(toWitness).hasSize(2);
  }

  @Test
  void nothingIsHeldWhenNothingWillRelease() {
    promptCopy();
    stopping = true;
    append(WITNESS, 11, 1);
    assertThat(toWitness).hasSize(1);
  }

  private void promptCopy() {
    pace.witnesses(Set.of(WITNESS));
    append(COPY, 10, 1);
    toCopy.poll().answer(true);
  }

  private void append(Peer peer, long first, int count) {
    AppendEntriesRequest.Builder request =
        AppendEntriesRequest.newBuilder().setPrevLogIndex(first - 1).setData(ByteString.EMPTY);
    for (int i = 0; i < count; i++) {
      request.addEntries(EntryMeta.newBuilder().setTerm(term).setType(EntryType.ENTRY_TYPE_DATA));
    }
    send(peer, request);
  }

  private void heartbeat(Peer peer) {
    send(peer, AppendEntriesRequest.newBuilder().setPrevLogIndex(0));
  }

  private void send(Peer peer, AppendEntriesRequest.Builder request) {
    pace.send(
        request
            .setGroupId("g")
            .setServerId("127.0.0.1:9:1")
            .setPeerId(peer.toString())
            .setTerm(term)
            .setPrevLogTerm(1)
            .setCommittedIndex(1)
            .build(),
        (sent, done) -> (peer.equals(WITNESS) ? toWitness : toCopy).add(new Sent(sent, done)),
        outcomes::add);
  }

  private void advance(long nanos) {
    now += nanos;
    while (!timers.isEmpty() && timers.peek().atNanos() <= now) {
      timers.poll().task().run();
    }
  }
}
