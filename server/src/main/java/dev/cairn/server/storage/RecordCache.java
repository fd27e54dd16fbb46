// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.storage;

import dev.cairn.state.Cursor;
import dev.cairn.state.Database.Batch;
import dev.cairn.state.Database.Live;
import dev.cairn.state.Spaces;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;

/**
 * What stands in rows that were read or written lately, or that nothing does: one database's, in
 * front of it. Every write looks under its key first, to know whether it is new and when it would
 * have expired.
 *
 * <pre>
 *   ring  := entry*, the oldest overwritten first; an entry does not cross the ring's end
 *   entry := keyLength:4 room:2 recordLength:2 key record
 *   room: how long its record may be
 *   recordLength = 0: nothing stands under the key; -1: nothing is known
 *   table := slot*
 *   slot  := tag:12 bits position:52 bits
 * </pre>
 *
 * <p>Positions in the ring only grow; position modulo the ring's length is where an entry lies. The
 * table has buckets of eight slots, 0 where there is none; a ninth key of a bucket takes the place
 * of the oldest. Once the ring is full it takes that of any one whose room in the ring is enough,
 * and the room with it, and so its age. A record that has room where the key's last one was goes
 * there. So keys that are written again and again, and keys of which a bucket has too many, seldom
 * push others out. A tag is a part of the key's hash, so that a look goes to the ring, which is in
 * no processor's cache, for hardly more than the entry that it wants. Two arrays and no objects:
 * hundreds of thousands of objects that live for a while would be copied to the old generation, to
 * die there.
 *
 * <p>The protocol. Whoever changes the database, one thread at a time, calls {@link #begin} before
 * and {@link #end} after. Whoever reads the database as of a moment {@link #offer}s what it found
 * with the {@link #stamp} from before that moment.
 *
 * <p><b>Threads.</b> Any; {@link #begin} and {@link #end} are called by one at a time.
 *
 * <p><b>Invariants.</b>
 *
 * <ol>
 *   <li>A look never answers something older than a read of the database would have answered that
 *       ended before the look began.
 *   <li>For that: outside of begin and end, what is known of a key is what stands in the database.
 *       Between them nothing is known of a key that changes, until the change is made.
 *   <li>For that: the stamp is odd from begin to end, and another one after each. What is offered
 *       was read from the database as it still is, or is not taken: its stamp is odd or old.
 *   <li>A key has one position at most that is alive. One is alive that is not older than the ring
 *       is long: the entry there is whole.
 *   <li>Ring and table take {@code bytesMax} at most; the ring is copied when it grows, and grows
 *       only before it was overwritten anywhere.
 * </ol>
 */
final class RecordCache {
  /** The longest entry that is kept; also an eighth of the longest ring. */
  static final int ENTRY_BYTES_MAX = 16 << 10;

  private static final int FIRST_RING_BYTES = 64 << 10;
  private static final int ROOM_AT = 4;
  private static final int LENGTH_AT = 6;
  private static final int HEAD_BYTES = 8;
  private static final short UNKNOWN = -1;
  private static final int WAYS = 8;
  private static final int RING_BYTES_A_SLOT = 64; // so the table is at most an eighth of the ring
  private static final long FIRST_POSITION = 1; // 0 means none
  private static final int POSITION_BITS = 52;
  static final long POSITION_MASK = (1L << POSITION_BITS) - 1;
  private static final byte[] NO_BYTES = {};

  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.nativeOrder());
  private static final VarHandle SHORT =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.nativeOrder());
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());

  private final LongAdder hits;
  private final LongAdder misses;
  private final int ringBytesMax;

  private int entryBytesMax; // guarded by this, as all below
  private byte[] ring;
  private long[] table;
  private long head; // where the next entry goes
  private long stamp;
  private int turn; // where in a full bucket a place is looked for next

  /**
   * Creates an empty cache.
   *
   * @param bytesMax how much it may take, 0 to 1 GiB; with 0 it keeps nothing
   * @param hits counts the looks that found what is known
   * @param misses counts the others
   */
  RecordCache(int bytesMax, LongAdder hits, LongAdder misses) {
    this(bytesMax, hits, misses, FIRST_POSITION);
  }

  /** One that is as old as its first position says, for tests. */
  RecordCache(int bytesMax, LongAdder hits, LongAdder misses, long firstPosition) {
    head = firstPosition;
    this.hits = hits;
    this.misses = misses;
    ringBytesMax = (int) (bytesMax * 8L / 9);
    entryBytesMax = Math.min(ENTRY_BYTES_MAX, ringBytesMax / 8);
    ring = new byte[Math.min(FIRST_RING_BYTES, ringBytesMax)];
    table = new long[slots(ring.length)];
  }

  /** What stands in a row: null if that is not known, {@link View#ABSENT} for nothing. */
  byte[] look(byte[] key) {
    long hash = hash(key, 0, key.length);
    byte[] found;
    synchronized (this) {
      int slot = slotOf(key, hash);
      found = slot < 0 || isUnknown(at(table[slot])) ? null : recordAt(at(table[slot]));
    }
    (found != null ? hits : misses).increment();
    return found;
  }

  /** What is to be offered with. Take it before the moment of the database that is read. */
  synchronized long stamp() {
    return stamp;
  }

  /**
   * Keeps what the database said, if it is certain that it would say so still.
   *
   * @param record null for nothing
   * @param readStamp the {@link #stamp} from before the moment that was read
   */
  void offer(byte[] key, byte[] record, long readStamp) {
    long hash = hash(key, 0, key.length);
    synchronized (this) {
      boolean current = readStamp == stamp && (stamp & 1) == 0;
      if (current) {
        put(key, hash, record);
      }
    }
  }

  /** The database is about to be changed so. */
  void begin(Batch batch) {
    synchronized (this) {
      stamp |= 1; // first: nothing may be offered again that is forgotten below
    }
    if (batch.clear()) {
      clear();
      return;
    }
    // A lock for each, here and at the end: a reader must not wait for many.
    Cursor changes = batch.rows().get();
    while (changes.next()) {
      byte[] key = changes.key();
      if (Spaces.isUser(key)) {
        forget(key);
      }
    }
  }

  /**
   * The database was changed.
   *
   * @param written what {@link #begin} was told; nothing when it failed: the rows stay forgotten
   */
  void end(Optional<Batch> written) {
    written.ifPresent(this::putAll);
    synchronized (this) {
      stamp = (stamp | 1) + 1;
    }
  }

  private void putAll(Batch batch) {
    Cursor changes = batch.rows().get();
    while (changes.next()) {
      byte[] key = changes.key();
      if (Spaces.isUser(key)) {
        long hash = hash(key, 0, key.length);
        byte[] record = changes.value();
        synchronized (this) {
          put(key, hash, record);
        }
      }
    }
  }

  /** Lets go of its memory, and keeps nothing from now on. */
  synchronized void close() {
    entryBytesMax = 0;
    ring = NO_BYTES;
    table = new long[WAYS];
  }

  /** How much memory it takes. */
  synchronized long bytes() {
    return ring.length + (long) table.length * Long.BYTES;
  }

  private synchronized void clear() {
    Arrays.fill(table, 0);
    head = FIRST_POSITION;
  }

  private void forget(byte[] key) {
    long hash = hash(key, 0, key.length);
    synchronized (this) {
      int slot = slotOf(key, hash);
      if (slot >= 0) {
        SHORT.set(ring, at(table[slot]) + LENGTH_AT, UNKNOWN);
      }
    }
  }

  // ---- Under the lock ----

  /** Where the position of a key's entry stands in the table; -1 where it has none. */
  private int slotOf(byte[] key, long hash) {
    int first = bucket(hash, table);
    long tag = tag(hash);
    for (int slot = first; slot < first + WAYS; slot++) {
      if ((table[slot] & ~POSITION_MASK) == tag && alive(table[slot])) {
        int at = at(table[slot]);
        int keyAt = at + HEAD_BYTES;
        int keyLength = (int) INT.get(ring, at);
        if (keyLength == key.length
            && Arrays.equals(ring, keyAt, keyAt + keyLength, key, 0, keyLength)) {
          return slot;
        }
      }
    }
    return -1;
  }

  private boolean isUnknown(int at) {
    return (short) SHORT.get(ring, at + LENGTH_AT) == UNKNOWN;
  }

  private byte[] recordAt(int at) {
    int from = at + HEAD_BYTES + (int) INT.get(ring, at);
    int length = (short) SHORT.get(ring, at + LENGTH_AT);
    return length == 0 ? Live.ABSENT : Arrays.copyOfRange(ring, from, from + length);
  }

  /** Knows a key from now on, unless the entry would be too long. */
  private void put(byte[] key, long hash, byte[] record) {
    int recordLength = record == null ? 0 : record.length;
    int slot = slotOf(key, hash);
    if (slot >= 0) {
      if (recordLength <= (short) SHORT.get(ring, at(table[slot]) + ROOM_AT)) {
        set(at(table[slot]), key.length, record, recordLength);
        return;
      }
      table[slot] = 0;
    }
    long length = (long) HEAD_BYTES + key.length + recordLength;
    if (length > entryBytesMax) {
      return;
    }
    int taken = isFull() ? slotToTake(hash, length) : -1;
    if (taken >= 0) {
      int at = at(table[taken]);
      table[taken] = tag(hash) | (table[taken] & POSITION_MASK);
      write(at, key, entryBytes(at) - HEAD_BYTES - key.length, record, recordLength);
      return;
    }
    long position = take((int) length);
    write(at(position), key, recordLength, record, recordLength);
    enter(position, hash, table);
  }

  /** Whether the ring was filled once, and grows no more. */
  private boolean isFull() {
    return head >= ring.length && ring.length == ringBytesMax;
  }

  /**
   * In a bucket of which all are alive: one whose entry has room for another, -1 where none has. It
   * may have more than is wanted, until the ring comes round.
   */
  private int slotToTake(long hash, long length) {
    int first = bucket(hash, table);
    for (int slot = first; slot < first + WAYS; slot++) {
      if (!alive(table[slot])) {
        return -1;
      }
    }
    turn++;
    for (int i = 0; i < WAYS; i++) {
      int slot = first + ((turn + i) & (WAYS - 1));
      if (entryBytes(at(table[slot])) >= length) {
        return slot;
      }
    }
    return -1;
  }

  private int entryBytes(int at) {
    return HEAD_BYTES + (int) INT.get(ring, at) + (short) SHORT.get(ring, at + ROOM_AT);
  }

  private void write(int at, byte[] key, int room, byte[] record, int recordLength) {
    INT.set(ring, at, key.length);
    SHORT.set(ring, at + ROOM_AT, (short) room);
    System.arraycopy(key, 0, ring, at + HEAD_BYTES, key.length);
    set(at, key.length, record, recordLength);
  }

  private void set(int at, int keyLength, byte[] record, int recordLength) {
    SHORT.set(ring, at + LENGTH_AT, (short) recordLength);
    if (record != null) {
      System.arraycopy(record, 0, ring, at + HEAD_BYTES + keyLength, recordLength);
    }
  }

  /** Makes room for an entry. */
  private long take(int length) {
    while (head + length > ring.length && ring.length < ringBytesMax) {
      grow();
    }
    if (head > POSITION_MASK - 2L * ring.length) {
      clear(); // in years
    }
    int at = at(head);
    if (at + length > ring.length) {
      head += ring.length - at;
    }
    long position = head;
    head += length;
    return position;
  }

  private void grow() {
    byte[] longer = Arrays.copyOf(ring, (int) Math.min(2L * ring.length, ringBytesMax));
    long[] larger = new long[slots(longer.length)];
    ring = longer;
    // By the old table, not along the ring: there lies what was forgotten, too.
    for (long slot : table) {
      if (slot != 0) {
        int at = at(slot);
        long hash = hash(ring, at + HEAD_BYTES, (int) INT.get(ring, at));
        enter(slot & POSITION_MASK, hash, larger);
      }
    }
    table = larger;
  }

  /** Into a free place of its bucket, or that of the oldest. */
  private static void enter(long position, long hash, long[] table) {
    int first = bucket(hash, table);
    int oldest = first;
    for (int slot = first + 1; slot < first + WAYS; slot++) {
      if ((table[slot] & POSITION_MASK) < (table[oldest] & POSITION_MASK)) {
        oldest = slot;
      }
    }
    if (position > (table[oldest] & POSITION_MASK)) {
      table[oldest] = tag(hash) | position;
    }
  }

  private boolean alive(long slot) {
    return slot != 0 && (slot & POSITION_MASK) >= head - ring.length;
  }

  private int at(long slot) {
    return (int) ((slot & POSITION_MASK) % ring.length);
  }

  private static int slots(int ringBytes) {
    return Math.max(1, ringBytes / RING_BYTES_A_SLOT / WAYS) * WAYS;
  }

  private static int bucket(long hash, long[] table) {
    long buckets = table.length / WAYS;
    return (int) (((hash >>> 32) * buckets) >>> 32) * WAYS;
  }

  private static long tag(long hash) {
    return hash << POSITION_BITS;
  }

  /** Keys are clients' own: many in one bucket cost hits, not time. */
  private static long hash(byte[] bytes, int from, int length) {
    long hash = length;
    int end = from + length;
    int at = from;
    for (; end - at >= Long.BYTES; at += Long.BYTES) {
      hash = mixed(hash ^ (long) LONG.get(bytes, at));
    }
    for (; at < end; at++) {
      hash = hash * 31 + bytes[at];
    }
    return mixed(hash);
  }

  private static long mixed(long hash) {
    long product = hash * 0x9E3779B97F4A7C15L; // 2^64 over the golden ratio
    return product ^ (product >>> 32);
  }
}
