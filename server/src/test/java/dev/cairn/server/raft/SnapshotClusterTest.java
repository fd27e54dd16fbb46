// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.alipay.sofa.jraft.Closure;
import com.alipay.sofa.jraft.Iterator;
import com.alipay.sofa.jraft.Node;
import com.alipay.sofa.jraft.NodeManager;
import com.alipay.sofa.jraft.RaftServiceFactory;
import com.alipay.sofa.jraft.Status;
import com.alipay.sofa.jraft.conf.Configuration;
import com.alipay.sofa.jraft.core.DefaultJRaftServiceFactory;
import com.alipay.sofa.jraft.core.State;
import com.alipay.sofa.jraft.core.StateMachineAdapter;
import com.alipay.sofa.jraft.entity.PeerId;
import com.alipay.sofa.jraft.entity.Task;
import com.alipay.sofa.jraft.option.NodeOptions;
import com.alipay.sofa.jraft.option.RaftOptions;
import com.alipay.sofa.jraft.option.SnapshotCopierOptions;
import com.alipay.sofa.jraft.storage.LogStorage;
import com.alipay.sofa.jraft.storage.RaftMetaStorage;
import com.alipay.sofa.jraft.storage.SnapshotStorage;
import com.alipay.sofa.jraft.storage.SnapshotThrottle;
import com.alipay.sofa.jraft.storage.snapshot.SnapshotCopier;
import com.alipay.sofa.jraft.storage.snapshot.SnapshotReader;
import com.alipay.sofa.jraft.storage.snapshot.SnapshotWriter;
import dev.cairn.server.FreePorts;
import dev.cairn.server.peer.LocalPeers;
import dev.cairn.server.peer.PeerTransport;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Three nodes of JRaft that talk over loopback, one of which missed what the others dropped. */
@Tag("long")
class SnapshotClusterTest {
  private static final String GROUP = "snapshots";

  @TempDir Path temporary;
  private final List<Member> members = new ArrayList<>();

  @AfterEach
  void stopAll() {
    members.forEach(Member::stop);
  }

  @Test
  void aFollowerThatIsFarBehindGetsTheSnapshot() throws Exception {
    start(true, true, true);
    Member late = aFollower();
    late.stop();
    writeAndDropTheLog(late);
    late.start();
    awaitSame();
    assertThat(late.host.incomings).hasPositiveValue();
    write(5, 100);
    awaitSame();
    for (Member member : members) {
      eventually().untilAsserted(() -> assertThat(files(member.host.checkpointFolder())).isZero());
    }
    late.stop();
    late.start(); // from its own meta, which it got with the data
    write(5, 100);
    awaitSame();
  }

  @Test
  void aTransferThatBreaksInTheMiddleIsTriedAgainAndEndsWhole() throws Exception {
    start(true, true, true);
    Member late = aFollower();
    late.stop();
    writeAndDropTheLog(late);
    AtomicInteger breaks = new AtomicInteger();
    late.host.onIncoming =
        () -> {
          if (breaks.incrementAndGet() <= 2) {
            members.forEach(member -> loseFiles(member.host.checkpointFolder()));
          }
        };
    late.start();
    awaitSame();
    assertThat(breaks.get()).isGreaterThan(2);
    assertThat(late.state()).isEqualTo(State.STATE_FOLLOWER);
  }

  @Test
  void aWitnessCopiesTheMetaOnly() throws Exception {
    start(true, true, false);
    Member witness = members.get(2);
    awaitLeader();
    lead(members.get(0));
    witness.stop();
    writeAndDropTheLog(witness);
    witness.start();
    eventually().until(() -> witness.host.durableMeta().isPresent());
    write(5, 100);
    eventually()
        .until(
            () ->
                witness.node().getLastAppliedLogIndex()
                    == members.get(0).node().getLastAppliedLogIndex());
    assertThat(witness.host.incomings).hasValue(0);
    members.forEach(member -> assertThat(member.host.checkpoints).hasValue(0));
    assertThat(witness.host.entries()).isEmpty();
  }

  @Test
  void aFullReplicaRefusesAWitnessSnapshotAndTakesTheNextFullOne() throws Exception {
    start(true, true, false);
    Member full = members.get(0);
    Member late = members.get(1);
    Member witness = members.get(2);
    awaitLeader();
    lead(full);
    late.stop();
    writeAndDropTheLog(late);
    lead(witness);
    late.start();
    eventually().until(() -> late.refused.get() >= 1);
    assertThat(late.host.durableMeta()).isEmpty();
    assertThat(witness.state()).isIn(State.STATE_LEADER, State.STATE_FOLLOWER);
    assertThat(late.state()).isEqualTo(State.STATE_FOLLOWER);
    lead(full);
    eventually().untilAsserted(() -> assertSame(late.host.entries(), full.host.entries()));
    assertThat(late.host.incomings).hasPositiveValue();
  }

  private void start(boolean... holdsData) throws IOException {
    Configuration configuration = new Configuration();
    for (int i = 0; i < holdsData.length; i++) {
      int port = FreePorts.next();
      PeerId peer = new Peer(LocalPeers.id(port), 0).toPeerId();
      configuration.addPeer(peer);
      members.add(
          new Member(
              peer,
              port,
              configuration,
              temporary.resolve("node-" + i),
              new MapHost(temporary.resolve("node-" + i + "-data"), holdsData[i])));
    }
    members.forEach(Member::start);
  }

  private Member awaitLeader() {
    eventually()
        .until(() -> members.stream().anyMatch(member -> member.state() == State.STATE_LEADER));
    return members.stream()
        .filter(member -> member.state() == State.STATE_LEADER)
        .findFirst()
        .orElseGet(this::awaitLeader);
  }

  private Member aFollower() {
    Member leader = awaitLeader();
    return members.stream().filter(member -> member != leader).findFirst().orElseThrow();
  }

  private void lead(Member member) {
    eventually()
        .until(
            () -> {
              Member leader = awaitLeader();
              if (leader == member) {
                return true;
              }
              leader.node().transferLeadershipTo(member.peer);
              return false;
            });
  }

  /** Enough entries and snapshots that the running nodes no longer have what this one misses. */
  private void writeAndDropTheLog(Member missing) throws Exception {
    for (int round = 0; round < 3; round++) {
      write(8, round == 0 ? 400_000 : 1000);
      for (Member member : members) {
        if (member != missing) {
          long last = awaitLeader().node().getLastAppliedLogIndex();
          eventually().until(() -> member.node().getLastAppliedLogIndex() >= last);
          CompletableFuture<Status> saved = new CompletableFuture<>();
          member.node().snapshot(saved::complete);
          assertThat(saved.get(30, TimeUnit.SECONDS).isOk()).isTrue();
        }
      }
    }
    long missingLast = missing.lastIndex();
    for (Member member : members) {
      if (member != missing) {
        eventually().until(() -> member.log.firstIndex(GROUP) > missingLast + 1);
      }
    }
  }

  private void write(int count, int bytes) {
    for (int i = 0; i < count; i++) {
      byte[] data = new byte[bytes];
      data[0] = (byte) i;
      eventually()
          .until(
              () -> {
                CompletableFuture<Status> done = new CompletableFuture<>();
                awaitLeader().node().apply(new Task(ByteBuffer.wrap(data), done::complete));
                return done.get(30, TimeUnit.SECONDS).isOk();
              });
    }
  }

  private void awaitSame() {
    eventually()
        .untilAsserted(
            () -> {
              SortedMap<Long, byte[]> expected = awaitLeader().host.entries();
              members.forEach(member -> assertSame(member.host.entries(), expected));
            });
  }

  private static void assertSame(Map<Long, byte[]> actual, Map<Long, byte[]> expected) {
    assertThat(actual.keySet()).isEqualTo(expected.keySet());
    expected.forEach((index, data) -> assertThat(actual.get(index)).isEqualTo(data));
  }

  /** All but the first in the order in which they are sent. */
  private static void loseFiles(Path checkpoints) {
    try {
      if (Files.exists(checkpoints)) {
        try (Stream<Path> files = Files.walk(checkpoints)) {
          for (Path file : files.filter(Files::isRegularFile).sorted().skip(1).toList()) {
            Files.delete(file);
          }
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static long files(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return 0;
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files.count();
    }
  }

  private static ConditionFactory eventually() {
    return await().atMost(Duration.ofSeconds(60)).pollInterval(Duration.ofMillis(50));
  }

  /** One node; host and log outlive its restarts. */
  private static final class Member {
    final PeerId peer;
    final int port;
    final MapHost host;
    final AtomicInteger refused = new AtomicInteger();
    final Path logFolder;
    final Configuration configuration;
    SharedLog log;
    PeerTransport transport;
    Node node;
    private long lastIndex;

    Member(PeerId peer, int port, Configuration configuration, Path logFolder, MapHost host) {
      this.peer = peer;
      this.port = port;
      this.configuration = configuration;
      this.logFolder = logFolder;
      this.host = host;
    }

    void start() {
      log = LogFixture.open(logFolder);
      try {
        transport = LocalPeers.listen(port);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      for (PeerId other : configuration.getPeers()) {
        LocalPeers.at(transport, Integer.parseInt(other.getIp().substring("node-".length())));
      }
      RaftRequests.serve(transport);
      NodeManager.getInstance().addAddress(peer.getEndpoint());
      NodeOptions options =
          new JRaftEngine.GroupOptions(
              transport, new WitnessPace(System::nanoTime, transport::after));
      options.setElectionTimeoutMs(500);
      options.setInitialConf(configuration.copy());
      options.setFsm(new Machine(host));
      options.setLogUri(GROUP);
      options.setRaftMetaUri(GROUP);
      options.setSnapshotUri(GROUP);
      options.setSnapshotIntervalSecs(0);
      options.setDisableCli(true);
      options.setServiceFactory(new Factory(this));
      node = RaftServiceFactory.createAndInitRaftNode(GROUP, peer, options);
    }

    void stop() {
      if (node == null) {
        return;
      }
      lastIndex = node().getLastLogIndex();
      node.shutdown();
      try {
        node.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      node = null;
      transport.close();
      NodeManager.getInstance().removeAddress(peer.getEndpoint());
      log.close();
    }

    Node node() {
      return node;
    }

    State state() {
      return node == null ? State.STATE_SHUTDOWN : node().getNodeState();
    }

    long lastIndex() {
      return lastIndex;
    }
  }

  private static final class Machine extends StateMachineAdapter {
    private final MapHost host;

    Machine(MapHost host) {
      this.host = host;
    }

    @Override
    public void onApply(Iterator iterator) {
      while (iterator.hasNext()) {
        if (host.holdsData()) {
          byte[] data = new byte[iterator.getData().remaining()];
          iterator.getData().duplicate().get(data);
          host.apply(iterator.getIndex(), data);
        }
        if (iterator.done() != null) {
          iterator.done().run(Status.OK());
        }
        iterator.next();
      }
    }

    @Override
    public void onSnapshotSave(SnapshotWriter writer, Closure done) {
      done.run(Status.OK());
    }

    @Override
    public boolean onSnapshotLoad(SnapshotReader reader) {
      CheckpointSnapshotReader snapshot = (CheckpointSnapshotReader) reader;
      Optional<Path> received = snapshot.received();
      try {
        if (received.isPresent()) {
          host.install(received.get(), snapshot.metaBytes());
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return true;
    }
  }

  private static final class Factory extends DefaultJRaftServiceFactory {
    private final Member member;

    Factory(Member member) {
      this.member = member;
    }

    @Override
    public LogStorage createLogStorage(String uri, RaftOptions raftOptions) {
      return member.log.logStorage(uri);
    }

    @Override
    public RaftMetaStorage createRaftMetaStorage(String uri, RaftOptions raftOptions) {
      return member.log.metaStorage(uri);
    }

    @Override
    public SnapshotStorage createSnapshotStorage(NodeOptions nodeOptions) {
      return new CountingStorage(
          new CheckpointSnapshotStorage(member.host, member.peer.getIp()), member.refused);
    }
  }

  /** Counts the snapshots that were refused. */
  private record CountingStorage(SnapshotStorage storage, AtomicInteger refused)
      implements SnapshotStorage {
    @Override
    public SnapshotCopier startToCopyFrom(String uri, SnapshotCopierOptions options) {
      SnapshotCopier copier = storage.startToCopyFrom(uri, options);
      if (copier == null) {
        refused.incrementAndGet();
      }
      return copier;
    }

    @Override
    public boolean init(Void nothing) {
      return storage.init(null);
    }

    @Override
    public void shutdown() {
      storage.shutdown();
    }

    @Override
    public boolean setFilterBeforeCopyRemote() {
      return storage.setFilterBeforeCopyRemote();
    }

    @Override
    public SnapshotWriter create() {
      return storage.create();
    }

    @Override
    public SnapshotReader open() {
      return storage.open();
    }

    @Override
    public SnapshotReader copyFrom(String uri, SnapshotCopierOptions options) {
      return storage.copyFrom(uri, options);
    }

    @Override
    public void setSnapshotThrottle(SnapshotThrottle throttle) {
      storage.setSnapshotThrottle(throttle);
    }
  }
}
