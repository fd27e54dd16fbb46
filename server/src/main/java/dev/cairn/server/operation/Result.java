// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.operation;

import java.util.List;

/** What one {@link Operation} or {@link Query} answers. */
public sealed interface Result {
  /** Done; there is nothing more to say. */
  record Ok() implements Result {}

  /** There is no such key, or a condition did not hold. */
  record Nil() implements Result {}

  /** A number. */
  record Int(long value) implements Result {}

  /** A value; never modified after construction. */
  record Bytes(byte[] value) implements Result {}

  /** Several answers. */
  record Many(List<Result> results) implements Result {
    public Many {
      results = List.copyOf(results);
    }
  }

  /** Nothing was done: what was asked does not fit the data. */
  record Failed(Mistake mistake) implements Result {}

  /** The one result of a request with an id that was not applied now. */
  record NotApplied(Why why) implements Result {
    /** Why it was not. */
    public enum Why {
      /** It may have been applied before: the ids of its time are not kept any more. */
      FORGOTTEN,
      /** It was issued later than the partition's time is: certainly never applied so far. */
      EARLY,
      /** It was applied before, and its answer was too large to keep. */
      ANSWER_TOO_LARGE
    }
  }

  /** About how many bytes it holds. */
  default long bytes() {
    if (this instanceof Bytes bytes) {
      return 16L + bytes.value().length;
    }
    if (this instanceof Many many) {
      return 16 + bytes(many.results());
    }
    return 16;
  }

  /** About how many bytes several of them hold. */
  static long bytes(List<Result> results) {
    long bytes = 0;
    for (Result result : results) {
      bytes += result.bytes();
    }
    return bytes;
  }
}
