// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.operation.Query;
import dev.cairn.server.operation.ValueQuery;
import dev.cairn.server.storage.AppliedRow;
import dev.cairn.server.storage.EngineConfig;
import dev.cairn.server.storage.PartitionFolder;
import dev.cairn.server.storage.PartitionIdentity;
import dev.cairn.server.storage.StorageEngine;
import dev.cairn.server.storage.Writes;
import dev.cairn.server.value.Bits;
import dev.cairn.state.ValueRecord;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is answered on an event loop, and what is left to threads that may take their time. */
class ReadViewTest {
  private static final byte[] LARGE = "large".getBytes(UTF_8);
  private static final byte[] LITTLE = "little".getBytes(UTF_8);
  private static final int LARGE_BYTES = 100_000;

  private final KeyMetrics keys = KeyMetrics.of(new Metrics());

  @TempDir Path temp;

  private final StorageEngine engine =
      StorageEngine.open(EngineConfig.DEFAULT, damage -> {}, new Metrics());
  private PartitionFolder folder;

  @BeforeEach
  void open() {
    folder =
        PartitionFolder.open(
            engine, temp.resolve("p"), new PartitionIdentity("c".repeat(40), 3, 1));
    Writes writes = new Writes();
    writes.put(LARGE, new ValueRecord(1, ValueRecord.NEVER, new byte[LARGE_BYTES]));
    writes.put(LITTLE, new ValueRecord(2, ValueRecord.NEVER, new byte[10]));
    folder.store().apply(writes, new AppliedRow(1, 1, 2, 2, 1, List.of(), List.of(), List.of()));
  }

  @AfterEach
  void close() {
    folder.close();
    engine.close();
  }

  @Test
  void whatIsInMemoryIsAnswered() {
    assertThat(fromMemory(2, new Query.Get(LARGE))).isPresent();
    assertThat(fromMemory(100, new Query.Get(LITTLE))).isPresent();
    assertThat(fromMemory(100, new Query.Get("none".getBytes(UTF_8)))).isPresent();
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
  void severalKeysAtOnceAreLeft() {
    List<List<Query>> pair = List.of(List.of(new Query.Get(LITTLE), new Query.Get(LARGE)));
    Optional<BatchReply> reply =
        folder.read(store -> ReadView.answerFromMemory(store, pair, 1, keys));
    assertThat(reply).isEmpty();
  }

  private Optional<BatchReply> fromMemory(int times, Query query) {
    List<List<Query>> requests = Collections.nCopies(times, List.of(query));
    Optional<BatchReply> reply =
        folder.read(store -> ReadView.answerFromMemory(store, requests, 1, keys));
    reply.ifPresent(
        done -> assertThat(((BatchReply.Done) done).results()).as("all of them").hasSize(times));
    return reply;
  }
}
