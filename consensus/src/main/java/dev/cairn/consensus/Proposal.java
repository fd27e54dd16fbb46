// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus;

/**
 * What became of a proposal at once.
 *
 * @param index of the first entry; 0 if refused
 * @param term in which it stands; 0 if refused
 * @param refusal why not; null if it was accepted
 */
public record Proposal(long index, long term, Refusal refusal) {
  static Proposal accepted(long index, long term) {
    return new Proposal(index, term, null);
  }

  static Proposal refused(Refusal refusal) {
    return new Proposal(0, 0, refusal);
  }

  /** Whether it stands in the log. */
  public boolean isAccepted() {
    return refusal == null;
  }
}
