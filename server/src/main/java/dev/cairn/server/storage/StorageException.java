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

  private final boolean outOfRoom;

  StorageException(String message) {
    super(message);
    this.outOfRoom = false;
  }

  StorageException(String message, RocksDBException cause) {
    super(message + ": " + cause.getMessage(), cause);
    Status status = cause.getStatus();
    this.outOfRoom = status != null && status.getSubCode() == Status.SubCode.NoSpace;
  }

  StorageException(String message, IOException cause) {
    super(message + ": " + cause.getMessage(), cause);
    this.outOfRoom = String.valueOf(cause.getMessage()).contains("No space left on device");
  }

  StorageException(String message, Status status) {
    super(message + ": " + status.getCodeString() + " " + status.getState());
    this.outOfRoom = status.getSubCode() == Status.SubCode.NoSpace;
  }

  StorageException(String message, StorageException cause) {
    super(message + ": " + cause.getMessage(), cause);
    this.outOfRoom = cause.outOfRoom;
  }

  /** Whether the disk was full: all is well again once there is room and the data is reopened. */
  public boolean outOfRoom() {
    return outOfRoom;
  }
}
