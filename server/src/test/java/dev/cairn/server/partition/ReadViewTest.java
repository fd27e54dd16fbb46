// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cairn.server.operation.Operation;
import dev.cairn.server.operation.Query;
import dev.cairn.server.operation.Request;
import dev.cairn.server.operation.Result;
import dev.cairn.server.operation.ValueQuery;
import dev.cairn.server.storage.KeyRange;
import dev.cairn.server.value.Bits;
import dev.cairn.state.RequestIds;
import dev.cairn.state.ValueRecord;
import java.io.IOException;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is answered on an event loop, and what is left to threads that may take their time. */
class ReadViewTest {
  private static final byte[] LARGE = "large".getBytes(UTF_8);
  private static final byte[] LITTLE = "little".getBytes(UTF_8);
  private static final int LARGE_BYTES = 100_000;

  private final TwinState state = new TwinState(RequestIds.Bounds.DEFAULT);

  @BeforeEach
  void put() throws IOException {
    state.apply(1, put(LARGE, LARGE_BYTES), put(LITTLE, 10));
  }

  private static Request put(byte[] key, int bytes) {
    return new Request(Optional.empty(), List.of(new Operation.Put(key, new byte[bytes])));
  }

  @Test
  void whatIsInMemoryIsAnswered() {
    assertThat(fromMemory(2, new Query.Get(LARGE))).isPresent();
    assertThat(fromMemory(100, new Query.Get(LITTLE))).isPresent();
    assertThat(fromMemory(100, new Query.Count())).isPresent();
  }

  @Test
  void whatOnlyTheDiskKnowsIsLeft() {
    state.flush();
    assertThat(fromMemory(1, new Query.Get(LITTLE))).isEmpty();
    assertThat(fromMemory(1, new Query.Get("none".getBytes(UTF_8)))).isEmpty();
    assertThat(state.answer(List.of(List.of(new Query.Get(LITTLE))), 1)).isPresent();
  }

  /** Of one that failed midway, say: the replica stops, and whoever asks is refused. */
  @Test
  void halfAnEntryIsNotSeen() {
    state.state().begin(2, 1, 1);
    state.state().put(LITTLE, new byte[5], ValueRecord.NEVER);
    assertThatThrownBy(() -> fromMemory(1, new Query.Get(LITTLE)))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> state.state().look(LITTLE)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> state.answer(List.of(), 1)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void rangesAreLeft() {
    assertThat(fromMemory(1, new Query.Range(KeyRange.ALL, 1, 100, false))).isEmpty();
  }

  @Test
  void whatWouldReadMuchIsLeftHoweverLittleIsAnswered() {
    int tooMany = (int) (ReadView.MEMORY_BYTES_MAX / LARGE_BYTES) + 1;
    assertThat(fromMemory(tooMany, new Query.Get(LARGE))).isEmpty();
    assertThat(fromMemory(tooMany, new ValueQuery.BitCount(LARGE, Bits.Span.WHOLE))).isEmpty();
  }

  @Test
  void manyRequestsAreLeft() {
    assertThat(fromMemory(ReadView.MEMORY_REQUESTS_MAX, new Query.Get(LITTLE))).isPresent();
    assertThat(fromMemory(ReadView.MEMORY_REQUESTS_MAX + 1, new Query.Get(LITTLE))).isEmpty();
  }

  @Test
  void severalKeysAtOnceAreAnswered() {
    List<List<Query>> pair = List.of(List.of(new Query.Get(LITTLE), new Query.Get(LARGE)));
    BatchReply.Done done = (BatchReply.Done) state.answerFromMemory(pair, 1).orElseThrow();
    assertThat(done.results().get(0)).hasSize(2).allMatch(Result.Bytes.class::isInstance);
    assertThat(done.index()).isEqualTo(1);
  }

  private Optional<BatchReply> fromMemory(int times, Query query) {
    List<List<Query>> requests = Collections.nCopies(times, List.of(query));
    Optional<BatchReply> reply = state.answerFromMemory(requests, 1);
    reply.ifPresent(
        done -> assertThat(((BatchReply.Done) done).results()).as("all of them").hasSize(times));
    return reply;
  }
}
