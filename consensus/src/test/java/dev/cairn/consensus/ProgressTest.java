// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** What a leader believes of a peer, where the simulator comes to it once in thousands of seeds. */
class ProgressTest {
  @Test
  void anAnswerThatWasOvertakenDoesNotMoveALogsBeginningBack() {
    Progress witness = new Progress(1, 0);
    assertThat(witness.base()).isEqualTo(Long.MAX_VALUE);
    witness.base(20);
    witness.base(33);
    witness.base(20); // sent before the one above, and late
    assertThat(witness.base()).isEqualTo(33);
  }

  @Test
  void aSnapshotMovesALogsBeginning() {
    Progress witness = new Progress(1, 0);
    witness.base(0);
    witness.install();
    witness.installed(12);
    assertThat(witness.base()).isEqualTo(12);
    assertThat(witness.match()).isEqualTo(12);
  }
}
