// SPDX-License-Identifier: Apache-2.0
package dev.cairn.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cairn.consensus.Configuration;
import dev.cairn.consensus.EntriesWanted;
import dev.cairn.consensus.Entry;
import dev.cairn.consensus.HardState;
import dev.cairn.consensus.Member;
import dev.cairn.consensus.Peer;
import dev.cairn.consensus.Restored;
import dev.cairn.consensus.Role;
import dev.cairn.consensus.SharedLog.Part;
import dev.cairn.consensus.SnapshotReference;
import dev.cairn.consensus.Write;
import dev.cairn.log.Log;
import dev.cairn.log.LogException;
import dev.cairn.log.LogSettings;
import dev.cairn.log.SimulatedFiles;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a shard writes is what it finds again; the simulation shows the rest under faults. */
class ShardLogTest {
  private static final Peer A = new Peer("a", 1);
  private static final Peer B = new Peer("b", 7);
  private static final Configuration TWO =
      new Configuration(
          3,
          List.of(new Member(A, Role.REPLICA), new Member(B, Role.WITNESS)),
          List.of(new Member(A, Role.REPLICA)),
          List.of(new Peer("é", Long.MAX_VALUE)));

  private static final Configuration SETTLED =
      Configuration.stable(3, TWO.voters(), TWO.learners());

  private final SimulatedFiles files = new SimulatedFiles(new Random(1));
  private final List<EntriesWanted> reads = new ArrayList<>();
  private Log log;
  private ShardLog shardLog;

  @BeforeEach
  void open() throws IOException {
    open(files, 1 << 20);
  }

  private void open(SimulatedFiles from, long queueBytesMax) throws IOException {
    log =
        Log.open(
            from, new LogSettings(64 << 10, 8 << 10, 3, 1 << 10, queueBytesMax), new Random(2));
    shardLog = new ShardLog(log, (group, wanted) -> reads.add(wanted));
  }

  private long place(Peer self, Configuration founded) {
    SnapshotReference base = new SnapshotReference(0, 0, founded, 0);
    return shardLog.append(List.of(new Part(1, self, new Write(0, null, base, 0, List.of()))));
  }

  private long write(HardState state, SnapshotReference reset, long compacted, Entry... entries) {
    Write write = new Write(1, state, reset, compacted, List.of(entries));
    return shardLog.append(List.of(new Part(1, null, write)));
  }

  private static Entry data(long index, long term) {
    return new Entry(index, term, new byte[] {(byte) index, (byte) term}, null);
  }

  private Restored restored() throws IOException {
    while (log.write()) {
      // all that waits
    }
    open(files.copy(), 1 << 20);
    return shardLog.restored(1, A, null).orElseThrow();
  }

  @Test
  void whatWasWrittenIsFoundAgain() throws IOException {
    place(A, TWO);
    write(new HardState(2, B), null, 0, data(1, 1), data(2, 1), data(3, 2));
    write(null, null, 1, new Entry(3, 4, null, null), new Entry(4, 4, null, SETTLED));
    Restored restored = restored();
    assertThat(restored.hardState()).isEqualTo(new HardState(2, B));
    assertThat(restored.base()).isEqualTo(new SnapshotReference(1, 1, TWO, 0));
    assertThat(restored.data()).isEqualTo(restored.base());
    assertThat(restored.entries())
        .containsExactly(
            new Entry(2, 1, null, null),
            new Entry(3, 4, null, null),
            new Entry(4, 4, null, SETTLED));
    List<Entry> read = shardLog.entries(1, 2, 1 << 20);
    assertThat(read).hasSize(3);
    assertThat(read.get(0).data()).containsExactly(2, 1);
    assertThat(read.get(1).data()).isNull();
    assertThat(read.get(2).configuration()).isEqualTo(SETTLED);
    assertThat(shardLog.entries(1, 1, 100)).isEmpty();
    assertThat(shardLog.entries(2, 1, 100)).isEmpty();
  }

  @Test
  void aResetLeavesNothing() throws IOException {
    place(A, TWO);
    write(new HardState(1, null), null, 0, data(1, 1), data(2, 1), data(3, 1));
    write(null, new SnapshotReference(2, 5, TWO, 2), 0);
    Restored restored = restored();
    assertThat(restored.base()).isEqualTo(new SnapshotReference(2, 5, TWO, 2));
    assertThat(restored.entries()).isEmpty();
    assertThat(restored.hardState()).isEqualTo(new HardState(1, null));
  }

  @Test
  void aReplicaIsKnownByItsMarkerAndLeavesNothingToTheNext() throws IOException {
    place(A, TWO);
    write(new HardState(9, A), null, 0, data(1, 9));
    restored();
    Peer next = new Peer("a", 2);
    assertThat(shardLog.restored(1, next, null)).isEmpty();
    place(next, Configuration.NONE);
    while (log.write()) {
      // all that waits
    }
    assertThat(shardLog.restored(1, A, null)).isEmpty();
    Restored restored = shardLog.restored(1, next, null).orElseThrow();
    assertThat(restored.hardState()).isEqualTo(new HardState(0, null));
    assertThat(restored.entries()).isEmpty();
    assertThat(restored.base().configuration()).isEqualTo(Configuration.NONE);
    shardLog.remove(1);
    while (log.write()) {
      // all that waits
    }
    assertThat(shardLog.restored(1, next, null)).isEmpty();
  }

  @Test
  void durableNamesTheAppend() {
    long first = place(A, TWO);
    assertThat(shardLog.durable()).isZero();
    assertThat(log.write()).isTrue();
    long second = write(null, null, 0, data(1, 1));
    assertThat(shardLog.durable()).isEqualTo(first);
    assertThat(log.write()).isTrue();
    assertThat(shardLog.durable()).isEqualTo(second);
  }

  @Test
  void whatTheLogRefusesForNowIsHeldBackInOrder() throws IOException {
    open(new SimulatedFiles(new Random(3)), 1);
    long placed = place(A, TWO);
    assertThat(shardLog.holdsBack()).isFalse();
    long second = write(null, null, 0, data(1, 1));
    long third = write(null, null, 0, data(2, 1));
    assertThat(shardLog.holdsBack()).isTrue();
    assertThat(log.write()).isTrue();
    assertThat(shardLog.durable()).isEqualTo(placed);
    assertThat(shardLog.holdsBack()).isTrue();
    assertThat(log.write()).isTrue();
    assertThat(shardLog.durable()).isEqualTo(second);
    assertThat(shardLog.holdsBack()).isFalse();
    assertThat(log.write()).isTrue();
    assertThat(shardLog.durable()).isEqualTo(third);
    assertThat(shardLog.entries(1, 1, 1000)).hasSize(2);
  }

  @Test
  void onAFullDiskACompactionGoesAhead() {
    place(A, TWO);
    write(null, null, 0, data(1, 1), data(2, 1));
    while (log.write()) {
      // all that waits
    }
    files.room = files.used();
    long held = 0;
    for (long index = 3; !shardLog.holdsBack(); index++) {
      held = write(null, null, 0, new Entry(index, 1, new byte[2000], null));
      log.write();
      log.prepare();
    }
    write(null, null, 2);
    log.write();
    assertThat(log.group(1).orElseThrow().base().index()).isEqualTo(2);
    assertThat(shardLog.durable()).isLessThan(held);

    files.room = Long.MAX_VALUE;
    assertThat(log.prepare()).isTrue();
    assertThat(log.prepare()).isTrue();
    shardLog.durable();
    while (log.write()) {
      shardLog.durable();
    }
    assertThat(shardLog.durable()).isEqualTo(held + 1);
    assertThat(shardLog.holdsBack()).isFalse();
  }

  @Test
  void aReadIsBegunAndNotWaitedFor() {
    EntriesWanted wanted = new EntriesWanted(B, 4, 100);
    shardLog.read(1, wanted);
    assertThat(reads).containsExactly(wanted);
  }

  @Test
  void whatALaterReleaseWroteIsRefused() {
    byte[] bytes = Codec.bytesOf(TWO);
    assertThat(Codec.configuration(bytes)).isEqualTo(TWO);
    byte[] longer = Arrays.copyOf(bytes, bytes.length + 3);
    assertThat(Codec.configuration(longer)).isEqualTo(TWO);
    bytes[0]++;
    assertThatThrownBy(() -> Codec.configuration(bytes))
        .isInstanceOf(LogException.class)
        .hasMessageContaining("Start the release that wrote it");
  }

  /** No bytes that are cut, or whose bits are turned, do more than to be refused. */
  @Test
  void cutAndTurnedBytesAreRefused() {
    byte[] bytes = Codec.bytesOf(TWO);
    for (int length = 0; length < bytes.length; length++) {
      byte[] cut = Arrays.copyOf(bytes, length);
      assertThatThrownBy(() -> Codec.configuration(cut)).isInstanceOf(LogException.class);
    }
    for (int bit = 0; bit < bytes.length * 8; bit++) {
      byte[] turned = bytes.clone();
      turned[bit / 8] ^= (byte) (1 << bit % 8);
      try {
        assertThat(Codec.configuration(turned)).isNotEqualTo(TWO);
      } catch (LogException e) {
        assertThat(e.kind()).isIn(LogException.Kind.DAMAGED, LogException.Kind.FOREIGN);
      }
    }
  }
}
