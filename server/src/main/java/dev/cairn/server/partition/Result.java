// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

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

  /** About how many bytes it holds. */
  default long bytes() {
    if (this instanceof Bytes bytes) {
      return 16L + bytes.value().length;
    }
    if (this instanceof Many many) {
      return 16 + many.results().stream().mapToLong(Result::bytes).sum();
    }
    return 16;
  }
}
