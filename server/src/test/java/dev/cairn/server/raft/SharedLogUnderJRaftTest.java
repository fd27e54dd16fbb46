// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.alipay.sofa.jraft.Closure;
import com.alipay.sofa.jraft.Iterator;
import com.alipay.sofa.jraft.Node;
import com.alipay.sofa.jraft.NodeManager;
import com.alipay.sofa.jraft.RaftServiceFactory;
import com.alipay.sofa.jraft.Status;
import com.alipay.sofa.jraft.conf.Configuration;
import com.alipay.sofa.jraft.core.DefaultJRaftServiceFactory;
import com.alipay.sofa.jraft.core.StateMachineAdapter;
import com.alipay.sofa.jraft.entity.PeerId;
import com.alipay.sofa.jraft.entity.Task;
import com.alipay.sofa.jraft.option.NodeOptions;
import com.alipay.sofa.jraft.option.RaftOptions;
import com.alipay.sofa.jraft.storage.LogStorage;
import com.alipay.sofa.jraft.storage.RaftMetaStorage;
import com.alipay.sofa.jraft.storage.snapshot.SnapshotReader;
import com.alipay.sofa.jraft.storage.snapshot.SnapshotWriter;
import dev.cairn.server.FreePorts;
import dev.cairn.server.peer.LocalPeers;
import dev.cairn.server.peer.PeerTransport;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** JRaft's own node on the log: what it counts on after snapshots, resets and restarts holds. */
class SharedLogUnderJRaftTest {
  private static final String GROUP = "c1-p0";

  @TempDir Path temporary;
  private PeerId peer;
  private PeerTransport transport;

  @BeforeEach
  void takeAnAddress() throws IOException {
    int port = FreePorts.next();
    peer = new Peer(LocalPeers.id(port), 0).toPeerId();
    transport = LocalPeers.listen(port);
    NodeManager.getInstance().addAddress(peer.getEndpoint());
  }

  @AfterEach
  void giveItBack() {
    NodeManager.getInstance().removeAddress(peer.getEndpoint());
    transport.close();
  }

  @Test
  void aGroupGoesOnAfterSnapshotsThatEmptiedItsLog() throws Exception {
    long count = 0;
    for (int start = 0; start < 4; start++) {
      try (SharedLog log = LogFixture.open(temporary.resolve("store.log"))) {
        Counter counter = new Counter();
        Node node = start(log, counter);
        try {
          Awaitility.await().until(node::isLeader);
          for (int i = 0; i < 10; i++) {
            assertThat(apply(node).isOk()).isTrue();
            count++;
          }
          assertThat(counter.applied).hasValue(count);
          long first = log.firstIndex(GROUP);
          assertThat(snapshot(node).isOk()).isTrue();
          assertThat(apply(node).isOk()).isTrue();
          count++;
          assertThat(snapshot(node).isOk()).isTrue();
          Awaitility.await().until(() -> log.firstIndex(GROUP) > first);
        } finally {
          node.shutdown();
          node.join();
        }
        assertThat(log.term(GROUP)).isEqualTo(start + 1);
        assertThat(log.votedFor(GROUP)).contains(peer.toString());
        if (start == 2) {
          // What an installed snapshot past the log's end leaves: nothing, from the next index on.
          log.logStorage(GROUP).reset(log.lastIndex(GROUP) + 1);
        }
      }
    }
    assertThat(count).isEqualTo(44);
  }

  private Node start(SharedLog log, Counter counter) {
    NodeOptions options =
        new JRaftEngine.GroupOptions(
            transport, new WitnessPace(System::nanoTime, transport::after));
    options.setFsm(counter);
    options.setLogUri("unused");
    options.setRaftMetaUri("unused");
    options.setSnapshotUri(temporary.resolve("snapshot").toString());
    options.setSnapshotIntervalSecs(0);
    options.setElectionTimeoutMs(300);
    options.setInitialConf(new Configuration(List.of(peer)));
    options.setServiceFactory(
        new DefaultJRaftServiceFactory() {
          @Override
          public LogStorage createLogStorage(String uri, RaftOptions raftOptions) {
            return log.logStorage(GROUP);
          }

          @Override
          public RaftMetaStorage createRaftMetaStorage(String uri, RaftOptions raftOptions) {
            return log.metaStorage(GROUP);
          }
        });
    return RaftServiceFactory.createAndInitRaftNode(GROUP, peer, options);
  }

  private static Status apply(Node node) throws Exception {
    CompletableFuture<Status> done = new CompletableFuture<>();
    node.apply(new Task(ByteBuffer.wrap("add one".getBytes(UTF_8)), done::complete));
    return done.get(20, TimeUnit.SECONDS);
  }

  /**
   * A snapshot of all that is in the log. JRaft answers OK without one when its applied index,
   * which it moves after it has answered a proposal, still stands where the last snapshot was.
   */
  private static Status snapshot(Node node) throws Exception {
    Awaitility.await().until(() -> node.getLastAppliedLogIndex() == node.getLastLogIndex());
    CompletableFuture<Status> done = new CompletableFuture<>();
    node.snapshot(done::complete);
    return done.get(20, TimeUnit.SECONDS);
  }

  private static final class Counter extends StateMachineAdapter {
    private final AtomicLong applied = new AtomicLong();

    @Override
    public void onApply(Iterator iterator) {
      while (iterator.hasNext()) {
        applied.incrementAndGet();
        if (iterator.done() != null) {
          iterator.done().run(Status.OK());
        }
        iterator.next();
      }
    }

    @Override
    public void onSnapshotSave(SnapshotWriter writer, Closure done) {
      try {
        Files.writeString(Path.of(writer.getPath(), "count"), applied.toString());
        writer.addFile("count");
        done.run(Status.OK());
      } catch (IOException e) {
        done.run(new Status(-1, "%s", e.getMessage()));
      }
    }

    @Override
    public boolean onSnapshotLoad(SnapshotReader reader) {
      try {
        applied.set(Long.parseLong(Files.readString(Path.of(reader.getPath(), "count"))));
        return true;
      } catch (IOException e) {
        return false;
      }
    }
  }
}
