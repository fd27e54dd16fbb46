// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

/**
 * Something proposed by this process. When its entry is applied here, {@link GroupListener#apply}
 * gets this object back and completes it; in every other case one of the two methods is called.
 *
 * <p>One that is not committed waits as long as this node leads: its owner needs a deadline of its
 * own.
 */
public interface Proposal {
  /** It never reached the log, and never will. */
  void refused(String reason);

  /** It was in the log when this node lost the lead: it may be applied or not. */
  void unknown(String reason);
}
