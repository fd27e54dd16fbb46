// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

/** The log cannot do what it was asked. Its kind says what helps. */
public final class LogException extends RuntimeException {
  private final Kind kind;

  /** What is wrong. */
  public enum Kind {
    /** The disk is full. Nothing was written or lost; it works again once there is room. */
    NO_ROOM,
    /** More waits to be written than the log may hold in memory. Nothing was taken. */
    BUSY,
    /**
     * What is on disk is not what had been synced: entries and votes that this node acknowledged
     * are lost. It must not vote with what is left.
     */
    DAMAGED,
    /**
     * A write, a sync or a read failed. What is on disk nobody can tell until it is read anew, so
     * nothing is written and acknowledged any more until the log is opened again.
     */
    FAILED,
    /** The files belong to another log, or have a version that this release does not know. */
    FOREIGN,
    /** The log was closed. */
    CLOSED
  }

  /** An error without a cause of its own. */
  public LogException(Kind kind, String message) {
    this(kind, message, null);
  }

  /** An error that another one brought. */
  public LogException(Kind kind, String message, Throwable cause) {
    super(message, cause);
    this.kind = kind;
  }

  /** What is wrong. */
  public Kind kind() {
    return kind;
  }
}
