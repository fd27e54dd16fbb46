// SPDX-License-Identifier: Apache-2.0
package dev.cairn.state;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * Which writes with ids were applied lately, and what was answered.
 *
 * <p>They are rows of the partition's own beside its data. So they are written with what the write
 * changed, are in every copy, and stay when all keys are cleared. A client stamps an id once, with
 * the cluster's time, and repeats the stamp with it. What is kept is bounded in time, number and
 * bytes, and the oldest goes first. An id that is not found is new, unless it may be one of those
 * that went: the question is when it was issued.
 *
 * <pre>
 *   row      ::= 0 clientId:16 sequence:8 -&gt; format:1 (1 answer | 2)              2: too large to keep
 *              | 1 position:8             -&gt; format:1 timeMillis:8 bytes:4 count:4 (clientId:16 sequence:8)*
 *              | 2                        -&gt; format:1 first:8 next:8 count:8 bytes:8 floorMillis:8
 *   format   ::= 1
 * </pre>
 *
 * The second row has the ids that one entry brought and its partition time; positions count up
 * without a gap, from {@code first} to before {@code next}.
 *
 * <p>Thread: the state's owner. Invariants:
 *
 * <ol>
 *   <li>An id is accepted only in an entry whose partition time is at or past the id's stamp. Since
 *       partition time never goes back, an id that was applied at time t has a stamp of at most t.
 *   <li>{@code floor} is the highest time of any entry whose ids went. So an id that went has a
 *       stamp at or below the floor, and one that is above it and not found was never applied.
 *   <li>What follows depends on the entry and the state alone: the same on every replica.
 * </ol>
 */
public final class RequestIds {
  private static final byte FORMAT = 1;
  private static final byte KEPT = 1;
  private static final byte TOO_LARGE = 2;
  private static final int EXPIRED_MAX = 1_024;
  private static final long UNREAD = -1;
  private static final byte[] WINDOW = {2};

  private final Rows rows;
  private final Bounds bounds;
  private final List<RequestId> added = new ArrayList<>(); // by the entry that is being applied
  private long addedBytes;
  private long first;
  private long next;
  private long count;
  private long bytes;
  private long floorMillis;
  private long oldestMillis; // of the entry at first; UNREAD until it is looked at

  /** Rows of the partition's own, as the entries before left them; a clear leaves them. */
  public interface Rows {
    /** What stands in a row; null for nothing. */
    byte[] get(byte[] key);

    /** Changes a row, with what the entry that is being applied changes. */
    void put(byte[] key, byte[] value);

    /** Removes a row, in the same way. */
    void remove(byte[] key);
  }

  /**
   * How much is kept.
   *
   * @param windowMillis for how long at most, by partition time
   * @param countMax how many ids
   * @param bytesMax of ids and answers
   * @param answerBytesMax a longer answer is not kept, its id is
   */
  public record Bounds(long windowMillis, long countMax, long bytesMax, int answerBytesMax) {
    /** As clients are promised. */
    public static final Bounds DEFAULT = new Bounds(300_000, 262_144, 64L << 20, 64 << 10);
  }

  /** What is known of an id. */
  public enum Known {
    /** Nothing: the write is to be applied. */
    NEW,
    /** It was applied, and the answer is kept. */
    ANSWERED,
    /** It was applied; the answer was too large to keep. */
    TOO_LARGE,
    /** Its stamp lies ahead of partition time: it is not applied. */
    EARLY,
    /** It may have been applied so long ago that nothing is kept: it is not applied. */
    FORGOTTEN
  }

  /**
   * What a write with an id is answered.
   *
   * @param answer what was answered; null unless that is kept
   */
  public record Recalled(Known known, byte[] answer) {}

  /** The ids that the rows hold. */
  public RequestIds(Rows rows, Bounds bounds) {
    this.rows = rows;
    this.bounds = bounds;
    load();
  }

  /** Takes on what the state holds, after it was replaced. */
  public void load() {
    added.clear();
    addedBytes = 0;
    byte[] window = rows.get(WINDOW);
    ByteBuffer in = window == null ? ByteBuffer.allocate(5 * Long.BYTES) : open(window);
    first = in.getLong();
    next = in.getLong();
    count = in.getLong();
    bytes = in.getLong();
    floorMillis = in.getLong();
    oldestMillis = UNREAD;
  }

  /** What a write is answered without being applied, if so; at a partition time. */
  public Recalled recall(RequestId id, long timeMillis) {
    byte[] known = rows.get(idRow(id));
    if (known != null) {
      boolean kept = open(known).get() == KEPT;
      return kept
          ? new Recalled(Known.ANSWERED, Arrays.copyOfRange(known, 2, known.length))
          : new Recalled(Known.TOO_LARGE, null);
    }
    if (id.issuedAtMillis() > timeMillis) {
      return new Recalled(Known.EARLY, null);
    }
    boolean mayHaveGone =
        id.issuedAtMillis() <= floorMillis || id.issuedAtMillis() < windowBegin(timeMillis);
    return new Recalled(mayHaveGone ? Known.FORGOTTEN : Known.NEW, null);
  }

  /** Keeps the answer of a write that the current entry has just applied. */
  public void remember(RequestId id, byte[] answer) {
    boolean kept = answer.length <= bounds.answerBytesMax();
    ByteBuffer value = ByteBuffer.allocate(2 + (kept ? answer.length : 0));
    value.put(FORMAT).put(kept ? KEPT : TOO_LARGE);
    if (kept) {
      value.put(answer);
    }
    rows.put(idRow(id), value.array());
    added.add(id);
    addedBytes += 3 * RequestId.BYTES + value.capacity();
  }

  /** The current entry has been applied: notes what it brought, and lets the oldest go. */
  public void endEntry(long timeMillis) {
    boolean changed = !added.isEmpty();
    if (changed) {
      ByteBuffer entry = ByteBuffer.allocate(1 + 8 + 4 + 4 + RequestId.BYTES * added.size());
      entry.put(FORMAT).putLong(timeMillis).putInt((int) addedBytes).putInt(added.size());
      added.forEach(id -> id.writeTo(entry));
      rows.put(entryRow(next++), entry.array());
      count += added.size();
      bytes += addedBytes;
      added.clear();
      addedBytes = 0;
    }
    int expired = 0;
    while (first < next && mayGo(timeMillis, expired)) {
      expired += forgetOldest();
      changed = true;
    }
    if (changed) {
      ByteBuffer window = ByteBuffer.allocate(1 + 5 * Long.BYTES);
      window.put(FORMAT).putLong(first).putLong(next).putLong(count).putLong(bytes);
      rows.put(WINDOW, window.putLong(floorMillis).array());
    }
  }

  private boolean mayGo(long timeMillis, int expired) {
    if (oldestMillis == UNREAD) {
      oldestMillis = open(rows.get(entryRow(first))).getLong();
    }
    return count > bounds.countMax()
        || bytes > bounds.bytesMax()
        || (oldestMillis < windowBegin(timeMillis) && expired < EXPIRED_MAX);
  }

  /** Lets the ids of the oldest entry go; how many they were. */
  private int forgetOldest() {
    ByteBuffer oldest = open(rows.get(entryRow(first)));
    oldestMillis = UNREAD;
    floorMillis = Math.max(floorMillis, oldest.getLong());
    bytes -= oldest.getInt();
    int ids = oldest.getInt();
    for (int i = 0; i < ids; i++) {
      byte[] key = new byte[1 + RequestId.BYTES];
      oldest.get(key, 1, RequestId.BYTES);
      rows.remove(key);
    }
    rows.remove(entryRow(first++));
    count -= ids;
    return ids;
  }

  /**
   * What may go when entries come that have so many ids; to be read ahead.
   *
   * @param timeMillis the partition time that they reach
   */
  Going going(int ids, int entries, long timeMillis) {
    return new Going(first, next, ids, (long) entries * EXPIRED_MAX, windowBegin(timeMillis));
  }

  private long windowBegin(long timeMillis) {
    return timeMillis - bounds.windowMillis();
  }

  /** The rows of entries whose ids may go, the oldest first, and the one behind them. */
  record Going(long first, long next, long younger, long expired, long beforeMillis) {
    /** Asks for each row by its key; false where one is not there: null. */
    boolean walk(UnaryOperator<byte[]> rows) {
      long youngerLeft = younger;
      long expiredLeft = expired;
      for (long position = first; position < next; position++) {
        byte[] row = rows.apply(entryRow(position));
        if (row == null) {
          return false;
        }
        boolean isOver = open(row).getLong() < beforeMillis && expiredLeft-- > 0;
        if (!isOver && youngerLeft-- == 0) {
          return true;
        }
      }
      return true;
    }
  }

  /** Where an id stands among all rows. */
  static byte[] rowOf(RequestId id) {
    return Spaces.own(idRow(id));
  }

  /** How many ids are kept. */
  public long count() {
    return count;
  }

  private static byte[] idRow(RequestId id) {
    ByteBuffer key = ByteBuffer.allocate(1 + RequestId.BYTES).put((byte) 0);
    id.writeTo(key);
    return key.array();
  }

  private static byte[] entryRow(long position) {
    return ByteBuffer.allocate(9).put((byte) 1).putLong(position).array();
  }

  private static ByteBuffer open(byte[] row) {
    if (row == null) {
      throw new StateException("a row of request ids is missing");
    }
    ByteBuffer in = ByteBuffer.wrap(row);
    byte format = row.length == 0 ? 0 : in.get();
    if (format != FORMAT) {
      throw new StateException(
          "a row of request ids has format %d; this version of Cairn knows %d: start the version that wrote it"
              .formatted(format, FORMAT));
    }
    return in;
  }
}
