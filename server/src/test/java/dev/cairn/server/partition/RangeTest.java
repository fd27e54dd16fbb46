// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.server.operation.Condition;
import dev.cairn.server.operation.Expiry;
import dev.cairn.server.operation.Mistake;
import dev.cairn.server.operation.Operation;
import dev.cairn.server.operation.Query;
import dev.cairn.server.operation.Request;
import dev.cairn.server.operation.Result;
import dev.cairn.server.storage.KeyRange;
import dev.cairn.state.RequestIds;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Ranges of keys, as readers see them and as operations do among changes. */
class RangeTest {
  private static final long START_MILLIS = 1_000_000;

  private final TwinState state = new TwinState(RequestIds.Bounds.DEFAULT);

  @Test
  void pagesHoldWhatAMapHoldsWhateverIsFlushed() throws IOException {
    for (long seed = 1; seed <= 20; seed++) {
      Random random = new Random(seed);
      NavigableMap<byte[], String> model = new TreeMap<>(Arrays::compareUnsigned);
      apply(START_MILLIS, new Operation.Clear());
      for (int round = 0; round < 6; round++) {
        List<Operation> operations = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
          operations.add(change(random, model));
        }
        KeyRange range = range(random);
        int keysMax = 1 + random.nextInt(9);
        List<String> expected = within(model, range);
        // Among changes, then after them, all in memory or not.
        List<Result> results = apply(START_MILLIS, operations, paged(model, range, keysMax));
        if (random.nextInt(3) == 0) {
          state.flush();
        }
        String as = "seed %d, round %d".formatted(seed, round);
        assertThat(keys(results)).as(as).isEqualTo(expected);
        assertThat(keys(readAll(range, keysMax, START_MILLIS))).as(as).isEqualTo(expected);
      }
    }
  }

  @Test
  void whatHasExpiredIsLeftOutAndCountsAsWalkedOver() throws IOException {
    apply(
        START_MILLIS,
        expiring("a", 10),
        expiring("b", 1_000),
        new Operation.Put(utf8("c"), utf8("v")));
    assertThat(keys(readAll(KeyRange.ALL, 1, START_MILLIS))).containsExactly("a", "b", "c");
    apply(START_MILLIS + 10, new Operation.Delete(utf8("other")));
    assertThat(keys(readAll(KeyRange.ALL, 1, START_MILLIS + 10))).containsExactly("b", "c");
    assertThat(page(KeyRange.ALL, 9, START_MILLIS + 2_000))
        .as("b is over by the clock and not by the log: log the time first")
        .isEmpty();
  }

  @Test
  void aPageIsBoundedByBytesAndTellsRecords() throws IOException {
    apply(START_MILLIS, expiring("a", 10), new Operation.Put(utf8("b"), new byte[100]));
    Query.Range query = new Query.Range(KeyRange.ALL, 10, 60, true);
    Result.Many page = (Result.Many) answer(query, START_MILLIS).orElseThrow();
    assertThat(page.results().get(0)).isInstanceOf(Result.Bytes.class);
    assertThat(page.results()).hasSize(2);
    List<Result> entry = ((Result.Many) page.results().get(1)).results();
    assertThat(((Result.Bytes) entry.get(0)).value()).isEqualTo(utf8("a"));
    assertThat(entry.get(1)).isInstanceOf(Result.Int.class);
    assertThat(entry.get(2)).isEqualTo(new Result.Int(START_MILLIS + 10));
    assertThat(((Result.Bytes) entry.get(3)).value()).isEqualTo(utf8("v"));
  }

  @Test
  void whatOneRequestGathersIsBounded() throws IOException {
    int part = (int) Query.ANSWER_BYTES_MAX / 4;
    int around = (int) Query.AROUND_VALUES_BYTES_MAX - 16; // each result's own are 16
    List<Operation> operations = new ArrayList<>();
    List<Query> queries = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      int length = part + around + (i == 4 ? 1 : 0);
      operations.add(new Operation.Put(utf8("key" + i), new byte[length]));
      queries.add(new Query.Get(utf8("key" + i)));
    }
    apply(START_MILLIS, operations.toArray(new Operation[0]));
    List<List<Result>> results = readAtOnce(List.of(queries.subList(0, 4)));
    assertThat(results.get(0)).hasSize(4).allMatch(Result.Bytes.class::isInstance);
    assertThat(readAtOnce(List.of(queries.subList(1, 5))).get(0))
        .containsExactly(new Result.Failed(Mistake.READ_TOO_LARGE));
  }

  /** REST's batches: as many reads as one may have, each with as much as it may answer. */
  @Test
  void theLargestBatchOfReadsIsNotTooMuch() throws IOException {
    apply(START_MILLIS, new Operation.Put(utf8("key"), new byte[1 << 20]));
    List<Query> queries = Collections.nCopies(32, new Query.Fetch(utf8("key"), 0, (1 << 20) - 1L));
    assertThat(readAtOnce(List.of(queries)).get(0))
        .hasSize(32)
        .allMatch(Result.Many.class::isInstance);
  }

  private List<List<Result>> readAtOnce(List<List<Query>> requests) {
    BatchReply reply = state.answer(requests, START_MILLIS).orElseThrow();
    return ((BatchReply.Done) reply).results();
  }

  @Test
  void aLongWalkOverExpiredKeysEndsAndGoesOn() throws IOException {
    List<Operation> operations = new ArrayList<>();
    for (int i = 0; i <= Query.Range.KEYS_MAX; i++) {
      operations.add(expiring("%06d".formatted(i), 5));
    }
    operations.add(new Operation.Put(utf8("x"), utf8("v")));
    apply(START_MILLIS, operations, List.of());
    apply(START_MILLIS + 5, new Operation.Delete(utf8("other")));
    Result.Many first = (Result.Many) page(KeyRange.ALL, 5, START_MILLIS + 5).orElseThrow();
    assertThat(first.results()).hasSize(1);
    byte[] next = ((Result.Bytes) first.results().get(0)).value();
    assertThat(next).isEqualTo(utf8("%06d".formatted(Query.Range.KEYS_MAX)));
    assertThat(keys(readAll(KeyRange.ALL, 5, START_MILLIS + 5))).containsExactly("x");
  }

  @Test
  void aPrefixIsARange() {
    assertThat(KeyRange.prefix(utf8("ab"))).isEqualTo(new KeyRange(utf8("ab"), utf8("ac")));
    byte[] high = {1, (byte) 0xff, (byte) 0xff};
    assertThat(KeyRange.prefix(high)).isEqualTo(new KeyRange(high, new byte[] {2}));
    byte[] highest = {(byte) 0xff};
    assertThat(KeyRange.prefix(highest)).isEqualTo(new KeyRange(highest, new byte[0]));
    assertThat(KeyRange.prefix(new byte[0])).isEqualTo(KeyRange.ALL);
    assertThat(KeyRange.prefix(high).contains(new byte[] {1, (byte) 0xff, (byte) 0xff, 0}))
        .isTrue();
    assertThat(KeyRange.prefix(high).contains(new byte[] {2})).isFalse();
    assertThat(KeyRange.prefix(utf8("a")).after(utf8("ab")).contains(utf8("ab"))).isFalse();
    assertThat(KeyRange.prefix(utf8("b")).startingAt(utf8("a")).from()).isEqualTo(utf8("b"));
  }

  private Operation change(Random random, NavigableMap<byte[], String> model) {
    byte[] key = new byte[1 + random.nextInt(2)];
    for (int i = 0; i < key.length; i++) {
      key[i] = (byte) (random.nextBoolean() ? random.nextInt(8) : -random.nextInt(8));
    }
    if (random.nextInt(100) == 0) {
      model.clear();
      return new Operation.Clear();
    }
    if (random.nextInt(4) == 0) {
      model.remove(key);
      return new Operation.Delete(key);
    }
    model.put(key, "v");
    return new Operation.Put(key, utf8("v"));
  }

  private static KeyRange range(Random random) {
    return switch (random.nextInt(3)) {
      case 0 -> KeyRange.ALL;
      case 1 -> KeyRange.prefix(new byte[] {(byte) -random.nextInt(8)});
      default -> KeyRange.ALL.startingAt(new byte[] {(byte) random.nextInt(256)});
    };
  }

  private static List<String> within(NavigableMap<byte[], String> model, KeyRange range) {
    return model.keySet().stream().filter(range::contains).map(RangeTest::text).toList();
  }

  /** The queries whose answers, joined, are the range: where each begins is known beforehand. */
  private static List<Operation> paged(
      NavigableMap<byte[], String> model, KeyRange range, int keysMax) {
    List<byte[]> keys = model.keySet().stream().filter(range::contains).toList();
    List<Operation> pages = new ArrayList<>();
    for (int i = 0; i == 0 || i < keys.size(); i += keysMax) {
      KeyRange rest = i == 0 ? range : range.startingAt(keys.get(i));
      pages.add(new Operation.Read(query(rest, keysMax)));
    }
    return pages;
  }

  private List<Result> readAll(KeyRange range, int keysMax, long nowMillis) {
    List<Result> pages = new ArrayList<>();
    Optional<KeyRange> rest = Optional.of(range);
    while (rest.isPresent()) {
      Result.Many page = (Result.Many) page(rest.get(), keysMax, nowMillis).orElseThrow();
      assertThat(page.results()).hasSizeLessThanOrEqualTo(1 + keysMax);
      pages.add(page);
      rest =
          page.results().get(0) instanceof Result.Bytes next
              ? Optional.of(range.startingAt(next.value()))
              : Optional.empty();
    }
    return pages;
  }

  private Optional<Result> page(KeyRange range, int keysMax, long nowMillis) {
    return answer(query(range, keysMax), nowMillis);
  }

  private Optional<Result> answer(Query query, long nowMillis) {
    return state
        .answer(List.of(List.of(query)), nowMillis)
        .map(reply -> ((BatchReply.Done) reply).results().get(0).get(0));
  }

  private static Query.Range query(KeyRange range, int keysMax) {
    return new Query.Range(range, keysMax, Query.Range.BYTES_MAX, false);
  }

  private static List<String> keys(List<Result> pages) {
    return pages.stream()
        .flatMap(page -> ((Result.Many) page).results().stream().skip(1))
        .map(key -> text(((Result.Bytes) key).value()))
        .toList();
  }

  private void apply(long millis, Operation... operations) throws IOException {
    apply(millis, List.of(operations), List.of());
  }

  /** One entry: changes, then reads; the results of the reads. */
  private List<Result> apply(long millis, List<Operation> changes, List<Operation> reads)
      throws IOException {
    List<Operation> all = new ArrayList<>(changes);
    all.addAll(reads);
    Request request = new Request(Optional.empty(), all);
    List<Result> results = state.apply(millis, request).get(0);
    return results.subList(changes.size(), results.size());
  }

  private static Operation expiring(String key, long millis) {
    return new Operation.Put(
        utf8(key), utf8("v"), new Expiry(Expiry.Kind.AFTER, millis), Condition.ALWAYS, false);
  }

  private static String text(byte[] key) {
    return new String(key, ISO_8859_1);
  }

  private static byte[] utf8(String text) {
    return text.getBytes(UTF_8);
  }
}
