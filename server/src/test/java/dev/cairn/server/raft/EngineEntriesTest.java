// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.alipay.sofa.jraft.entity.EnumOutter.EntryType;
import com.alipay.sofa.jraft.entity.LogEntry;
import com.alipay.sofa.jraft.entity.LogId;
import dev.cairn.server.FreePorts;
import dev.cairn.server.peer.LocalPeers;
import dev.cairn.server.peer.PeerTransport;
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

/** A state machine is told of each entry, though JRaft hands over those with data only. */
class EngineEntriesTest {
  private static final String GROUP = "c1-p0";

  @TempDir Path temporary;
  private final Told told = new Told();
  private final Map<Long, LogEntry> log = new HashMap<>();
  private final EngineEntries entries = new EngineEntries(told, log::get);

  @Test
  void entriesThatWereLeftOutAreToldInTheirPlace() throws Exception {
    logged(LogFixture.configuration(5, 2, "a:0", "b:0"));
    logged(nothing(6, 3));
    logged(LogFixture.data(7));
    entries.known(4);
    told.startBehind(4);
    entries.tellBefore(7);
    entries.known(7);
    entries.tellBefore(8);
    assertThat(told.all).containsExactly("configuration 5 of 2: [a:0, b:0] from []", "pass 6 of 3");
  }

  @Test
  void whatAJointConfigurationIsToldWithEndsThere() throws Exception {
    LogEntry joint = LogFixture.configuration(2, 1, "a:0");
    joint.setOldPeers(LogFixture.configuration(2, 1, "a:0", "b:0").getPeers());
    logged(nothing(1, 1));
    logged(joint);
    logged(LogFixture.configuration(3, 1, "a:0"));
    entries.tellToJoint();
    assertThat(told.all)
        .containsExactly("pass 1 of 1", "configuration 2 of 1: [a:0] from [a:0, b:0]");
  }

  @Test
  void anEntryWithDataThatWasLeftOutIsAFault() {
    logged(LogFixture.data(1));
    assertThatThrownBy(() -> entries.tellBefore(3)).hasMessageContaining("entry 1 was left out");
    assertThat(told.all).isEmpty();
  }

  @Test
  void anEntryThatIsNotInTheLogIsAFault() {
    assertThatThrownBy(() -> entries.tellBefore(2)).hasMessageContaining("not in the log");
    assertThat(told.all).isEmpty();
  }

  private void logged(LogEntry entry) {
    log.put(entry.getId().getIndex(), entry);
  }

  private static LogEntry nothing(long index, long term) {
    LogEntry entry = new LogEntry(EntryType.ENTRY_TYPE_NO_OP);
    entry.setId(new LogId(index, term));
    return entry;
  }

  @Test
  void aGroupTellsAllOfItsLogOverRestartsAndAChangeOfVoters() throws Exception {
    int port = FreePorts.next();
    int otherPort = FreePorts.next();
    Peer self = new Peer(LocalPeers.id(port), 1);
    Peer other = new Peer(LocalPeers.id(otherPort), 1);
    Founders founders = new Founders(List.of(self, other), List.of(), List.of());
    try (SharedLog ownLog = LogFixture.open(temporary.resolve("own"));
        SharedLog otherLog = LogFixture.open(temporary.resolve("other"))) {
      ownLog.writeIncarnation(GROUP, 1);
      otherLog.writeIncarnation(GROUP, 1);
      for (int start = 1; start <= 2; start++) {
        told.startBehind(0);
        PeerTransport transport = LocalPeers.listen(port, start);
        PeerTransport otherTransport = LocalPeers.listen(otherPort, start);
        LocalPeers.at(transport, otherPort);
        LocalPeers.at(otherTransport, port);
        try (JRaftEngine engine = JRaftEngine.start(transport, ownLog);
            JRaftEngine otherEngine = JRaftEngine.start(otherTransport, otherLog);
            RaftGroup group = engine.open(GROUP, 1, founders, false, Optional.empty(), told);
            RaftGroup second =
                otherEngine.open(GROUP, 1, founders, false, Optional.empty(), new Told())) {
          lead(group, second, self);
          propose(group);
          if (start == 1) {
            CompletableFuture<Optional<String>> changed = new CompletableFuture<>();
            group.changeVoters(Set.of(self), List.of(), changed::complete);
            assertThat(changed.join()).isEmpty();
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
    assertThat(end.join()).isEqualTo("applied");
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

    synchronized void agreesWith(SharedLog log) {
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
