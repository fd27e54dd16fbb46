// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.peer;

/** What became of a message to a peer. */
public sealed interface Answer {
  /** The peer's answer. */
  record Received(byte[] body) implements Answer {}

  /** No byte of it left this process. */
  record NotSent(String reason) implements Answer {}

  /**
   * It may have arrived and been acted on; no answer came.
   *
   * @param timedOut whether the time was up, rather than the connection gone
   */
  record Lost(String reason, boolean timedOut) implements Answer {}
}
