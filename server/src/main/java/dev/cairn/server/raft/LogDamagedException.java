// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

/**
 * The write-ahead log could not be read or written where it must be. Once thrown the log is latched
 * until the process ends: it takes no entry and no vote.
 */
public final class LogDamagedException extends RuntimeException {
  LogDamagedException(String message, Throwable cause) {
    super(message, cause);
  }
}
