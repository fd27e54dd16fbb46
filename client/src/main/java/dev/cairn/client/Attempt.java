// SPDX-License-Identifier: Apache-2.0
package dev.cairn.client;

import dev.cairn.protocol.RespValue;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicReference;

/**
 * One request given to one connection, once. Here it is decided whether its bytes may have left
 * this process, which is what an unknown outcome is made of.
 *
 * <pre>
 * QUEUED ──writer takes it──▶ WRITTEN ──reply, cut or timeout──▶ DONE
 *    └────────withdrawn, or cut: certainly not sent────────────────▲
 * </pre>
 *
 * <p>Invariants: each transition happens once, by compare-and-set; exactly one party (connection,
 * or the call that withdraws or abandons) moves it to DONE, and only that party acts on it.
 */
final class Attempt {
  /** Hears of the end, unless the attempt was withdrawn or abandoned. */
  interface Listener {
    void replied(RespValue reply);

    /**
     * The connection ended first.
     *
     * @param sent whether bytes of the request may have left this process
     */
    void cut(boolean sent, IOException cause);
  }

  private enum State {
    QUEUED,
    WRITTEN,
    DONE
  }

  private final AtomicReference<State> state = new AtomicReference<>(State.QUEUED);
  private final byte[][] arguments;
  private final long startedNanos;
  private final Listener listener;

  Attempt(byte[][] arguments, long startedNanos, Listener listener) {
    this.arguments = arguments;
    this.startedNanos = startedNanos;
    this.listener = listener;
  }

  byte[][] arguments() {
    return arguments;
  }

  long startedNanos() {
    return startedNanos;
  }

  /** The writer is about to write; false when there is no need any more. */
  boolean take() {
    return state.compareAndSet(State.QUEUED, State.WRITTEN);
  }

  /** Ends an attempt that was certainly not sent; false when it may have been, or has ended. */
  boolean withdraw() {
    return state.compareAndSet(State.QUEUED, State.DONE);
  }

  /** Stops waiting for the reply of what may have been sent; false when it has ended. */
  boolean abandon() {
    return state.compareAndSet(State.WRITTEN, State.DONE);
  }

  void reply(RespValue reply) {
    if (abandon()) {
      listener.replied(reply);
    }
  }

  void cut(IOException cause) {
    if (withdraw()) {
      listener.cut(false, cause);
    } else if (abandon()) {
      listener.cut(true, cause);
    }
  }
}
