// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

/**
 * What a command's exit status means; every {@code --help} says so too, but for the last, which all
 * commands share.
 */
final class ExitStatus {
  static final int DONE = 0;

  /** The key is missing; for {@code status}, the cluster is not healthy. */
  static final int NOT_FOUND = 1;

  /** Nothing was changed. */
  static final int ERROR = 2;

  /** The write may or may not have been applied. */
  static final int UNKNOWN = 3;

  /** Nobody read the results to their end: what a shell says of a command that SIGPIPE ended. */
  static final int OUTPUT_CLOSED = 141;

  private ExitStatus() {}
}
