// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

/**
 * One request of one client and what came of it.
 *
 * @param process the client, which has one request in flight at a time
 * @param action with its answer if there was one
 * @param outcome what the client was told
 * @param invokedNanos just before it was sent; all clients share the clock
 * @param completedNanos just after the answer came; {@link #NEVER} when none did
 */
public record Observation(
    int process,
    String key,
    Action action,
    Outcome outcome,
    long invokedNanos,
    long completedNanos) {
  /** The completion time of what has no answer: it may take effect at any later time. */
  public static final long NEVER = Long.MAX_VALUE;

  /** What the client was told. */
  public enum Outcome {
    /** It happened, with the answer in {@link Observation#action}. */
    OK,
    /** It did not happen and never will. */
    FAILED,
    /** It may have happened, or may yet happen, once. */
    UNKNOWN
  }

  /** Whether the answer had come before the other was sent. */
  boolean precedes(Observation other) {
    return completedNanos < other.invokedNanos;
  }
}
