// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.routing;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.LongSupplier;

/**
 * The cursors that a node has given out, and where each goes on. A key is longer than a cursor, so
 * a cursor carries a token, and the node that made it keeps what the token stands for in a bounded
 * table.
 *
 * <pre>
 *   cursor ::= token * 2^(10+p) + node * 2^p + partition     p bits hold every partition's index
 *            | partition                                     its start; 0: the start of all
 *   token  ::= a random number from 1 of 43 - p bits
 *   node   ::= the index of the node that made it among the members, modulo 1024
 * </pre>
 *
 * <p>53 bits in all: some clients keep numbers as doubles. A token that the node does not have was
 * made before it started anew, or evicted: the scan goes on at the partition's start, which shows
 * keys twice and misses none. That such a token is by chance in the table again, for the same
 * partition, has a probability below 10^-9.
 *
 * <p>A scan holds at most two places: the one that it was given last, and the one before it, so
 * that a step can be repeated. Any thread.
 */
public final class ScanCursors {
  /** How many places are kept. */
  static final int PLACES_MAX = 4_096;

  /** What their keys may take, bytes. */
  static final long BYTES_MAX = 8L << 20;

  private static final int CURSOR_BITS = 53;
  private static final int NODE_BITS = 10;
  private static final int NODE_MASK = (1 << NODE_BITS) - 1;

  private final LongSupplier random;
  private final Map<Long, Place> places = new LinkedHashMap<>(16, 0.75f, true); // guarded by this
  private long bytes; // guarded by this

  /** A row of the table. */
  private record Place(ScanPosition position, long tokenBefore) {}

  /**
   * An empty table.
   *
   * @param random random numbers, of all 64 bits
   */
  public ScanCursors(LongSupplier random) {
    this.random = random;
  }

  /** The start of a cursor's partition; of the first for a cursor that cannot be. */
  public static ScanPosition start(long cursor, int partitions) {
    long partition = cursor & ((1L << partitionBits(partitions)) - 1);
    return ScanPosition.startOf(partition < partitions ? (int) partition : 0);
  }

  /** Which node made a cursor, by its index; empty for one that every node knows. */
  public static OptionalInt node(long cursor, int partitions) {
    return token(cursor, partitions) == 0
        ? OptionalInt.empty()
        : OptionalInt.of((int) (cursor >>> partitionBits(partitions)) & NODE_MASK);
  }

  /** Whether a node of this index is meant by {@link #node}. */
  public static boolean isNode(int index, int meant) {
    return (index & NODE_MASK) == meant;
  }

  /** What this node's table says of a cursor that it made. */
  public synchronized Optional<ScanPosition> find(long cursor, int partitions) {
    return Optional.ofNullable(places.get(token(cursor, partitions)))
        .map(Place::position)
        .filter(position -> position.partition() == start(cursor, partitions).partition());
  }

  /**
   * A cursor that goes on at a position.
   *
   * @param before the cursor of the step that ended there
   * @param node this node's index
   */
  public synchronized long cursor(long before, int partitions, int node, ScanPosition position) {
    if (position.from().length == 0) {
      return position.partition();
    }
    long tokenBefore = token(before, partitions);
    Place placeBefore = places.get(tokenBefore);
    if (placeBefore != null) {
      remove(placeBefore.tokenBefore());
    }
    int otherBits = NODE_BITS + partitionBits(partitions);
    long token;
    do {
      token = random.getAsLong() >>> (Long.SIZE - CURSOR_BITS + otherBits);
    } while (token == 0 || places.containsKey(token));
    places.put(token, new Place(position, tokenBefore));
    bytes += position.from().length;
    evict();
    return token << otherBits
        | (long) (node & NODE_MASK) << partitionBits(partitions)
        | position.partition();
  }

  private void evict() {
    Iterator<Place> oldest = places.values().iterator();
    while (places.size() > PLACES_MAX || bytes > BYTES_MAX) {
      bytes -= oldest.next().position().from().length;
      oldest.remove();
    }
  }

  private void remove(long token) {
    Place removed = places.remove(token);
    bytes -= removed == null ? 0 : removed.position().from().length;
  }

  /** How many places are kept. */
  synchronized int size() {
    return places.size();
  }

  private static long token(long cursor, int partitions) {
    return cursor >>> (NODE_BITS + partitionBits(partitions));
  }

  private static int partitionBits(int partitions) {
    return Long.SIZE - Long.numberOfLeadingZeros(Math.max(1, partitions - 1));
  }
}
