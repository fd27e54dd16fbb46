// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.routing;

import java.util.concurrent.atomic.AtomicLong;

/**
 * Counts the bytes of answers that this node holds because their clients have not read them yet, of
 * all connections together. While there are too many no read is sent to a leader: it waits, and so
 * memory does not grow with the number of connections.
 *
 * <p>An answer's size is known only once it is there. So the bound may be passed by what was asked
 * for before: one batch of reads for each partition.
 *
 * <p>Threads: any.
 */
public final class ReplyMemory {
  private final long bytesMax;
  private final AtomicLong bytes = new AtomicLong();

  /** Of that many bytes, 0 or more. */
  public ReplyMemory(long bytesMax) {
    this.bytesMax = bytesMax;
  }

  /** An answer is held from now on. */
  public void take(long taken) {
    bytes.addAndGet(taken);
  }

  /** It was sent, or its client is gone. */
  public void give(long returned) {
    bytes.addAndGet(-returned);
  }

  /** Whether more is held than should be. */
  public boolean full() {
    return bytes.get() > bytesMax;
  }

  /** How much is held. */
  public long bytes() {
    return bytes.get();
  }
}
