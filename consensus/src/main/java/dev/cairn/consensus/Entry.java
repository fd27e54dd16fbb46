// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus;

/**
 * One entry of a group's log.
 *
 * @param index its place; the first is 1
 * @param term of the leader that made it
 * @param data what the group's state machine is to apply; null for the two kinds below
 * @param configuration who belongs to the group from here on; null for the two other kinds. An
 *     entry with neither is the first one of a leader's term.
 */
public record Entry(long index, long term, byte[] data, Configuration configuration) {
  /** What an entry weighs beside its data, in bytes: a bound for windows and frames. */
  private static final int FRAME_BYTES = 32;

  static Entry ofData(long index, long term, byte[] data) {
    return new Entry(index, term, data, null);
  }

  static Entry ofConfiguration(long index, long term, Configuration configuration) {
    return new Entry(index, term, null, configuration);
  }

  static Entry firstOfTerm(long index, long term) {
    return new Entry(index, term, null, null);
  }

  /** About how many bytes it takes in memory and in a message. */
  int bytes() {
    return FRAME_BYTES + (data == null ? 0 : data.length);
  }

  @Override
  public String toString() {
    String kind =
        configuration != null ? " configuration" : data == null ? " first" : " " + data.length;
    return index + "@" + term + kind;
  }
}
