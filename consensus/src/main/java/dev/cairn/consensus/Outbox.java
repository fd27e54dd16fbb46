// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Messages on their way out. One that says something of the disk (a vote, an acknowledgement, a
 * term) leaves only after the write that it speaks of, and only while its sender is still in the
 * term in which it was made.
 *
 * <p>Invariant: messages that wait are in the order of their writes' numbers.
 */
final class Outbox {
  private record Waiting(long sequence, long term, Message message) {}

  private final Deque<Waiting> waiting = new ArrayDeque<>();
  private List<Message> ready = new ArrayList<>();

  /**
   * Sends a message once a write is durable.
   *
   * @param sequence the write's number
   * @param durableSequence how far writes are durable now
   * @param term the sender's term now
   */
  void send(Message message, long sequence, long durableSequence, long term) {
    if (sequence <= durableSequence) {
      ready.add(message);
    } else {
      waiting.addLast(new Waiting(sequence, term, message));
    }
  }

  /** Lets go what waited for writes that are durable now. */
  void durableUpTo(long durableSequence, long term) {
    waiting.removeIf(
        each -> {
          if (each.sequence() > durableSequence) {
            return false;
          }
          if (each.term() == term) {
            ready.add(each.message());
          }
          return true;
        });
  }

  boolean isEmpty() {
    return waiting.isEmpty() && ready.isEmpty();
  }

  List<Message> take() {
    List<Message> taken = ready;
    ready = new ArrayList<>();
    return taken;
  }
}
