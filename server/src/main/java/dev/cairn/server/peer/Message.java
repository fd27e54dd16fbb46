// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.peer;

import java.util.concurrent.Executor;
import java.util.function.Consumer;

/**
 * A message to a peer until it is answered.
 *
 * @param done told the answer, by {@code where}; null for a word, which has none
 */
record Message(
    byte kind,
    short stream,
    byte[] body,
    long deadlineNanos,
    Executor where,
    Consumer<Answer> done) {
  boolean isWord() {
    return done == null;
  }
}
