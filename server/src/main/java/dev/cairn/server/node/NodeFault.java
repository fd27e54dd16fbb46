// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import dev.cairn.server.raft.LogDamagedException;
import dev.cairn.server.raft.LogLostException;
import dev.cairn.server.replication.RoundFailedException;
import dev.cairn.server.storage.StorageException;
import java.io.IOException;
import java.util.function.Consumer;

/**
 * A fault that stops all of the node's groups, most of them of its disk, and what follows from it.
 *
 * @param kind what is wrong
 * @param cause how it showed
 */
record NodeFault(Kind kind, Throwable cause) {
  /** What is wrong, and so what the node does. */
  enum Kind {
    /** The disk was full: everything is closed, and opened anew once there is room. */
    NO_ROOM,
    /** The log on disk is not what was written: the node comes back as a new one. */
    LOG_DAMAGED,
    /** The data folder is an older copy: the node comes back as a new one. */
    OLDER_COPY,
    /** Another process runs with this node's identity: this one ends. */
    OTHER_RUN,
    /** An fsync failed, or the disk: the process ends, and nothing is tried again. */
    DISK_FAILED,
    /** What decides for the groups broke off, by a bug: the process ends. The disk is well. */
    ROUND_FAILED
  }

  /** What follows from a failure, by the first cause that says. */
  static NodeFault of(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof RoundFailedException) {
        return new NodeFault(Kind.ROUND_FAILED, failure);
      }
      if (cause instanceof LogDamagedException log) {
        return new NodeFault(
            switch (log.kind()) {
              case NO_ROOM -> Kind.NO_ROOM;
              case DAMAGED -> Kind.LOG_DAMAGED;
              case FAILED -> Kind.DISK_FAILED;
            },
            failure);
      }
      if (cause instanceof StorageException storage && storage.outOfRoom()) {
        return new NodeFault(Kind.NO_ROOM, failure);
      }
      if (cause instanceof IOException
          && String.valueOf(cause.getMessage()).contains("No space left on device")) {
        return new NodeFault(Kind.NO_ROOM, failure);
      }
    }
    return new NodeFault(Kind.DISK_FAILED, failure);
  }

  /** What follows from what others say of this node's start. */
  static Introduction.Heard heard(Consumer<NodeFault> onFault) {
    return new Introduction.Heard() {
      @Override
      public void older(String why) {
        tell(NodeFault.Kind.OLDER_COPY, why);
      }

      @Override
      public void otherRun(String why) {
        tell(NodeFault.Kind.OTHER_RUN, why);
      }

      private void tell(NodeFault.Kind kind, String why) {
        onFault.accept(new NodeFault(kind, new LogLostException(why, null)));
      }
    };
  }
}
