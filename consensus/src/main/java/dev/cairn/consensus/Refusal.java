// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus;

/** Why something was refused. Nothing was done. */
public enum Refusal {
  /** This member does not lead. */
  NOT_LEADER,
  /** It leads to hand on: it is a witness, or a transfer is under way. */
  HANDING_ON,
  /** The plan's epoch is lower than one that was carried out already. */
  OUTDATED,
  /** The configuration is another one than the plan expects. */
  OTHER_CONFIGURATION,
  /** A change is under way, or this leader has not committed anything yet. */
  CHANGING,
  /** A replica that is to vote is not a learner yet, or lacks too many entries. */
  BEHIND,
  /** The target has no voters, is joint, or gives a voter another role. */
  IMPOSSIBLE
}
