// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import java.util.concurrent.atomic.AtomicLong;

/** Counts the bytes that requests hold, from their first byte to their reply. Any thread. */
public final class RequestMemory {
  private final long bytesMax;
  private final AtomicLong bytes = new AtomicLong();

  /** A count that may reach {@code bytesMax}. */
  public RequestMemory(long bytesMax) {
    this.bytesMax = bytesMax;
  }

  /** Takes bytes if they are to be had. */
  public boolean take(long wanted) {
    if (bytes.addAndGet(wanted) > bytesMax) {
      bytes.addAndGet(-wanted);
      return false;
    }
    return true;
  }

  /** Gives bytes back that were taken. */
  public void give(long returned) {
    bytes.addAndGet(-returned);
  }

  /** How many bytes are held now. */
  public long bytes() {
    return bytes.get();
  }
}
