// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cairn.server.FreePorts;
import dev.cairn.server.access.AccessControl;
import dev.cairn.server.command.CommandTable;
import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.peer.EventLoops;
import dev.cairn.server.peer.PeerRun;
import dev.cairn.server.peer.PeerTransport;
import dev.cairn.server.replication.Shards;
import dev.cairn.server.replication.WrittenLog;
import dev.cairn.server.tls.PeerTls;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The cluster's own state: one successor of each, whoever proposes and however late. */
class MetaGroupTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  @TempDir Path folder;

  /**
   * A controller slept between its look at the state and its proposal; another had its way
   * meanwhile. What the sleeper wanted must not happen, neither at once nor on the next round.
   */
  @Test
  void thePlanOfAControllerThatSleptIsNotCarriedOut() throws Exception {
    int port = FreePorts.next();
    Member self =
        new Member(
            "a".repeat(40), "127.0.0.1:5000", "127.0.0.1", 5000, 25_000, "127.0.0.1", port, 1, 1);
    ClusterState founded = ClusterState.founded("c".repeat(40), 1, 2, List.of(self));
    List<ClusterState> applied = new CopyOnWriteArrayList<>();
    try (Metrics metrics = new Metrics();
        EventLoops loops = EventLoops.shared(1);
        WrittenLog log = WrittenLog.open(folder.resolve("log"), self.id(), damage -> {}, metrics);
        Shards engine =
            Shards.start(
                PeerTransport.listen(
                    "127.0.0.1", port, new PeerRun(self.id(), 1, "start"), PeerTls.off(), loops),
                log)) {
      log.writeIncarnation(founded.metaGroup(), 1);
      try (MetaGroup meta =
          MetaGroup.open(
              engine,
              MetaGroup.Kept.in(folder),
              founded,
              self,
              AccessControl.open(CommandTable.catalog()),
              applied::add,
              failure -> {
                throw new AssertionError(failure);
              })) {
        await().atMost(PATIENCE).until(() -> meta.leadingTerm().isPresent());
        ClusterState first = founded.withFirstPlacement();
        ClusterState slept = founded.next(founded.members(), List.of()); // no placement at all
        ClusterState second = first.next(first.members(), first.partitions());
        meta.propose(first);
        await().atMost(PATIENCE).until(() -> meta.state().equals(first));
        meta.propose(slept);
        meta.propose(second);
        await().atMost(PATIENCE).until(() -> meta.state().equals(second));
        assertThat(applied).containsExactly(founded, first, second);
      }
    }
  }
}
