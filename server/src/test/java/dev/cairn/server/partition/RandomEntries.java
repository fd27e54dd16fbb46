// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.cairn.server.operation.Condition;
import dev.cairn.server.operation.EntryCodec;
import dev.cairn.server.operation.Expiry;
import dev.cairn.server.operation.KeyOperation;
import dev.cairn.server.operation.Operation;
import dev.cairn.server.operation.Query;
import dev.cairn.server.operation.Request;
import dev.cairn.server.operation.ValueOperation;
import dev.cairn.server.operation.ValueQuery;
import dev.cairn.server.storage.KeyRange;
import dev.cairn.server.value.BitField;
import dev.cairn.server.value.Bits;
import dev.cairn.server.value.Digest;
import dev.cairn.state.RequestId;
import dev.cairn.state.RequestIds;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/**
 * Entries of a log, at random from a seed: every operation and every query, few keys, values that
 * are empty, numbers or large, times that pass, ids that come again.
 */
final class RandomEntries {
  /** So few ids are kept that many are forgotten. */
  static final RequestIds.Bounds ID_BOUNDS = new RequestIds.Bounds(300, 12, 1 << 20, 2_000);

  private static final int KEYS = 12;
  private static final int LARGE_BYTES = 90_000; // a chunk of its own in memory

  private final SplittableRandom random;
  private final List<Request> withIds = new ArrayList<>();
  private long timeMillis = 10_000;
  private long sequence;

  RandomEntries(SplittableRandom random) {
    this.random = random;
  }

  /** The next entry's data. */
  byte[] next() {
    timeMillis += random.nextInt(30) == 0 ? 400 : random.nextInt(20);
    List<Request> requests = new ArrayList<>();
    for (int i = random.nextInt(4); i > 0; i--) {
      requests.add(request());
    }
    return EntryCodec.encode(new EntryCodec.Entry(timeMillis - random.nextInt(10), requests));
  }

  private Request request() {
    if (random.nextInt(6) == 0 && !withIds.isEmpty()) {
      return withIds.get(Math.max(0, withIds.size() - 1 - random.nextInt(30)));
    }
    List<Operation> operations = operations();
    if (random.nextInt(3) > 0) {
      return new Request(Optional.empty(), operations);
    }
    long issuedAtMillis = timeMillis - 20 + random.nextInt(24);
    RequestId id = new RequestId(1, random.nextInt(2), sequence++, issuedAtMillis);
    Request request = new Request(Optional.of(id), operations);
    withIds.add(request);
    return request;
  }

  private List<Operation> operations() {
    List<Operation> operations = new ArrayList<>();
    for (int i = random.nextInt(4); i >= 0; i--) {
      operations.add(operation(true));
    }
    return operations;
  }

  private Operation operation(boolean mayNest) {
    byte[] key = key();
    return switch (random.nextInt(mayNest ? 32 : 30)) {
      case 0 -> random.nextInt(4) == 0 ? new Operation.Clear() : new Operation.Delete(key);
      case 1, 2 -> new Operation.Sweep(1 + random.nextInt(3));
      case 3, 4, 5 -> new Operation.Put(key, value());
      case 6, 7, 8, 9 ->
          new Operation.Put(key, value(), expiry(), condition(), random.nextBoolean());
      case 10, 11 -> new Operation.Delete(key);
      case 12, 13 -> new Operation.Delete(key, condition(), random.nextBoolean());
      case 14 -> new KeyOperation.Expire(key, expiry(), random.nextInt(16), random.nextBoolean());
      case 15 -> new ValueOperation.Append(key, value(), 100_000);
      case 16 -> new ValueOperation.Overwrite(key, random.nextInt(20), value());
      case 17, 18 -> new ValueOperation.Increment(key, random.nextInt(5) - 1);
      case 19 -> new ValueOperation.IncrementFloat(key, "0.5".getBytes(UTF_8));
      case 20 -> new ValueOperation.BitFields(key, steps());
      case 21 ->
          new KeyOperation.BitCombine(
              any(Bits.Combination.AND, Bits.Combination.OR, Bits.Combination.XOR),
              key,
              List.of(key(), key()));
      case 22 -> new KeyOperation.Rename(key, key(), random.nextBoolean());
      case 23 -> new KeyOperation.Copy(key, key(), random.nextBoolean());
      case 24 ->
          new KeyOperation.PutAll(
              List.of(new KeyOperation.Pair(key, value()), new KeyOperation.Pair(key(), value())),
              expiry(),
              any(Condition.Kind.ALWAYS, Condition.Kind.IF_ABSENT, Condition.Kind.IF_PRESENT));
      case 25 -> KeyOperation.Revision.put(key, value(), expiry(), condition());
      case 26 -> KeyOperation.Revision.delete(key, condition());
      case 27, 28, 29 -> new Operation.Read(query());
      default -> transaction(key);
    };
  }

  private Operation transaction(byte[] key) {
    List<Operation> operations = new ArrayList<>();
    for (int i = random.nextInt(3); i >= 0; i--) {
      operations.add(operation(false));
    }
    List<KeyOperation.Seen> seen =
        random.nextBoolean() ? List.of() : List.of(new KeyOperation.Seen(key, 0));
    return new KeyOperation.Transaction(seen, operations);
  }

  /** A question, of a key or of all. */
  Query query() {
    byte[] key = key();
    return switch (random.nextInt(15)) {
      case 0 -> new Query.Exists(key);
      case 1 -> new Query.Facts(key);
      case 2 -> new Query.Version(key);
      case 3 -> new Query.Fetch(key, 0, random.nextInt(5));
      case 4 -> new Query.Count();
      case 5 -> new ValueQuery.Slice(key, -3, -1);
      case 6 -> new ValueQuery.BitCount(key, Bits.Span.WHOLE);
      case 7 -> new ValueQuery.BitPosition(key, true, Bits.Span.WHOLE, true);
      case 8 -> new ValueQuery.BitFields(key, List.of(BitField.bit(random.nextInt(40))));
      case 9 -> new ValueQuery.DigestOf(key);
      case 12 -> new ValueQuery.Common(key, key());
      case 10, 11 -> new Query.Range(range(), 1 + random.nextInt(6), 1 << 20, random.nextBoolean());
      default -> new Query.Get(key);
    };
  }

  private KeyRange range() {
    return switch (random.nextInt(3)) {
      case 0 -> KeyRange.ALL;
      case 1 -> KeyRange.prefix("k".getBytes(UTF_8)).startingAt(key());
      default -> new KeyRange(key(), key()); // often empty: it ends before it begins
    };
  }

  private byte[] key() {
    int number = random.nextInt(KEYS);
    return number == 0
        ? new byte[] {(byte) 0xff}
        : ("k".repeat(number % 3) + number).getBytes(UTF_8);
  }

  private byte[] value() {
    return switch (random.nextInt(12)) {
      case 0 -> new byte[0];
      case 1 -> new byte[random.nextInt(3_000)];
      case 2 -> random.nextInt(6) == 0 ? new byte[LARGE_BYTES] : "1.25".getBytes(UTF_8);
      case 3 -> "text".getBytes(UTF_8);
      default -> Integer.toString(random.nextInt(30)).getBytes(UTF_8);
    };
  }

  private Expiry expiry() {
    return switch (random.nextInt(8)) {
      case 0, 1 -> Expiry.NEVER;
      case 2 -> Expiry.KEEP;
      case 3 -> new Expiry(Expiry.Kind.AT, timeMillis - 10 + random.nextInt(100));
      case 4 -> new Expiry(Expiry.Kind.AFTER, Long.MAX_VALUE - random.nextInt(2));
      default -> new Expiry(Expiry.Kind.AFTER, random.nextInt(120) - 10);
    };
  }

  private Condition condition() {
    Condition.Kind kind = any(Condition.Kind.values());
    return switch (kind) {
      case ALWAYS, IF_ABSENT, IF_PRESENT -> Condition.of(kind);
      case IF_EQUAL, IF_NOT_EQUAL -> new Condition(kind, value());
      case IF_DIGEST_EQUAL, IF_DIGEST_NOT_EQUAL ->
          new Condition(
              kind, random.nextInt(4) == 0 ? new byte[3] : Digest.of(value()).getBytes(UTF_8));
      case IF_VERSION, IF_NOT_VERSION ->
          Condition.of(kind, List.of((long) random.nextInt(200), (long) random.nextInt(400)));
    };
  }

  private List<BitField> steps() {
    return List.of(
        new BitField(
            any(BitField.Action.values()),
            random.nextBoolean(),
            1 + random.nextInt(30),
            random.nextInt(50),
            random.nextInt(9) - 2,
            any(BitField.Overflow.values())),
        BitField.bit(random.nextInt(20), random.nextInt(2)));
  }

  @SafeVarargs
  private <T> T any(T... values) {
    return values[random.nextInt(values.length)];
  }
}
