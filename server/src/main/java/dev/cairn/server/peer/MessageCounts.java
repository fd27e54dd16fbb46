// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.peer;

import java.util.concurrent.atomic.LongAdder;

/** How many messages this node has sent to its peers and got of them, answers too. Any thread. */
final class MessageCounts {
  private final LongAdder sent = new LongAdder();
  private final LongAdder received = new LongAdder();

  void sent() {
    sent.increment();
  }

  void received() {
    received.increment();
  }

  long allSent() {
    return sent.sum();
  }

  long allReceived() {
    return received.sum();
  }
}
