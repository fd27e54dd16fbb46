// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

/**
 * Where a batch is, in one number: the ordinal of its segment, and the block where it begins. A
 * copied file has the ordinal of the segment for which it stands.
 */
final class Place {
  /** Of entries that should be there and were not found. */
  static final long MISSING = -1;

  private static final int BLOCK_BITS = 24;

  private Place() {}

  static long of(long ordinal, int block) {
    return ordinal << BLOCK_BITS | block;
  }

  static long ordinal(long place) {
    return place >> BLOCK_BITS;
  }

  static int block(long place) {
    return (int) (place & ((1 << BLOCK_BITS) - 1));
  }
}
