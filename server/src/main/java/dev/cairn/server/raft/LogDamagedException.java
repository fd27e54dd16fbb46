// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import java.io.IOException;
import org.rocksdb.RocksDBException;
import org.rocksdb.Status;

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

  LogDamagedException(String message, Throwable cause) {
    super(message, cause);
    this.kind = kindOf(cause);
  }

  /** A fault whose kind is known. */
  public LogDamagedException(Kind kind, String message, Throwable cause) {
    super(message, cause);
    this.kind = kind;
  }

  /** What is wrong. */
  public Kind kind() {
    return kind;
  }

  private static Kind kindOf(Throwable cause) {
    if (cause instanceof LogDamagedException inner) {
      return inner.kind;
    }
    if (cause instanceof RocksDBException database && database.getStatus() != null) {
      return kindOf(database.getStatus());
    }
    if (cause instanceof IOException failure) {
      return String.valueOf(failure.getMessage()).contains("No space left on device")
          ? Kind.NO_ROOM
          : Kind.FAILED;
    }
    return cause == null ? Kind.DAMAGED : Kind.FAILED;
  }

  private static Kind kindOf(Status status) {
    if (status.getSubCode() == Status.SubCode.NoSpace) {
      return Kind.NO_ROOM;
    }
    boolean damaged =
        status.getCode() == Status.Code.Corruption
            || String.valueOf(status.getState()).contains("No such file");
    return damaged ? Kind.DAMAGED : Kind.FAILED;
  }
}
