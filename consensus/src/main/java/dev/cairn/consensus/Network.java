// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus;

/** Where a {@link Shard} puts what it has for other nodes. It may lose, double and delay it. */
public interface Network {
  /** Sends a batch to the node that it names. */
  void send(Batch batch);
}
