// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.server.raft.LogDamagedException;
import dev.cairn.server.replication.RoundFailedException;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/** What follows from faults of the engine and of the log. */
class NodeFaultTest {
  @Test
  void aRoundThatFailedIsNoFaultOfTheDiskWhateverBroughtIt() {
    for (Throwable cause :
        new Throwable[] {
          new IllegalStateException("a bug"),
          new IOException("No space left on device"),
          new LogDamagedException(LogDamagedException.Kind.DAMAGED, "damaged", null)
        }) {
      assertThat(NodeFault.of(new RoundFailedException(cause)).kind())
          .isEqualTo(NodeFault.Kind.ROUND_FAILED);
    }
  }

  @Test
  void aLogSaysWhatIsWrong() {
    assertThat(of(LogDamagedException.Kind.NO_ROOM)).isEqualTo(NodeFault.Kind.NO_ROOM);
    assertThat(of(LogDamagedException.Kind.DAMAGED)).isEqualTo(NodeFault.Kind.LOG_DAMAGED);
    assertThat(of(LogDamagedException.Kind.FAILED)).isEqualTo(NodeFault.Kind.DISK_FAILED);
  }

  private static NodeFault.Kind of(LogDamagedException.Kind kind) {
    return NodeFault.of(new LogDamagedException(kind, "a log", null)).kind();
  }
}
