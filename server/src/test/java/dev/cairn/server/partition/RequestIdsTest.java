// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.operation.EntryCodec;
import dev.cairn.server.operation.Operation;
import dev.cairn.server.operation.Query;
import dev.cairn.server.operation.Request;
import dev.cairn.server.operation.Result;
import dev.cairn.server.operation.Result.NotApplied.Why;
import dev.cairn.server.operation.ValueOperation;
import dev.cairn.server.raft.GroupListener.Entry;
import dev.cairn.server.raft.GroupListener.SnapshotPoint;
import dev.cairn.server.storage.EngineConfig;
import dev.cairn.server.storage.PartitionFolder;
import dev.cairn.server.storage.PartitionIdentity;
import dev.cairn.server.storage.StorageEngine;
import dev.cairn.state.RequestId;
import dev.cairn.state.RequestIds;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RequestIdsTest {
  private static final PartitionIdentity IDENTITY = new PartitionIdentity("c".repeat(40), 3, 1);
  private static final RequestIds.Bounds SMALL = new RequestIds.Bounds(1_000, 4, 1 << 20, 64 << 10);

  private final KeyMetrics keys = KeyMetrics.of(new Metrics());

  @TempDir Path temp;

  private final StorageEngine engine =
      StorageEngine.open(EngineConfig.DEFAULT, damage -> {}, new Metrics());
  private final List<BatchReply> replies = new ArrayList<>();
  private PartitionFolder folder;
  private PartitionStateMachine machine;
  private long index;

  private void open(String name, RequestIds.Bounds bounds) {
    folder = PartitionFolder.open(engine, temp.resolve(name), IDENTITY);
    machine = new PartitionStateMachine(folder, bounds, keys);
  }

  @AfterEach
  void close() {
    if (folder != null) {
      folder.close();
    }
    engine.close();
  }

  /** Applies one entry, and says what its requests were answered. */
  private List<List<Result>> apply(long timeMillis, Request... requests) throws IOException {
    pend(timeMillis, requests);
    machine.flushBatch();
    return ((BatchReply.Done) replies.get(replies.size() - 1)).results();
  }

  private void pend(long timeMillis, Request... requests) throws IOException {
    byte[] data = EntryCodec.encode(new EntryCodec.Entry(timeMillis, List.of(requests)));
    InFlight waiting =
        new InFlight(
            List.of(new InFlight.WaitingBatch(List.of(requests), 0, 0, replies::add)),
            0,
            Long.MAX_VALUE,
            (self, end) -> {});
    machine.apply(new Entry(++index, 1, data, Optional.empty()), Optional.of(waiting));
  }

  private static Request append(long sequence, long issuedAtMillis) {
    return request(
        sequence, issuedAtMillis, new ValueOperation.Append(bytes("key"), bytes("x"), 1 << 20));
  }

  private static Request request(long sequence, long issuedAtMillis, Operation operation) {
    return new Request(
        Optional.of(new RequestId(7, 8, sequence, issuedAtMillis)), List.of(operation));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }

  private static List<Result> length(long length) {
    return List.of(new Result.Int(length));
  }

  private static List<Result> notApplied(Why why) {
    return List.of(new Result.NotApplied(why));
  }

  private long stored() {
    return folder.store().get(bytes("key")).map(record -> (long) record.value().length).orElse(0L);
  }

  @Test
  void repetitionIsAnsweredAsTheFirstWasAndChangesNothing() throws IOException {
    open("p", RequestIds.Bounds.DEFAULT);
    assertThat(apply(100, append(1, 50))).containsExactly(length(1));
    assertThat(apply(100, append(2, 50))).containsExactly(length(2));
    long counter = folder.store().applied().operationCounter();
    assertThat(apply(110, append(1, 50))).containsExactly(length(1));
    assertThat(stored()).isEqualTo(2);
    assertThat(folder.store().applied().operationCounter()).isEqualTo(counter);
  }

  @Test
  void twiceInOneEntryAndInOneBatchItIsAppliedOnce() throws IOException {
    open("p", RequestIds.Bounds.DEFAULT);
    assertThat(apply(100, append(1, 50), append(1, 50), append(2, 50)))
        .containsExactly(length(1), length(1), length(2));
    pend(101, append(3, 50));
    pend(102, append(3, 50));
    machine.flushBatch();
    assertThat(stored()).isEqualTo(3);
  }

  @Test
  void otherClientsAndOtherNumbersAreOtherRequests() throws IOException {
    open("p", RequestIds.Bounds.DEFAULT);
    Operation append = new ValueOperation.Append(bytes("key"), bytes("x"), 1 << 20);
    for (RequestId id :
        List.of(new RequestId(1, 1, 1, 9), new RequestId(1, 2, 1, 9), new RequestId(2, 1, 1, 9))) {
      apply(100, new Request(Optional.of(id), List.of(append)));
    }
    assertThat(stored()).isEqualTo(3);
  }

  @Test
  void idsOutliveARestart() throws IOException {
    open("p", SMALL);
    apply(100, append(1, 50), append(2, 50));
    machine.save(new SnapshotPoint(index, 1, List.of(), List.of(), List.of()));
    folder.close();
    open("p", SMALL);
    assertThat(apply(110, append(2, 50), append(3, 50))).containsExactly(length(2), length(3));
    apply(111, append(4, 60));
    apply(112, append(5, 60));
    // Five are one too many: those of the first entry went, and the count goes on where it was.
    assertThat(apply(113, append(1, 50))).containsExactly(notApplied(Why.FORGOTTEN));
    assertThat(apply(113, append(3, 50))).containsExactly(length(3));
  }

  @Test
  void idsTravelInASnapshot() throws IOException {
    open("from", RequestIds.Bounds.DEFAULT);
    apply(100, append(1, 50));
    SnapshotPoint point = new SnapshotPoint(index, 1, List.of("a:1:1"), List.of(), List.of());
    machine.save(point);
    Path checkpoint = folder.checkpoint();
    PartitionFolder to = PartitionFolder.open(engine, temp.resolve("to"), IDENTITY);
    Path incoming = to.newIncoming();
    try (var files = Files.list(checkpoint)) {
      for (Path file : files.toList()) {
        Files.copy(file, incoming.resolve(file.getFileName()));
      }
    }
    folder.deleteCheckpoint(checkpoint);
    folder.close();
    folder = to;
    machine = new PartitionStateMachine(to, RequestIds.Bounds.DEFAULT, keys);
    assertThat(machine.load(point, Optional.of(incoming), new byte[] {1})).isTrue();
    assertThat(apply(110, append(1, 50))).containsExactly(length(1));
    assertThat(stored()).isEqualTo(1);
  }

  @Test
  void olderThanTheWindowIsRefusedAsUnknownAndNeverApplied() throws IOException {
    open("p", SMALL);
    assertThat(apply(2_000, append(1, 1_000))).containsExactly(length(1));
    assertThat(apply(2_000, append(2, 999))).containsExactly(notApplied(Why.FORGOTTEN));
    assertThat(apply(3_001, append(3, 3_000))).containsExactly(length(2));
    // The first has left the window: whether it was applied cannot be told any more.
    assertThat(apply(3_001, append(1, 1_000))).containsExactly(notApplied(Why.FORGOTTEN));
    assertThat(stored()).isEqualTo(2);
  }

  @Test
  void evictedIsRefusedAsUnknownAndWhatWasIssuedLaterIsNot() throws IOException {
    open("p", SMALL);
    for (int i = 1; i <= 5; i++) {
      apply(100 + i, append(i, 100 + i));
    }
    assertThat(apply(106, append(1, 101))).containsExactly(notApplied(Why.FORGOTTEN));
    assertThat(apply(106, append(6, 101))).containsExactly(notApplied(Why.FORGOTTEN));
    assertThat(apply(106, append(2, 102))).containsExactly(length(2));
    assertThat(apply(106, append(7, 102))).containsExactly(length(6));
    assertThat(stored()).isEqualTo(6);
  }

  @Test
  void issuedLaterThanPartitionTimeIsNotApplied() throws IOException {
    open("p", RequestIds.Bounds.DEFAULT);
    assertThat(apply(100, append(1, 101))).containsExactly(notApplied(Why.EARLY));
    assertThat(stored()).isZero();
    assertThat(apply(101, append(1, 101))).containsExactly(length(1));
  }

  @Test
  void answerTooLargeToKeepIsNotGivenAgain() throws IOException {
    open("p", RequestIds.Bounds.DEFAULT);
    byte[] fits = new byte[RequestIds.Bounds.DEFAULT.answerBytesMax() - 9];
    for (byte[] value : List.of(fits, new byte[fits.length + 1])) {
      apply(100, new Request(Optional.empty(), List.of(new Operation.Put(bytes("large"), value))));
      Request take = request(value.length, 50, new Operation.Read(new Query.Get(bytes("large"))));
      apply(101, take);
      List<Result> again = apply(102, take).get(0);
      assertThat(again.get(0))
          .isInstanceOf(value == fits ? Result.Bytes.class : Result.NotApplied.class);
    }
  }

  @Test
  void withWhateverBoundsNothingIsAppliedTwice() throws IOException {
    for (long seed = 1; seed <= 20; seed++) {
      Random random = new Random(seed);
      open(
          "seed" + seed,
          new RequestIds.Bounds(1 + random.nextInt(50), 1 + random.nextInt(20), 4096, 64 << 10));
      index = 0;
      Map<Long, Integer> applied = new HashMap<>();
      long time = 1_000;
      long length = 0;
      for (int i = 0; i < 400; i++) {
        time += random.nextInt(4);
        long sequence = random.nextInt(60);
        List<Result> answer = apply(time, append(sequence, 1_000 + sequence * 10)).get(0);
        if (stored() > length) {
          length++;
          applied.merge(sequence, 1, Integer::sum);
          assertThat(answer).isEqualTo(length(length));
        }
        if (random.nextInt(40) == 0) {
          folder.close();
          open("seed" + seed, RequestIds.Bounds.DEFAULT);
        }
      }
      assertThat(applied.values()).as("seed " + seed).allMatch(times -> times == 1);
      folder.close();
    }
  }
}
