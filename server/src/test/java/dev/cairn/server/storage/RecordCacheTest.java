// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.storage;

import static dev.cairn.server.storage.Changes.row;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cairn.state.Applied;
import dev.cairn.state.Database.Batch;
import dev.cairn.state.Database.Live;
import dev.cairn.state.ValueRecord;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class RecordCacheTest {
  private static final int SMALL_BYTES = 9 << 10; // a ring of 8 KiB, entries up to 1 KiB
  private static final int FIRST_BYTES_MAX = 72 << 10;
  private static final byte[] KEY = row("key");
  private static final int KEY_BYTES_MAX = 128 << 10; // twice what a client may send

  private final LongAdder hits = new LongAdder();
  private final LongAdder misses = new LongAdder();

  @Test
  void whatWasWrittenIsKnownAndLooksAreCounted() {
    RecordCache cache = cache(SMALL_BYTES);
    assertThat(cache.look(KEY)).isNull();
    write(cache, KEY, record(1, 10));
    assertKnown(cache, KEY, record(1, 10));
    ValueRecord expires = new ValueRecord(2, 17, new byte[0]);
    write(cache, KEY, expires);
    assertKnown(cache, KEY, expires);
    assertThat(hits.sum()).isEqualTo(2);
    assertThat(misses.sum()).isEqualTo(1);
  }

  @Test
  void whatWasReadIsKnownAndThatNothingStandsThereToo() {
    RecordCache cache = cache(SMALL_BYTES);
    offer(cache, KEY, Optional.of(record(1, 10)));
    assertKnown(cache, KEY, record(1, 10));
    byte[] none = row("none");
    offer(cache, none, Optional.empty());
    assertNothingStandsAt(cache, none);
    delete(cache, KEY);
    assertNothingStandsAt(cache, KEY);
    write(cache, none, record(2, 3));
    assertKnown(cache, none, record(2, 3));
  }

  @Test
  void emptyKeyIsAKey() {
    RecordCache cache = cache(SMALL_BYTES);
    offer(cache, row(""), Optional.empty());
    assertNothingStandsAt(cache, row(""));
    write(cache, row(""), record(1, 0));
    assertKnown(cache, row(""), record(1, 0));
  }

  /** A ring of 8 KiB has a table of 16 buckets: most of these keys share theirs. */
  @Test
  void keysOfOneBucketAreToldApart() {
    RecordCache cache = cache(SMALL_BYTES);
    int known = 0;
    for (int i = 0; i < 2_000; i++) {
      write(cache, row("key-%05d".formatted(i)), record(i, 4));
      byte[] other = cache.look(row("key-%05d".formatted(10_000 + i)));
      assertThat(other).as("never written").isNull();
      for (int before = Math.max(0, i - 20); before <= i; before++) {
        byte[] look = cache.look(row("key-%05d".formatted(before)));
        if (look != null) {
          known++;
          assertThat(ValueRecord.decode(look)).isEqualTo(record(before, 4));
        }
      }
    }
    assertThat(known).as("of 42,000").isGreaterThan(36_000);
  }

  @Test
  void oldestGoesWhenTheRingIsFull() {
    RecordCache cache = cache(SMALL_BYTES);
    for (int i = 0; i < 1_000; i++) { // about a dozen times around, entries of odd sizes
      write(cache, row("key-" + i), record(i, 90 + i % 7));
      assertKnown(cache, row("key-" + i), record(i, 90 + i % 7));
      if (i >= 100) {
        assertThat(cache.look(row("key-" + (i - 100)))).isNull();
      }
    }
    assertThat(cache.bytes()).isLessThanOrEqualTo(SMALL_BYTES);
  }

  /** The bytes of a value may be anything, also an entry where one began a round before. */
  @Test
  void whatLooksLikeAnEntryInsideAValueIsNone() {
    RecordCache cache = cache(SMALL_BYTES);
    byte[] filler = row("filler");
    int valueAt = 8 + filler.length + 9;
    write(cache, filler, record(1, 100));
    int keyAt = 1 + valueAt + 100; // the ring begins with 1, and with 0 when it is written again
    write(cache, KEY, record(1, 1));
    for (int i = 0; i < 7; i++) {
      write(cache, row("more-" + i), record(1, 980));
    }
    assertKnown(cache, KEY, record(1, 1));
    byte[] value = new byte[980];
    ByteBuffer.wrap(value, keyAt - valueAt, 100)
        .order(ByteOrder.nativeOrder())
        .putInt(KEY.length)
        .putShort((short) 10)
        .putShort((short) 10)
        .put(KEY)
        .put(record(99, 1).encode());
    write(
        cache, filler, new ValueRecord(2, ValueRecord.NEVER, value)); // the bit of room at the end
    write(
        cache, row("fillet"), new ValueRecord(3, ValueRecord.NEVER, value)); // the beginning again
    assertThat(cache.look(KEY)).isNull();
  }

  @Test
  void growsWithWhatItHoldsUpToItsBound() {
    int bytesMax = 1_000_000; // no power of two
    RecordCache cache = cache(bytesMax);
    long before = cache.bytes();
    assertThat(before).isLessThanOrEqualTo(FIRST_BYTES_MAX);
    for (int i = 0; i < 500; i++) {
      write(cache, row("key-" + i), record(i, 200));
    }
    assertThat(cache.bytes()).isGreaterThan(before).isLessThan(bytesMax / 2);
    int known = 0;
    for (int i = 0; i < 500; i++) {
      byte[] look = cache.look(row("key-" + i));
      if (look != null) {
        known++;
        assertThat(ValueRecord.decode(look)).isEqualTo(record(i, 200));
      }
    }
    assertThat(known).as("but for some whose bucket was full").isGreaterThan(450);
    for (int i = 500; i < 20_000; i++) {
      write(cache, row("key-" + i), record(i, 200));
      assertKnown(cache, row("key-" + i), record(i, 200));
      assertThat(cache.bytes()).isLessThanOrEqualTo(bytesMax);
    }
    assertThat(cache.bytes()).isGreaterThan(bytesMax * 9 / 10);
  }

  /** What lies in the ring still, but was forgotten or replaced, does not come back by growth. */
  @Test
  void growthBringsNothingBack() {
    RecordCache cache = cache(1 << 20);
    write(cache, KEY, record(1, 10));
    write(cache, KEY, record(2, 10));
    byte[] failed = row("failed");
    write(cache, failed, record(1, 10));
    Batch writes = put(failed, record(2, 10));
    cache.begin(writes);
    cache.end(Optional.empty());
    long before = cache.bytes();
    for (int i = 0; cache.bytes() == before; i++) {
      write(cache, row("key-" + i), record(i, 10_000));
    }
    assertKnown(cache, KEY, record(2, 10));
    assertThat(cache.look(failed)).isNull();
  }

  @Test
  void longEntryIsNotKeptAndItsKeyForgotten() {
    RecordCache small = cache(SMALL_BYTES);
    assertBound(small, (8 << 10) / 8);
    RecordCache large = cache(4 << 20);
    assertBound(large, RecordCache.ENTRY_BYTES_MAX);
    byte[] longKey = row(new byte[KEY_BYTES_MAX]);
    offer(large, longKey, Optional.empty());
    assertThat(large.look(longKey)).isNull();
  }

  private static void assertBound(RecordCache cache, int entryBytesMax) {
    int valueBytesMax = entryBytesMax - 8 - KEY.length - 9;
    write(cache, KEY, record(1, valueBytesMax));
    assertKnown(cache, KEY, record(1, valueBytesMax));
    write(cache, KEY, record(2, valueBytesMax + 1));
    assertThat(cache.look(KEY)).isNull();
    offer(cache, KEY, Optional.of(record(2, valueBytesMax + 1)));
    assertThat(cache.look(KEY)).isNull();
  }

  @Test
  void clearForgetsAllButWhatIsPutAfterIt() {
    RecordCache cache = cache(SMALL_BYTES);
    write(cache, KEY, record(1, 10));
    write(cache, row("other"), record(1, 10));
    Batch writes =
        new Changes().clear().putRow(row("other"), record(2, 10).encode()).batch(Applied.NONE);
    cache.begin(writes);
    assertThat(cache.look(KEY)).isNull();
    assertThat(cache.look(row("other"))).isNull();
    cache.end(Optional.of(writes));
    assertThat(cache.look(KEY)).isNull();
    assertKnown(cache, row("other"), record(2, 10));
  }

  @Test
  void withoutRoomNothingIsKept() {
    RecordCache off = cache(0);
    write(off, KEY, record(1, 10));
    offer(off, KEY, Optional.empty());
    assertThat(off.look(KEY)).isNull();
    RecordCache closed = cache(1 << 20);
    write(closed, KEY, record(1, 10));
    closed.close();
    assertThat(closed.look(KEY)).isNull();
    write(closed, KEY, record(2, 10));
    assertThat(closed.look(KEY)).isNull();
    assertThat(closed.bytes()).isLessThan(100);
  }

  // ---- The protocol ----

  @Test
  void nothingIsKnownOfAKeyWhileItChanges() {
    RecordCache cache = cache(SMALL_BYTES);
    write(cache, KEY, record(1, 10));
    write(cache, row("other"), record(1, 10));
    Batch writes = put(KEY, record(2, 10));
    cache.begin(writes);
    assertThat(cache.look(KEY)).isNull();
    assertKnown(cache, row("other"), record(1, 10));
    cache.end(Optional.of(writes));
    assertKnown(cache, KEY, record(2, 10));
  }

  @Test
  void whatWasReadBeforeAWriteIsNotTakenAfterItBegan() {
    RecordCache cache = cache(SMALL_BYTES);
    long before = cache.stamp();
    Batch writes = put(KEY, record(2, 2_000)); // too long: it is not known afterwards either
    cache.begin(writes);
    cache.offer(KEY, record(1, 10).encode(), before);
    assertThat(cache.look(KEY)).isNull();
    cache.end(Optional.of(writes));
    cache.offer(KEY, record(1, 10).encode(), before);
    assertThat(cache.look(KEY)).isNull();
  }

  @Test
  void whatWasReadWhileAWriteRanIsNeverTaken() {
    RecordCache cache = cache(SMALL_BYTES);
    Batch writes = put(KEY, record(2, 2_000));
    cache.begin(writes);
    long during = cache.stamp();
    cache.offer(KEY, record(1, 10).encode(), during);
    assertThat(cache.look(KEY)).isNull();
    cache.end(Optional.of(writes));
    cache.offer(KEY, record(1, 10).encode(), during);
    assertThat(cache.look(KEY)).isNull();
    offer(cache, KEY, Optional.of(record(2, 10)));
    assertKnown(cache, KEY, record(2, 10));
  }

  @Test
  void keyThatTwoReadersOfferIsForgottenWhole() {
    RecordCache cache = cache(SMALL_BYTES);
    long one = cache.stamp();
    long other = cache.stamp();
    cache.offer(KEY, record(1, 10).encode(), one);
    cache.offer(KEY, record(1, 10).encode(), other);
    assertKnown(cache, KEY, record(1, 10));
    cache.begin(put(KEY, record(2, 10)));
    assertThat(cache.look(KEY)).isNull();
  }

  @Test
  void writeThatFailedLeavesItsKeysForgottenAndTheCacheOn() {
    RecordCache cache = cache(SMALL_BYTES);
    write(cache, KEY, record(1, 10));
    cache.begin(put(KEY, record(2, 10)));
    cache.end(Optional.empty());
    assertThat(cache.look(KEY)).isNull();
    offer(cache, KEY, Optional.of(record(1, 10)));
    assertKnown(cache, KEY, record(1, 10));
  }

  @Test
  void writeWhoseEndNeverCameLeavesTheCacheOffUntilTheNext() {
    RecordCache cache = cache(SMALL_BYTES);
    cache.begin(put(KEY, record(1, 10)));
    Batch next = put(KEY, record(2, 10));
    cache.begin(next);
    offer(cache, KEY, Optional.of(record(1, 10)));
    assertThat(cache.look(KEY)).isNull();
    cache.end(Optional.of(next));
    assertKnown(cache, KEY, record(2, 10));
    delete(cache, KEY);
    assertNothingStandsAt(cache, KEY);
  }

  @Test
  void goesOnWhenItsPositionsAreUsedUp() {
    RecordCache old =
        new RecordCache(SMALL_BYTES, hits, misses, RecordCache.POSITION_MASK - 4 * SMALL_BYTES);
    for (int i = 1; i <= 1_000; i++) {
      write(old, KEY, record(i, 100));
      assertKnown(old, KEY, record(i, 100));
    }
  }

  @Test
  void keyThatIsWrittenAgainPushesNoOtherOut() {
    RecordCache cache = cache(SMALL_BYTES);
    byte[] other = row("other");
    write(cache, other, record(1, 100));
    write(cache, KEY, record(1, 100));
    for (int i = 2; i <= 1_000; i++) {
      int valueBytes = i % 101; // as long as the first one, or shorter
      write(cache, KEY, record(i, valueBytes));
      assertKnown(cache, KEY, record(i, valueBytes));
      delete(cache, KEY);
      assertNothingStandsAt(cache, KEY);
    }
    assertKnown(cache, other, record(1, 100));
  }

  @Test
  void keepsNearlyAllThatFitsIntoTheRing() {
    RecordCache cache = cache(4 << 20);
    int entry = 8 + "key:00000".length() + record(1, 100).encodedBytes();
    int keys = (int) ((4L << 20) * 8 / 9 * 9 / 10 / entry);
    for (int i = 0; i < keys; i++) {
      write(cache, row("key:%05d".formatted(i)), record(i, 100));
    }
    int known = 0;
    for (int i = 0; i < keys; i++) {
      known += cache.look(row("key:%05d".formatted(i))) != null ? 1 : 0;
    }
    assertThat(known).isGreaterThan(keys * 95 / 100);
  }

  /** The ninth key of a bucket must not push out keys of others, that push out others again. */
  @Test
  void keysOfFullBucketsPushOnlyEachOtherOut() {
    RecordCache cache = cache(4 << 20);
    int entry = 8 + "key:00000".length() + record(1, 100).encodedBytes();
    int keys = (int) ((4L << 20) * 8 / 9 * 9 / 10 / entry);
    Random random = new Random(4712);
    for (int i = 0; i < 2 * keys; i++) {
      write(cache, row("key:%05d".formatted(i % keys)), record(i, 100));
    }
    for (int i = 0; i < 30 * keys; i++) {
      if (i == 20 * keys) { // the ring is full by then, and has settled
        misses.reset();
      }
      int key = random.nextInt(keys);
      byte[] bytes = row("key:%05d".formatted(key));
      if (cache.look(bytes) == null) {
        cache.offer(bytes, record(key, 100).encode(), cache.stamp());
      }
    }
    assertThat(misses.sum()).isLessThan(10L * keys / 100);
  }

  /** An entry keeps all of its room, whosever it was first. */
  @Test
  void keyThatTookAnothersPlaceHasItsRoom() {
    RecordCache cache = cache(SMALL_BYTES);
    int keys = 600; // 16 buckets of eight places
    for (int i = 0; i < keys; i++) {
      write(cache, row("long-%03d".formatted(i)), record(i, 30));
    }
    for (int i = 0; i < keys; i++) { // in their places, which they fill in part
      write(cache, row("shrt-%03d".formatted(i)), record(i, 1));
    }
    List<Integer> known = new ArrayList<>();
    for (int i = 0; i < keys; i++) {
      if (cache.look(row("shrt-%03d".formatted(i))) != null) {
        known.add(i);
      }
    }
    assertThat(known).hasSizeGreaterThan(100);
    for (int i : known) { // whom none that grew before has pushed out
      assertKnown(cache, row("shrt-%03d".formatted(i)), record(i, 1));
      write(cache, row("shrt-%03d".formatted(i)), record(i, 30));
    }
    for (int i : known) {
      assertKnown(cache, row("shrt-%03d".formatted(i)), record(i, 30));
    }
  }

  /** May know nothing, but is never wrong. */
  @Property(tries = 200)
  void knowsNothingElseThanADatabaseWould(@ForAll long seed) {
    Random random = new Random(seed);
    int bytesMax = random.nextBoolean() ? 2_000 + random.nextInt(20_000) : 300_000;
    RecordCache cache =
        random.nextBoolean()
            ? cache(bytesMax)
            : new RecordCache(
                bytesMax, hits, misses, RecordCache.POSITION_MASK - random.nextInt(1_000_000));
    int keys = 1 + random.nextInt(300);
    int valueBytesMax = 1 + random.nextInt(1_000);
    Map<String, ValueRecord> database = new HashMap<>();
    for (int step = 1; step <= 2_000; step++) {
      String key = "k".repeat(random.nextInt(3)) + random.nextInt(keys);
      ValueRecord standing = database.get(key);
      byte[] look = cache.look(row(key));
      if (look != null) {
        assertThat(recordOf(look)).isEqualTo(Optional.ofNullable(standing));
      } else if (random.nextBoolean()) {
        cache.offer(row(key), standing == null ? null : standing.encode(), cache.stamp());
      }
      if (random.nextInt(3) == 0) {
        randomWrite(random, keys, valueBytesMax, step, cache, database);
      }
    }
  }

  private static void randomWrite(
      Random random,
      int keys,
      int valueBytesMax,
      int step,
      RecordCache cache,
      Map<String, ValueRecord> database) {
    Changes writes = new Changes();
    Map<String, ValueRecord> after = new HashMap<>(database);
    if (random.nextInt(200) == 0) {
      writes.clear();
      after.clear();
    }
    for (int i = random.nextInt(6); i > 0; i--) {
      String key = "k".repeat(random.nextInt(3)) + random.nextInt(keys);
      if (random.nextInt(4) == 0) {
        writes.delete(key);
        after.remove(key);
      } else {
        long expires = random.nextBoolean() ? ValueRecord.NEVER : random.nextInt(1_000);
        byte[] value = new byte[random.nextInt(valueBytesMax)];
        random.nextBytes(value);
        ValueRecord record = new ValueRecord(step, expires, value);
        writes.put(key, record);
        after.put(key, record);
      }
    }
    boolean fails = random.nextInt(10) == 0;
    Batch batch = writes.batch(Applied.NONE);
    cache.begin(batch);
    if (!fails) {
      database.clear();
      database.putAll(after);
    }
    cache.end(fails ? Optional.empty() : Optional.of(batch));
  }

  /**
   * Versions only grow, whoever saw them and wherever: a read never answers less than a read that
   * ended before it began.
   */
  @Test
  void readersNeverSeeVersionsGoBack() throws Exception {
    int keys = 8;
    RecordCache cache = cache(SMALL_BYTES);
    Map<String, ValueRecord> database = new ConcurrentHashMap<>();
    AtomicLongArray seen = new AtomicLongArray(keys);
    AtomicBoolean stop = new AtomicBoolean();
    List<CompletableFuture<Void>> readers = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      int seed = i;
      readers.add(
          CompletableFuture.runAsync(
              () -> {
                Random random = new Random(seed);
                while (!stop.get()) {
                  read(cache, database, seen, random);
                }
              }));
    }
    Random random = new Random(4711);
    for (int version = 1; version <= 30_000; version++) {
      String key = "key-" + random.nextInt(keys);
      // Some are too long to be kept: what readers offer is all that there is then.
      ValueRecord record = record(version, random.nextBoolean() ? 10 : 2_000);
      Batch writes = put(row(key), record);
      cache.begin(writes);
      pause(random);
      database.put(key, record);
      pause(random);
      cache.end(Optional.of(writes));
    }
    stop.set(true);
    for (CompletableFuture<Void> reader : readers) {
      reader.get(60, TimeUnit.SECONDS);
    }
    assertThat(hits.sum()).isPositive();
    assertThat(misses.sum()).isPositive();
  }

  private static void read(
      RecordCache cache, Map<String, ValueRecord> database, AtomicLongArray seen, Random random) {
    int index = random.nextInt(seen.length());
    String key = "key-" + index;
    long before = seen.get(index);
    Optional<ValueRecord> record;
    if (random.nextInt(4) == 0) {
      record = Optional.ofNullable(database.get(key));
    } else {
      long stamp = cache.stamp();
      byte[] look = cache.look(row(key));
      record = look != null ? recordOf(look) : Optional.ofNullable(database.get(key));
      if (look == null) {
        pause(random);
        cache.offer(row(key), record.map(ValueRecord::encode).orElse(null), stamp);
      }
    }
    long version = record.map(ValueRecord::version).orElse(0L);
    assertThat(version).isGreaterThanOrEqualTo(before);
    seen.accumulateAndGet(index, version, Math::max);
  }

  /** Lets another thread go first, now and then. */
  private static void pause(Random random) {
    if (random.nextInt(8) == 0) {
      LockSupport.parkNanos(1);
    }
  }

  @Test
  void shareOfANodeIsBounded() {
    assertThat(EngineConfig.ofNode(288L << 20, 1 << 20, 6).recordCacheBytes()).isEqualTo(8 << 20);
    assertThat(EngineConfig.ofNode(288L << 20, 1 << 20, 16_384).recordCacheBytes())
        .isEqualTo(64 << 10);
    assertThat(EngineConfig.ofNode(Long.MAX_VALUE, 1 << 20, 1).recordCacheBytes())
        .isEqualTo(1 << 30);
    for (int bytes : new int[] {-1, 1, (64 << 10) - 1, (1 << 30) + 1}) {
      assertThatThrownBy(() -> new EngineConfig(1 << 20, 1 << 20, bytes, 2))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining(Integer.toString(bytes));
    }
  }

  private RecordCache cache(int bytesMax) {
    return new RecordCache(bytesMax, hits, misses);
  }

  private static void write(RecordCache cache, byte[] key, ValueRecord record) {
    Batch writes = put(key, record);
    cache.begin(writes);
    cache.end(Optional.of(writes));
  }

  private static void delete(RecordCache cache, byte[] key) {
    Batch writes = new Changes().putRow(key, null).batch(Applied.NONE);
    cache.begin(writes);
    cache.end(Optional.of(writes));
  }

  private static void offer(RecordCache cache, byte[] key, Optional<ValueRecord> record) {
    cache.offer(key, record.map(ValueRecord::encode).orElse(null), cache.stamp());
  }

  private static void assertKnown(RecordCache cache, byte[] key, ValueRecord record) {
    byte[] look = cache.look(key);
    assertThat(look).isNotNull();
    assertThat(recordOf(look)).contains(record);
  }

  private static void assertNothingStandsAt(RecordCache cache, byte[] key) {
    assertThat(cache.look(key)).isSameAs(Live.ABSENT);
  }

  private static Optional<ValueRecord> recordOf(byte[] look) {
    return look == Live.ABSENT ? Optional.empty() : Optional.of(ValueRecord.decode(look));
  }

  private static Batch put(byte[] key, ValueRecord record) {
    return new Changes().putRow(key, record.encode()).batch(Applied.NONE);
  }

  private static ValueRecord record(long version, int valueBytes) {
    byte[] value = new byte[valueBytes];
    new Random(version).nextBytes(value);
    return new ValueRecord(version, ValueRecord.NEVER, value);
  }
}
