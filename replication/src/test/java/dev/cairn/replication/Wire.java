// SPDX-License-Identifier: Apache-2.0
package dev.cairn.replication;

import dev.cairn.consensus.Batch;
import java.util.Arrays;

/** What arrives of a batch that travels as bytes. */
final class Wire {
  private Wire() {}

  static Batch cross(Batch batch) {
    byte[] bytes = BatchCodec.encode(batch);
    Batch arrived = BatchCodec.decode(bytes);
    if (!Arrays.equals(bytes, BatchCodec.encode(arrived))) {
      throw new AssertionError("other bytes than those that brought it: " + arrived);
    }
    return arrived;
  }
}
