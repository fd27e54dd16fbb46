// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.operation;

import dev.cairn.server.storage.Writes;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * Which requests a partition has applied lately, and what it answered: so that a client may repeat
 * a write whose outcome it does not know, and the write is applied at most once.
 *
 * <p>Kept in the partition's data, in the batch that applies the request; so it is there after a
 * restart, after a change of leaders, and in a snapshot. What is kept is bounded in time, number
 * and bytes, and the oldest goes first. An id that is not found is new, unless it may be one of
 * those that went: the question is when it was issued. A client stamps an id once, with the
 * cluster's time, and repeats the stamp with it.
 *
 * <pre>
 *   row      ::= 0 clientId:16 sequence:8 -&gt; format:1 (1 count:4 result* | 2)     2: too large to keep
 *              | 1 position:8             -&gt; format:1 timeMillis:8 bytes:4 count:4 (clientId:16 sequence:8)*
 *              | 2                        -&gt; format:1 first:8 next:8 count:8 bytes:8 floorMillis:8
 *   format   ::= 1
 * </pre>
 *
 * Results are written as in {@link ResultCodec}. The second row has the ids that one log entry
 * brought and its partition time; positions count up without a gap, from {@code first} to before
 * {@code next}.
 *
 * <p>Thread: the state machine's. Invariants:
 *
 * <ol>
 *   <li>An id is accepted only in an entry whose partition time is at or past the id's stamp. Since
 *       partition time never goes back, an id that was applied at time t has a stamp of at most t.
 *   <li>{@code floor} is the highest time of any entry whose ids went. So an id that went has a
 *       stamp at or below the floor, and one that is above it and not found was never applied.
 *   <li>What follows depends on the entry and the data alone: the same on every replica.
 * </ol>
 */
public final class RequestIds {
  /** How long an id is kept at most, by partition time. */
  static final long WINDOW_MILLIS = 300_000;

  /** How many ids are kept at most. */
  static final int COUNT_MAX = 262_144;

  /** How many bytes ids and answers may take. */
  static final long BYTES_MAX = 64L << 20;

  /** A longer answer is not kept: a repetition learns that the request was applied, no more. */
  public static final int ANSWER_BYTES_MAX = 64 << 10;

  private static final byte FORMAT = 1;
  private static final byte KEPT = 1;
  private static final byte TOO_LARGE = 2;
  private static final int ID_BYTES = 3 * Long.BYTES;

  /** Ids whose time is up go with the entries that follow, so many at a time. */
  private static final int EXPIRED_MAX = 1_024;

  private static final long UNREAD = -1;
  private static final byte[] WINDOW_KEY = {2};

  private final Function<byte[], Optional<byte[]>> stored;
  private final Bounds bounds;
  private final List<RequestId> added = new ArrayList<>(); // by the entry that is being applied
  private long addedBytes;
  private long first;
  private long next;
  private long count;
  private long bytes;
  private long floorMillis;
  private long oldestMillis; // of the entry at first; UNREAD until it is looked at

  /** How much is kept; smaller in tests. */
  public record Bounds(long windowMillis, long countMax, long bytesMax) {
    public static final Bounds DEFAULT = new Bounds(WINDOW_MILLIS, COUNT_MAX, BYTES_MAX);
  }

  public RequestIds(Function<byte[], Optional<byte[]>> stored, Bounds bounds) {
    this.stored = stored;
    this.bounds = bounds;
    load();
  }

  /** Takes on what storage holds, after it was replaced. */
  public void load() {
    added.clear();
    addedBytes = 0;
    Optional<byte[]> window = stored.apply(WINDOW_KEY);
    ByteBuffer in = window.map(RequestIds::open).orElseGet(() -> ByteBuffer.allocate(5 * 8));
    first = in.getLong();
    next = in.getLong();
    count = in.getLong();
    bytes = in.getLong();
    floorMillis = in.getLong();
    oldestMillis = UNREAD;
  }

  /**
   * What a request is answered without being applied; empty for one that is new.
   *
   * @param timeMillis the entry's partition time
   * @param writes what the entries before it have changed
   */
  public Optional<List<Result>> recall(RequestId id, long timeMillis, Writes writes) {
    Optional<byte[]> known = row(idKey(id), writes);
    if (known.isPresent()) {
      return Optional.of(answer(known.get()));
    }
    if (id.issuedAtMillis() > timeMillis) {
      return notApplied(Result.NotApplied.Why.EARLY);
    }
    boolean mayHaveGone =
        id.issuedAtMillis() <= floorMillis
            || id.issuedAtMillis() < timeMillis - bounds.windowMillis();
    return mayHaveGone ? notApplied(Result.NotApplied.Why.FORGOTTEN) : Optional.empty();
  }

  private static Optional<List<Result>> notApplied(Result.NotApplied.Why why) {
    return Optional.of(List.of(new Result.NotApplied(why)));
  }

  /** Keeps the answer of a request that the current entry has just applied. */
  public void remember(RequestId id, List<Result> results, Writes writes) {
    byte[] encoded = ResultCodec.encode(results);
    boolean kept = encoded.length <= ANSWER_BYTES_MAX;
    ByteBuffer value = ByteBuffer.allocate(2 + (kept ? encoded.length : 0));
    value.put(FORMAT).put(kept ? KEPT : TOO_LARGE);
    if (kept) {
      value.put(encoded);
    }
    writes.putRow(idKey(id), value.array());
    added.add(id);
    addedBytes += 3 * ID_BYTES + value.capacity();
  }

  /** The current entry has been applied: notes what it brought, and lets the oldest go. */
  public void endEntry(long timeMillis, Writes writes) {
    boolean changed = !added.isEmpty();
    if (changed) {
      ByteBuffer entry = ByteBuffer.allocate(1 + 8 + 4 + 4 + ID_BYTES * added.size());
      entry.put(FORMAT).putLong(timeMillis).putInt((int) addedBytes).putInt(added.size());
      added.forEach(id -> EntryCodec.writeId(entry, id));
      writes.putRow(entryKey(next++), entry.array());
      count += added.size();
      bytes += addedBytes;
      added.clear();
      addedBytes = 0;
    }
    int expired = 0;
    while (first < next && mayGo(timeMillis, expired, writes)) {
      expired += forgetOldest(writes);
      changed = true;
    }
    if (changed) {
      ByteBuffer window = ByteBuffer.allocate(1 + 5 * Long.BYTES);
      window.put(FORMAT).putLong(first).putLong(next).putLong(count).putLong(bytes);
      writes.putRow(WINDOW_KEY, window.putLong(floorMillis).array());
    }
  }

  private boolean mayGo(long timeMillis, int expired, Writes writes) {
    if (oldestMillis == UNREAD) {
      oldestMillis = oldest(writes).getLong();
    }
    return count > bounds.countMax()
        || bytes > bounds.bytesMax()
        || (oldestMillis < timeMillis - bounds.windowMillis() && expired < EXPIRED_MAX);
  }

  private ByteBuffer oldest(Writes writes) {
    return open(row(entryKey(first), writes).orElseThrow(RequestIds::missing));
  }

  /** Lets the ids of the oldest entry go; how many they were. */
  private int forgetOldest(Writes writes) {
    ByteBuffer oldest = oldest(writes);
    floorMillis = Math.max(floorMillis, oldest.getLong());
    oldestMillis = UNREAD;
    bytes -= oldest.getInt();
    int ids = oldest.getInt();
    for (int i = 0; i < ids; i++) {
      byte[] key = new byte[1 + ID_BYTES];
      oldest.get(key, 1, ID_BYTES);
      writes.deleteRow(key);
    }
    writes.deleteRow(entryKey(first++));
    count -= ids;
    return ids;
  }

  /** How many ids are kept. */
  public long count() {
    return count;
  }

  private Optional<byte[]> row(byte[] key, Writes writes) {
    return writes.touchesRow(key) ? writes.row(key) : stored.apply(key);
  }

  private static List<Result> answer(byte[] row) {
    ByteBuffer in = open(row);
    try {
      return in.get() == TOO_LARGE
          ? List.of(new Result.NotApplied(Result.NotApplied.Why.ANSWER_TOO_LARGE))
          : ResultCodec.decode(in);
    } catch (IOException | BufferUnderflowException e) {
      throw new IllegalStateException("the row of a request's id cannot be read", e);
    }
  }

  private static ByteBuffer open(byte[] row) {
    ByteBuffer in = ByteBuffer.wrap(row);
    if (row.length == 0 || in.get() != FORMAT) {
      throw new IllegalStateException(
          "a row of request ids has format %d; this version of Cairn knows %d: start the version that wrote it"
              .formatted(row.length == 0 ? 0 : row[0], FORMAT));
    }
    return in;
  }

  private static IllegalStateException missing() {
    return new IllegalStateException("a row of request ids is missing");
  }

  private static byte[] idKey(RequestId id) {
    ByteBuffer key = ByteBuffer.allocate(1 + ID_BYTES).put((byte) 0);
    return EntryCodec.writeId(key, id).array();
  }

  private static byte[] entryKey(long position) {
    return ByteBuffer.allocate(1 + Long.BYTES).put((byte) 1).putLong(position).array();
  }
}
