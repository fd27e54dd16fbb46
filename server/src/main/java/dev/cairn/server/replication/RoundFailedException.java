// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.replication;

/**
 * What this node decides for its groups broke off in the middle. That is a bug and no fault of the
 * disk. What it left behind in memory nobody can tell, so nothing may be built on it: the process
 * has to end, and begins anew from what is on disk.
 */
public final class RoundFailedException extends RuntimeException {
  /** The bug is the cause. */
  public RoundFailedException(Throwable cause) {
    super("a round of this node's groups failed: " + cause, cause);
  }
}
