// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Single messages to a member, where the simulator comes to them once in thousands of seeds. */
class GroupTest {
  private static final Peer A = new Peer("a", 1);
  private static final Peer B = new Peer("b", 1);

  @Test
  void entriesBehindOneThatNobodyKnowsAreRefused() {
    Configuration founded =
        Configuration.stable(
            1, List.of(new Member(A, Role.REPLICA), new Member(B, Role.REPLICA)), List.of());
    SnapshotReference empty = new SnapshotReference(0, 0, founded, 0);
    Group follower =
        new Group(
            new Member(B, Role.REPLICA),
            Settings.DEFAULT,
            new SplittableRandom(1),
            new Restored(new HardState(3, null), empty, List.of(), empty),
            0);
    List<Entry> entries = List.of(Entry.firstOfTerm(50, 3));
    long unknown = -1; // what a leader would say of an entry below its log
    follower.step(new Message.Append(A, B, 3, 49, unknown, entries, 0, 0, Message.Keep.ALL), 0);
    assertThat(follower.status().last()).isZero();
    assertThat(follower.take(0).messages())
        .singleElement()
        .isInstanceOfSatisfying(
            Message.AppendReply.class, reply -> assertThat(reply.accepted()).isFalse());
  }

  @Test
  void aReplicaTakesNoSnapshotOfAWitness() {
    SnapshotOffer taken = offerOf(Role.REPLICA, Role.WITNESS);
    assertThat(taken).isNull();
    assertThat(offerOf(Role.REPLICA, Role.REPLICA)).isNotNull();
    assertThat(offerOf(Role.WITNESS, Role.WITNESS)).as("there is only its word").isNotNull();
  }

  /** What B is to fetch when A offers a snapshot. */
  private static SnapshotOffer offerOf(Role ofB, Role ofA) {
    Configuration founded =
        Configuration.stable(1, List.of(new Member(A, ofA), new Member(B, ofB)), List.of());
    SnapshotReference empty = new SnapshotReference(0, 0, founded, 0);
    Group follower =
        new Group(
            new Member(B, ofB),
            Settings.DEFAULT,
            new SplittableRandom(1),
            new Restored(new HardState(3, null), empty, List.of(), empty),
            0);
    follower.step(new Message.Install(A, B, 3, new SnapshotReference(9, 2, founded, 0)), 0);
    return follower.take(0).offer();
  }
}
