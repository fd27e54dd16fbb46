// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cairn.consensus.Configuration;
import dev.cairn.consensus.SnapshotReference;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What other nodes fetch of a node's groups, as groups come and go. */
class GroupCopiesTest {
  private static final long GROUP = 2;

  @TempDir Path temporary;
  private final Map<Long, Machine> machines = new HashMap<>();
  private final GroupCopies copies =
      new GroupCopies(null, Runnable::run, group -> Optional.ofNullable(machines.get(group)));

  @Test
  void aGroupThatIsNotOpenHasNoData() {
    assertThatThrownBy(() -> copies.open(GROUP))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("not open here");
  }

  @Test
  void aCheckpointIsDeletedByTheGroupThatMadeItAlsoWhenThatHasEnded() throws IOException {
    MapReplica replica = new MapReplica(temporary);
    machines.put(GROUP, machine(replica));
    Path checkpoint = copies.open(GROUP).checkpoint();
    assertThat(checkpoint).exists();
    machines.clear();
    copies.close(checkpoint);
    assertThat(checkpoint).doesNotExist();
  }

  @Test
  void aFolderThatWasNotGivenIsRefusedByName() {
    assertThatThrownBy(() -> copies.close(temporary.resolve("unknown")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("unknown");
  }

  @Test
  void aGroupThatKeepsItsWholeLogFetchesNothing() throws Exception {
    CompletableFuture<CopyFetch.Result> result = new CompletableFuture<>();
    copies.fetch("other", GROUP, 1, Optional.empty(), result::complete);
    assertThat(result.get(20, TimeUnit.SECONDS))
        .isEqualTo(
            new CopyFetch.Failed(
                CopyFetch.Kind.PASSING,
                "java.lang.IllegalStateException: the group keeps its log"));
  }

  private static Machine machine(MapReplica replica) {
    return new Machine(
        "cairn-test-p0",
        Runnable::run,
        replica,
        Optional.of(replica),
        new SnapshotReference(0, 0, Configuration.NONE, 0),
        () -> {});
  }
}
