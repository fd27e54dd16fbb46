// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.resp;

import java.util.concurrent.atomic.AtomicLong;

/** Counts the bytes that requests hold, from their first byte to their reply. Any thread. */
final class RequestMemory {
  private final long bytesMax;
  private final AtomicLong bytes = new AtomicLong();

  RequestMemory(long bytesMax) {
    this.bytesMax = bytesMax;
  }

  /** Takes bytes if they are to be had. */
  boolean take(long wanted) {
    if (bytes.addAndGet(wanted) > bytesMax) {
      bytes.addAndGet(-wanted);
      return false;
    }
    return true;
  }

  void give(long returned) {
    bytes.addAndGet(-returned);
  }

  long bytes() {
    return bytes.get();
  }
}
