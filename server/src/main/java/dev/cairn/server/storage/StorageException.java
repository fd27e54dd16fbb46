// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.storage;

import java.io.IOException;
import org.rocksdb.RocksDBException;
import org.rocksdb.Status;

/**
 * The storage could not do what it was asked to, or refuses to. Never an answer to a user's
 * mistake: whoever applies entries must stop on it.
 */
public final class StorageException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final Kind kind;

  /** What is wrong, and so what helps. */
  public enum Kind {
    /** The disk was full: all is well again once there is room and the data is opened anew. */
    NO_ROOM,
    /** What is on disk is not what was written. The rest of the disk may be fine. */
    DAMAGED,
    /** The disk failed, or an fsync. */
    FAILED,
    /** Nothing of the disk: closed, of another identity, or refused after another fault. */
    REFUSED
  }

  StorageException(String message) {
    super(message);
    this.kind = Kind.REFUSED;
  }

  StorageException(String message, Kind kind) {
    super(message);
    this.kind = kind;
  }

  StorageException(String message, RocksDBException cause) {
    super(message + ": " + cause.getMessage(), cause);
    this.kind = cause.getStatus() == null ? Kind.FAILED : kindOf(cause.getStatus());
  }

  StorageException(String message, IOException cause) {
    super(message + ": " + cause.getMessage(), cause);
    this.kind =
        String.valueOf(cause.getMessage()).contains("No space left on device")
            ? Kind.NO_ROOM
            : Kind.FAILED;
  }

  StorageException(String message, Status status) {
    super(message + ": " + status.getCodeString() + " " + status.getState());
    this.kind = kindOf(status);
  }

  StorageException(String message, StorageException cause) {
    super(message + ": " + cause.getMessage(), cause);
    this.kind = cause.kind;
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

  /** What is wrong. */
  public Kind kind() {
    return kind;
  }

  /** Whether the disk was full: all is well again once there is room and the data is reopened. */
  public boolean outOfRoom() {
    return kind == Kind.NO_ROOM;
  }
}
