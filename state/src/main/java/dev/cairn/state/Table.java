// SPDX-License-Identifier: Apache-2.0
package dev.cairn.state;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Changes of rows in memory, in few objects however many they are: the collector sees large arrays
 * of numbers, and its pauses do not grow with the rows.
 *
 * <pre>
 *   row   := keyLength:4 valueLength:4 key value        in a chunk; valueLength -1: the row goes
 *   slot  := hash:24 chunk:22 offset:18                 in the index, open addressing; 0 is none
 * </pre>
 *
 * <p>A row that is written again is written anew, and its former place is lost until the table
 * goes: what was written stays as it is, so a copy of the index is all that a {@link #snapshot}
 * takes. The order of the keys is made when it is asked for, and kept until the next change.
 *
 * <p>Thread: one at a time, but for tables that nobody changes any more.
 */
final class Table {
  /** What {@link #find} gives for a row that goes. */
  static final byte[] REMOVED = Database.Live.ABSENT;

  private static final int HEAD_BYTES = 8;
  private static final int SLOTS_MIN = 64;
  private static final int CHUNK_BYTES_MIN = 1 << 10;
  private static final int CHUNK_BYTES_MAX = 1 << 18;
  private static final int OFFSET_BITS = 18;
  private static final int PLACE_BITS = 40;
  private static final long PLACE = (1L << PLACE_BITS) - 1;
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);

  private final long seed;
  private final boolean cleared;
  private byte[][] chunks = new byte[4][];
  private int chunkCount = 1; // the one at 0 is never used: a slot of 0 is none
  private int current; // the chunk that small rows are added to
  private int end; // in that chunk
  private long[] slots = new long[SLOTS_MIN];
  private int rows;
  private long chunkBytes;
  private volatile long[] order; // of places; null when it has to be made

  /**
   * An empty one.
   *
   * @param seed of the hashes: who chooses keys does not know it
   * @param cleared whether what stood before counts no more, but for rows that a clear leaves
   */
  Table(long seed, boolean cleared) {
    this.seed = seed;
    this.cleared = cleared;
  }

  private Table(Table of) {
    seed = of.seed;
    cleared = of.cleared;
    chunks = of.chunks.clone();
    slots = of.slots.clone();
    chunkCount = of.chunkCount;
    rows = of.rows;
    chunkBytes = of.chunkBytes;
    order = of.order;
  }

  boolean isCleared() {
    return cleared;
  }

  boolean isEmpty() {
    return rows == 0 && !cleared;
  }

  /** What it takes of memory. */
  long bytes() {
    return chunkBytes + (long) Long.BYTES * slots.length;
  }

  /** As it is now, for another thread; not to be changed. */
  Table snapshot() {
    return new Table(this);
  }

  // ---- Rows ----

  /** Changes a row; a value of null has it go. */
  void put(byte[] key, byte[] value) {
    long hash = hash(key, 0, key.length);
    int slot = slot(hash, key);
    long place = append(key, value);
    if (order != null) {
      order = null;
    }
    if (slots[slot] == 0) {
      rows++;
    }
    slots[slot] = (hash & ~PLACE) | place;
    if (rows > slots.length / 4 * 3) {
      grow();
    }
  }

  /** What becomes of a row: null if the table says nothing of it, or {@link #REMOVED}. */
  byte[] find(byte[] key) {
    long found = slots[slot(hash(key, 0, key.length), key)];
    return found == 0 ? null : value(found & PLACE);
  }

  /** Whether {@link #find} gives something; copies no value. */
  boolean has(byte[] key) {
    return slots[slot(hash(key, 0, key.length), key)] != 0;
  }

  /** The row's slot, or the empty one where it would be. */
  private int slot(long hash, byte[] key) {
    int mask = slots.length - 1;
    int at = (int) hash & mask;
    while (slots[at] != 0 && !((slots[at] ^ hash) >>> PLACE_BITS == 0 && hasKey(slots[at], key))) {
      at = (at + 1) & mask;
    }
    return at;
  }

  private boolean hasKey(long slot, byte[] key) {
    byte[] chunk = chunk(slot);
    int offset = offset(slot);
    int from = offset + HEAD_BYTES;
    int length = (int) INT.get(chunk, offset);
    return length == key.length && Arrays.equals(chunk, from, from + length, key, 0, key.length);
  }

  private void grow() {
    long[] before = slots;
    slots = new long[before.length * 2];
    int mask = slots.length - 1;
    for (long each : before) {
      if (each != 0) {
        byte[] chunk = chunk(each);
        int from = offset(each) + HEAD_BYTES;
        int at = (int) hash(chunk, from, from + keyLength(each)) & mask;
        while (slots[at] != 0) {
          at = (at + 1) & mask;
        }
        slots[at] = each;
      }
    }
  }

  /** Writes a row; its place. */
  private long append(byte[] key, byte[] value) {
    int length = HEAD_BYTES + key.length + (value == null ? 0 : value.length);
    int chunk = current;
    int offset = end;
    if (length > CHUNK_BYTES_MAX / 4) {
      chunk = addChunk(length);
      offset = 0;
    } else {
      if (current == 0 || end + length > chunks[current].length) {
        long doubled = Math.max(CHUNK_BYTES_MIN, Math.min(CHUNK_BYTES_MAX, chunkBytes));
        current = addChunk((int) Math.max(length, doubled));
        end = 0;
      }
      chunk = current;
      offset = end;
      end += length;
    }
    byte[] bytes = chunks[chunk];
    INT.set(bytes, offset, key.length);
    INT.set(bytes, offset + Integer.BYTES, value == null ? -1 : value.length);
    System.arraycopy(key, 0, bytes, offset + HEAD_BYTES, key.length);
    if (value != null) {
      System.arraycopy(value, 0, bytes, offset + HEAD_BYTES + key.length, value.length);
    }
    return (long) chunk << OFFSET_BITS | offset;
  }

  private int addChunk(int bytes) {
    if (chunkCount == chunks.length) {
      chunks = Arrays.copyOf(chunks, chunks.length * 2);
    }
    chunks[chunkCount] = new byte[bytes];
    chunkBytes += bytes;
    return chunkCount++;
  }

  private byte[] chunk(long place) {
    return chunks[(int) ((place & PLACE) >>> OFFSET_BITS)];
  }

  private static int offset(long place) {
    return (int) place & ((1 << OFFSET_BITS) - 1);
  }

  private int keyLength(long place) {
    return (int) INT.get(chunk(place), offset(place));
  }

  private byte[] key(long place) {
    int from = offset(place) + HEAD_BYTES;
    return Arrays.copyOfRange(chunk(place), from, from + keyLength(place));
  }

  private byte[] value(long place) {
    byte[] chunk = chunk(place);
    int offset = offset(place);
    int length = (int) INT.get(chunk, offset + Integer.BYTES);
    int from = offset + HEAD_BYTES + keyLength(place);
    return length < 0 ? REMOVED : Arrays.copyOfRange(chunk, from, from + length);
  }

  private long hash(byte[] bytes, int from, int to) {
    long hash = seed ^ (to - from);
    for (int i = from; i < to; i++) {
      hash = (hash ^ (bytes[i] & 0xff)) * 0x9E3779B97F4A7C15L;
      hash ^= hash >>> 29;
    }
    hash *= 0xBF58476D1CE4E5B9L;
    return hash ^ (hash >>> 32);
  }

  // ---- In order ----

  /** The rows from a key on, to another, which is not among them. */
  Cursor rows(byte[] from, byte[] to) {
    long[] places = order();
    return new Cursor() {
      private int at = firstFrom(places, from) - 1;
      private final int last = firstFrom(places, to) - 1;

      @Override
      public boolean next() {
        if (at < last) {
          at++;
          return true;
        }
        return false;
      }

      @Override
      public byte[] key() {
        return Table.this.key(places[at]);
      }

      @Override
      public byte[] value() {
        byte[] value = Table.this.value(places[at]);
        return value == REMOVED ? null : value;
      }
    };
  }

  /** How many rows stand before a key. */
  private int firstFrom(long[] places, byte[] key) {
    int low = 0;
    int high = places.length;
    while (low < high) {
      int middle = (low + high) >>> 1;
      long place = places[middle];
      int start = offset(place) + HEAD_BYTES;
      int compared =
          Arrays.compareUnsigned(chunk(place), start, start + keyLength(place), key, 0, key.length);
      if (compared < 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  private long[] order() {
    long[] known = order;
    if (known == null) {
      long[] places = new long[rows];
      int count = 0;
      for (long each : slots) {
        if (each != 0) {
          places[count++] = each & PLACE;
        }
      }
      sort(places, places.clone(), 0, count);
      order = places;
      known = places;
    }
    return known;
  }

  /** Merge sort: both arrays hold the same, and the first one comes to be in order. */
  private void sort(long[] sorted, long[] spare, int from, int to) {
    if (to - from < 2) {
      return;
    }
    int middle = (from + to) >>> 1;
    sort(spare, sorted, from, middle);
    sort(spare, sorted, middle, to);
    int left = from;
    int right = middle;
    for (int i = from; i < to; i++) {
      boolean takesLeft = right == to || (left < middle && compare(spare[left], spare[right]) <= 0);
      sorted[i] = takesLeft ? spare[left++] : spare[right++];
    }
  }

  private int compare(long one, long other) {
    int from = offset(one) + HEAD_BYTES;
    int otherFrom = offset(other) + HEAD_BYTES;
    return Arrays.compareUnsigned(
        chunk(one),
        from,
        from + keyLength(one),
        chunk(other),
        otherFrom,
        otherFrom + keyLength(other));
  }
}
