// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.server.operation.EntryCodec;
import dev.cairn.server.operation.Operation;
import dev.cairn.server.operation.Query;
import dev.cairn.server.operation.Request;
import dev.cairn.server.operation.Result;
import dev.cairn.server.operation.Result.NotApplied.Why;
import dev.cairn.server.operation.ValueOperation;
import dev.cairn.state.Database;
import dev.cairn.state.RequestId;
import dev.cairn.state.RequestIds;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RequestIdsTest {
  private static final RequestIds.Bounds SMALL = new RequestIds.Bounds(1_000, 4, 1 << 20, 64 << 10);

  private TwinState state;

  private void open(RequestIds.Bounds bounds) {
    state = new TwinState(bounds);
  }

  /** Applies one entry, and says what its requests were answered. */
  private List<List<Result>> apply(long timeMillis, Request... requests) throws IOException {
    return state.apply(timeMillis, requests);
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
    return state
        .state()
        .stored(bytes("key"))
        .map(record -> (long) record.value().length)
        .orElse(0L);
  }

  @Test
  void repetitionIsAnsweredAsTheFirstWasAndChangesNothing() throws IOException {
    open(RequestIds.Bounds.DEFAULT);
    assertThat(apply(100, append(1, 50))).containsExactly(length(1));
    assertThat(apply(100, append(2, 50))).containsExactly(length(2));
    long counter = state.state().applied().counter();
    assertThat(apply(110, append(1, 50))).containsExactly(length(1));
    assertThat(stored()).isEqualTo(2);
    assertThat(state.state().applied().counter()).isEqualTo(counter);
  }

  @Test
  void twiceInOneEntryAndInOneBatchItIsAppliedOnce() throws IOException {
    open(RequestIds.Bounds.DEFAULT);
    assertThat(apply(100, append(1, 50), append(1, 50), append(2, 50)))
        .containsExactly(length(1), length(1), length(2));
    state.apply(
        List.of(
            new EntryCodec.Entry(101, List.of(append(3, 50))),
            new EntryCodec.Entry(102, List.of(append(3, 50)))));
    assertThat(stored()).isEqualTo(3);
  }

  @Test
  void otherClientsAndOtherNumbersAreOtherRequests() throws IOException {
    open(RequestIds.Bounds.DEFAULT);
    Operation append = new ValueOperation.Append(bytes("key"), bytes("x"), 1 << 20);
    for (RequestId id :
        List.of(new RequestId(1, 1, 1, 9), new RequestId(1, 2, 1, 9), new RequestId(2, 1, 1, 9))) {
      apply(100, new Request(Optional.of(id), List.of(append)));
    }
    assertThat(stored()).isEqualTo(3);
  }

  @Test
  void idsOutliveARestart() throws IOException {
    open(SMALL);
    apply(100, append(1, 50), append(2, 50));
    state.restart(SMALL);
    assertThat(apply(110, append(2, 50), append(3, 50))).containsExactly(length(2), length(3));
    apply(111, append(4, 60));
    apply(112, append(5, 60));
    // Five are one too many: those of the first entry went, and the count goes on where it was.
    assertThat(apply(113, append(1, 50))).containsExactly(notApplied(Why.FORGOTTEN));
    assertThat(apply(113, append(3, 50))).containsExactly(length(3));
  }

  @Test
  void idsTravelInACopy() throws IOException {
    open(RequestIds.Bounds.DEFAULT);
    apply(100, append(1, 50));
    Database.Copy copy = state.copy();
    open(RequestIds.Bounds.DEFAULT);
    state.install(copy);
    assertThat(apply(110, append(1, 50))).containsExactly(length(1));
    assertThat(stored()).isEqualTo(1);
  }

  @Test
  void olderThanTheWindowIsRefusedAsUnknownAndNeverApplied() throws IOException {
    open(SMALL);
    assertThat(apply(2_000, append(1, 1_000))).containsExactly(length(1));
    assertThat(apply(2_000, append(2, 999))).containsExactly(notApplied(Why.FORGOTTEN));
    assertThat(apply(3_001, append(3, 3_000))).containsExactly(length(2));
    // The first has left the window: whether it was applied cannot be told any more.
    assertThat(apply(3_001, append(1, 1_000))).containsExactly(notApplied(Why.FORGOTTEN));
    assertThat(stored()).isEqualTo(2);
  }

  @Test
  void evictedIsRefusedAsUnknownAndWhatWasIssuedLaterIsNot() throws IOException {
    open(SMALL);
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
    open(RequestIds.Bounds.DEFAULT);
    assertThat(apply(100, append(1, 101))).containsExactly(notApplied(Why.EARLY));
    assertThat(stored()).isZero();
    assertThat(apply(101, append(1, 101))).containsExactly(length(1));
  }

  @Test
  void answerTooLargeToKeepIsNotGivenAgain() throws IOException {
    open(RequestIds.Bounds.DEFAULT);
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
      open(new RequestIds.Bounds(1 + random.nextInt(50), 1 + random.nextInt(20), 4096, 64 << 10));
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
          state.restart(RequestIds.Bounds.DEFAULT);
        }
      }
      assertThat(applied.values()).as("seed " + seed).allMatch(times -> times == 1);
    }
  }
}
