// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

/**
 * The write-ahead log could not be read or written where it must be. Once thrown the log is latched
 * until it is opened anew: it takes no entry and no vote.
 */
public final class LogDamagedException extends RuntimeException {
  private final Kind kind;

  /** What is wrong, and so what helps. */
  public enum Kind {
    /** The disk was full. Opened anew once there is room, the log is as it was acknowledged. */
    NO_ROOM,
    /** What is on disk is not what was written: the node has lost entries or votes. */
    DAMAGED,
    /** The disk failed, or an fsync: what is on it now nobody can tell. */
    FAILED
  }

  /**
   * A fault of the log.
   *
   * @param message what was tried, and what came of it
   */
  public LogDamagedException(Kind kind, String message, Throwable cause) {
    super(message, cause);
    this.kind = kind;
  }

  /** What is wrong. */
  public Kind kind() {
    return kind;
  }
}
