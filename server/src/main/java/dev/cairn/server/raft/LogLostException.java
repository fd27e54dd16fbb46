// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import java.io.IOException;

/**
 * The write-ahead log on disk is less than what was fsynced, or that of an older copy: entries or
 * votes that this node has acknowledged are gone. A node that meets it opens no group; it comes
 * back under a new incarnation.
 */
public final class LogLostException extends IOException {
  /** What is gone, for whoever looks at the log. */
  public LogLostException(String message, Throwable cause) {
    super(message, cause);
  }
}
