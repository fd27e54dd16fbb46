// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cairn.server.cluster.Placement;
import dev.cairn.server.cluster.Replica;
import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.operation.EntryCodec;
import dev.cairn.server.operation.Operation;
import dev.cairn.server.operation.Request;
import dev.cairn.server.raft.GroupListener.Configuration;
import dev.cairn.server.raft.GroupListener.Entry;
import dev.cairn.server.raft.GroupListener.SnapshotPoint;
import dev.cairn.server.raft.Peer;
import dev.cairn.server.storage.EngineConfig;
import dev.cairn.server.storage.PartitionFolder;
import dev.cairn.server.storage.PartitionIdentity;
import dev.cairn.server.storage.StorageEngine;
import dev.cairn.state.RequestIds;
import dev.cairn.state.View;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a group tells a replica: entries, snapshots saved and loaded. */
class FullReplicaTest {
  private static final PartitionIdentity IDENTITY = new PartitionIdentity("c".repeat(40), 3, 1);
  private static final Replica SELF = new Replica("A", 1, true);
  private static final Placement PLACEMENT =
      new Placement(3, 0, 16_383, List.of(SELF), new Replica("W", 1, true));
  private static final Peer PEER = new Peer("A", 1);
  private static final Configuration OF_ONE =
      new Configuration(0, 0, List.of(PEER), List.of(), List.of());
  private static final int KEYS = 12;

  @TempDir Path temp;

  private final StorageEngine engine =
      StorageEngine.open(EngineConfig.DEFAULT, damage -> {}, new Metrics());
  private final WriteMemory memory = new WriteMemory(64 << 20, Runnable::run);
  private final PartitionMetrics metrics = PartitionMetrics.of(new Metrics());
  private final List<ReplicaState> opened = new ArrayList<>();
  private ReplicaState state;
  private FullReplica replica;

  private void open(String name) {
    state =
        new ReplicaState(
            PartitionFolder.open(engine, temp.resolve(name), IDENTITY),
            RequestIds.Bounds.DEFAULT,
            metrics.keys(),
            memory);
    opened.add(state);
    OwnReads ownReads =
        new OwnReads(
            3,
            PEER,
            state,
            Runnable::run,
            System::nanoTime,
            System::currentTimeMillis,
            metrics.keys());
    PartitionGroup group =
        new PartitionGroup(
            3,
            state,
            new PartitionClock(System::nanoTime, Optional::empty),
            System::nanoTime,
            1_000,
            Runnable::run,
            metrics,
            ownReads,
            () -> false);
    LogRetention retention =
        new LogRetention(
            false,
            LogLimits.DEFAULT,
            SELF.nodeId(),
            () -> PLACEMENT,
            of -> Optional.empty(),
            of -> 0,
            System::nanoTime);
    replica = new FullReplica(3, state, group, retention, metrics, () -> {}, cause -> {});
  }

  @AfterEach
  void close() {
    opened.forEach(ReplicaState::close);
    engine.close();
  }

  private static Entry entry(long index, Optional<InFlight> proposal) {
    List<Operation> puts =
        List.of(new Operation.Put(key(index), Long.toString(index).getBytes(UTF_8)));
    byte[] data =
        EntryCodec.encode(
            new EntryCodec.Entry(1_000 + index, List.of(new Request(Optional.empty(), puts))));
    return new Entry(index, 1, data, proposal.map(each -> each));
  }

  private static byte[] key(long index) {
    return ("key" + index % KEYS).getBytes(UTF_8);
  }

  private void apply(long first, long last) throws IOException {
    for (long index = first; index <= last; index++) {
      replica.apply(entry(index, Optional.empty()));
    }
    replica.applied();
  }

  /** What a log up to an index comes to. */
  private void assertHolds(long last, String as) {
    assertThat(state.applied().index()).as(as).isEqualTo(last);
    try (View view = state.view()) {
      for (long index = Math.max(1, last - KEYS + 1); index <= last; index++) {
        assertThat(view.get(key(index)).orElseThrow().value())
            .as(as)
            .isEqualTo(Long.toString(index).getBytes(UTF_8));
      }
      assertThat(view.applied().keys()).as(as).isEqualTo(Math.min(last, KEYS));
    }
  }

  private static SnapshotPoint point(long index) {
    return new SnapshotPoint(index, 1);
  }

  private static byte[] meta(long index) {
    return Long.toString(index).getBytes(UTF_8);
  }

  @Test
  void whatCameOfEntriesIsToldOnceTheyAreVisible() throws IOException {
    open("p");
    List<BatchReply> replies = new ArrayList<>();
    for (long index = 1; index <= 2; index++) {
      Entry entry = entry(index, Optional.empty());
      List<Request> requests = EntryCodec.decode(entry.data()).requests();
      InFlight waiting =
          new InFlight(
              List.of(new InFlight.WaitingBatch(requests, 0, 0, replies::add)),
              0,
              Long.MAX_VALUE,
              (self, end) -> {});
      replica.apply(entry(index, Optional.of(waiting)));
    }
    assertThat(replies).isEmpty();
    replica.applied();
    assertThat(replies)
        .extracting(reply -> ((BatchReply.Done) reply).index())
        .containsExactly(1L, 2L);
    replica.applied();
    assertThat(replies).hasSize(2);
  }

  @Test
  void theRowCoversWhatChangesNothing() throws IOException {
    open("p");
    apply(1, 1);
    replica.passed(2, 3);
    replica.configurationCommitted(
        new Configuration(3, 4, List.of(new Peer("B", 1)), List.of(), List.of()));
    assertThat(replica.row().index()).isEqualTo(3);
    assertThat(replica.row().durableIndex()).isZero();
    assertThat(state.voters()).containsExactly("B:0:1");
  }

  @Test
  void savedSnapshotIsDurableUpToItsIndex() throws IOException {
    open("p");
    apply(1, 8);
    replica.passed(9, 2);
    List<Optional<String>> done = new ArrayList<>();
    replica.save(point(9), done::add);
    assertThat(done).containsExactly(Optional.empty());
    assertThat(replica.row().durableIndex()).isEqualTo(9);
    assertThatThrownBy(() -> replica.save(point(10), done::add))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("ends at 9");
    assertThat(done).hasSize(1);
  }

  @Test
  void snapshotAheadOfTheDataIsRefused() throws IOException {
    open("p");
    apply(1, 5);
    assertThat(replica.load(point(5), Optional.empty(), new byte[0])).isTrue();
    assertThat(replica.load(point(6), Optional.empty(), new byte[0])).isFalse();
  }

  /** A checkpoint of a replica that has applied so much, in a folder of this one's. */
  private Path received(long index) throws IOException {
    FullReplica own = replica;
    ReplicaState ownState = state;
    open("from" + opened.size());
    apply(1, index - 1);
    replica.configurationCommitted(
        new Configuration(index, 1, OF_ONE.voters(), List.of(), List.of()));
    Path checkpoint = replica.checkpoint();
    Path incoming = own.newIncoming();
    FolderCopies.copyFiles(checkpoint, incoming);
    replica.deleteCheckpoint(checkpoint);
    assertThat(checkpoint).doesNotExist();
    replica = own;
    state = ownState;
    return incoming;
  }

  @Test
  void receivedDataTakesThePlaceOfWhatIsBehindIt() throws IOException {
    open("p");
    apply(1, 5);
    Path incoming = received(30);
    assertThat(replica.load(point(30), Optional.of(incoming), meta(30))).isTrue();
    assertThat(incoming).doesNotExist();
    assertThat(replica.durableMeta()).contains(meta(30));
    assertThat(state.applied().index()).isEqualTo(30);
    assertThat(replica.row().durableIndex()).isEqualTo(30);
    assertThat(state.voters()).containsExactly(PEER.toString());
    apply(31, 31 + KEYS);
    assertHolds(31 + KEYS, "behind it");
    state.close();
    open("p");
    assertHolds(31 + KEYS, "after a start");
    assertThat(replica.load(point(30), Optional.empty(), meta(30))).isTrue();
  }

  @Test
  void dataThatIsAsFarIsKeptAndFlushed() throws IOException {
    open("p");
    apply(1, 35);
    Path incoming = received(30);
    assertThat(replica.load(point(30), Optional.of(incoming), meta(30))).isTrue();
    assertThat(incoming).doesNotExist();
    assertThat(replica.durableMeta()).contains(meta(30));
    assertThat(replica.row().durableIndex()).isEqualTo(35);
    assertHolds(35, "kept");
  }

  @Test
  void receivedDataThatIsBehindItsPointStopsTheReplica() throws IOException {
    open("p");
    Path incoming = received(30);
    assertThat(replica.load(point(31), Optional.of(incoming), meta(31))).isFalse();
  }

  @Test
  void receivedDataThatIsNoneLeavesWhatThereWas() throws IOException {
    open("p");
    apply(1, 20);
    Path incoming = replica.newIncoming();
    Files.writeString(incoming.resolve("CURRENT"), "nothing");
    assertThatThrownBy(() -> replica.load(point(30), Optional.of(incoming), meta(30)))
        .isInstanceOf(RuntimeException.class);
    assertHolds(20, "as it was");
    apply(21, 25);
    assertHolds(25, "it goes on");
  }

  /**
   * The steps are: the data on disk, the meta, and only then does the log go. A crash is a copy of
   * what the disk holds at that moment, with the log as it is then.
   */
  @Test
  void aCrashBetweenAnyTwoStepsOfASnapshotLosesNothing() throws IOException {
    open("p");
    List<Integer> logBegins = new ArrayList<>(); // how many entries of it are gone by then
    int last = 0;
    for (int round = 0; round < 3; round++) {
      int gone = last;
      apply(last + 1, last + 20);
      last += 20;
      crash(logBegins, gone); // before it
      replica.save(point(last), why -> {});
      crash(logBegins, gone); // the data is on disk, the meta is not
      replica.saveMeta(meta(last));
      crash(logBegins, gone); // the log has all of it still
      crash(logBegins, last); // it is gone
    }
    state.close();
    for (int i = 0; i < logBegins.size(); i++) {
      open("crash" + i);
      String as = "crash " + i;
      int covered =
          replica.durableMeta().map(meta -> Integer.parseInt(new String(meta, UTF_8))).orElse(0);
      assertThat(covered).as(as).isGreaterThanOrEqualTo(logBegins.get(i));
      if (covered > 0) {
        assertThat(replica.load(point(covered), Optional.empty(), new byte[0])).as(as).isTrue();
      }
      apply(logBegins.get(i) + 1, last);
      assertHolds(last, as);
      state.close();
    }
  }

  private void crash(List<Integer> logBegins, int gone) throws IOException {
    FolderCopies.copy(temp.resolve("p"), temp.resolve("crash" + logBegins.size()));
    logBegins.add(gone);
  }
}
