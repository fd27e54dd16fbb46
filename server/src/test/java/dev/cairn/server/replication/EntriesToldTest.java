// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.replication;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.server.FreePorts;
import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.peer.LocalPeers;
import dev.cairn.server.peer.PeerTransport;
import dev.cairn.server.raft.Founders;
import dev.cairn.server.raft.GroupListener;
import dev.cairn.server.raft.Peer;
import dev.cairn.server.raft.Proposal;
import dev.cairn.server.raft.RaftGroup;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A state machine that keeps nothing is told of each entry of its log, at each start. */
class EntriesToldTest {
  private static final String GROUP = "cairn-test-p0";

  @TempDir Path temporary;
  private final Told told = new Told();

  @Test
  void aGroupTellsAllOfItsLogOverRestartsAndAChangeOfVoters() throws Exception {
    int port = FreePorts.next();
    int otherPort = FreePorts.next();
    Peer self = new Peer(LocalPeers.id(port), 1);
    Peer other = new Peer(LocalPeers.id(otherPort), 1);
    Founders founders = new Founders(List.of(self, other), List.of(), List.of());
    try (WrittenLog ownLog = open(self);
        WrittenLog otherLog = open(other)) {
      for (int start = 1; start <= 2; start++) {
        told.startBehind(0);
        PeerTransport transport = LocalPeers.listen(port, start);
        PeerTransport otherTransport = LocalPeers.listen(otherPort, start);
        LocalPeers.at(transport, otherPort);
        LocalPeers.at(otherTransport, port);
        try (Shards engine = Shards.start(transport, ownLog);
            Shards otherEngine = Shards.start(otherTransport, otherLog);
            RaftGroup group = engine.open(GROUP, 1, founders, false, Optional.empty(), told);
            RaftGroup second =
                otherEngine.open(GROUP, 1, founders, false, Optional.empty(), new Told())) {
          lead(group, second, self);
          propose(group);
          if (start == 1) {
            CompletableFuture<Optional<String>> changed = new CompletableFuture<>();
            group.changeVoters(Set.of(self), List.of(), changed::complete);
            assertThat(changed.orTimeout(30, SECONDS).join()).isEmpty();
          }
          propose(group);
          told.awaits(ownLog.lastIndex(GROUP));
          told.agreesWith(ownLog);
        }
      }
    }
    assertThat(told.all)
        .anyMatch(each -> each.endsWith("[%s] from [%s, %s]".formatted(self, self, other)))
        .anyMatch(each -> each.endsWith("[%s] from []".formatted(self)));
    assertThat(told.failure).isNull();
  }

  private WrittenLog open(Peer peer) throws Exception {
    WrittenLog log =
        WrittenLog.open(
            temporary.resolve(peer.nodeId()), peer.nodeId(), damage -> {}, new Metrics());
    log.writeIncarnation(GROUP, 1);
    return log;
  }

  private void lead(RaftGroup group, RaftGroup second, Peer self) {
    Awaitility.await()
        .until(
            () -> {
              if (second.voters().isPresent()) {
                second.transferLeadership(self);
              }
              return told.leadsIn() != 0 && told.leadsIn() == group.term();
            });
  }

  private void propose(RaftGroup group) {
    CompletableFuture<String> end = new CompletableFuture<>();
    group.propose("data".getBytes(UTF_8), told.leadsIn(), new Asked(end));
    assertThat(end.orTimeout(30, SECONDS).join()).isEqualTo("applied");
  }

  private record Asked(CompletableFuture<String> end) implements Proposal {
    @Override
    public void refused(String reason) {
      end.complete("refused: " + reason);
    }

    @Override
    public void unknown(String reason) {
      end.complete("unknown: " + reason);
    }
  }

  /** Writes down what it is told; each entry must be the next one. */
  private static final class Told implements GroupListener {
    final List<String> all = new ArrayList<>();
    private final Map<Long, Long> terms = new HashMap<>();
    private long index; // guarded by this, as all
    private long leadsIn;
    private Throwable failure;

    private synchronized void entry(long next, long term, String what) {
      if (next != index + 1) {
        throw new IllegalStateException("entry " + next + " behind " + index);
      }
      index = next;
      terms.put(next, term);
      all.add(what);
    }

    synchronized void startBehind(long last) {
      all.clear();
      terms.clear();
      index = last;
    }

    synchronized long leadsIn() {
      return leadsIn;
    }

    void awaits(long last) {
      Awaitility.await().until(() -> upTo() == last);
    }

    private synchronized long upTo() {
      return index;
    }

    synchronized void agreesWith(WrittenLog log) {
      for (long each = 1; each <= index; each++) {
        assertThat(terms.get(each)).isEqualTo(log.termAt(GROUP, each).orElseThrow());
      }
    }

    @Override
    public void apply(Entry entry) {
      entry(entry.index(), entry.term(), "apply " + entry.index());
      entry.proposal().ifPresent(proposal -> ((Asked) proposal).end().complete("applied"));
    }

    @Override
    public void applied() {}

    @Override
    public void passed(long passed, long term) {
      entry(passed, term, "pass " + passed + " of " + term);
    }

    @Override
    public void configurationCommitted(Configuration now) {
      entry(
          now.index(),
          now.term(),
          "configuration %d of %d: %s from %s"
              .formatted(now.index(), now.term(), now.voters(), now.outgoing()));
    }

    @Override
    public synchronized void leaderStarted(long term) {
      leadsIn = term;
    }

    @Override
    public synchronized void leaderStopped() {
      leadsIn = 0;
    }

    @Override
    public void followingStarted(Peer leader, long term) {}

    @Override
    public void followingStopped() {}

    @Override
    public void save(SnapshotPoint point, Consumer<Optional<String>> done) {}

    @Override
    public boolean load(SnapshotPoint point, Optional<Path> received, byte[] meta) {
      return true;
    }

    @Override
    public synchronized void failed(Throwable cause) {
      failure = cause;
    }
  }
}
