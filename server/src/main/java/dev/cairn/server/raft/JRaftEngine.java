// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import com.alipay.sofa.jraft.NodeManager;
import com.alipay.sofa.jraft.core.DefaultJRaftServiceFactory;
import com.alipay.sofa.jraft.core.NodeImpl;
import com.alipay.sofa.jraft.entity.RaftOutter.SnapshotMeta;
import com.alipay.sofa.jraft.option.ApplyTaskMode;
import com.alipay.sofa.jraft.option.NodeOptions;
import com.alipay.sofa.jraft.option.RaftOptions;
import com.alipay.sofa.jraft.storage.LogStorage;
import com.alipay.sofa.jraft.storage.RaftMetaStorage;
import com.alipay.sofa.jraft.storage.SnapshotStorage;
import com.alipay.sofa.jraft.util.Endpoint;
import dev.cairn.queues.Placement;
import dev.cairn.server.peer.PeerTransport;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.random.RandomGenerator;

/**
 * The Raft engine of a node, by JRaft.
 *
 * <p>Choices, with the measurements behind them in docs/design/decisions/0002:
 *
 * <ul>
 *   <li>Term and vote are fsynced ({@code syncMeta}); the engine's default is not to, and a node
 *       that forgets its vote votes twice.
 *   <li>Heartbeats every 100 ms, of several groups at once ({@link HeartbeatTimers}). When a member
 *       stands for election is {@link Elections}' affair; the engine's priorities are not used
 *       (they decay slowly, and 0 blocks for ever).
 *   <li>Messages travel over the node's own connections ({@link RaftRpc}, {@link RaftRequests}).
 *   <li>Snapshots are taken when we say so; the engine's timer is off.
 * </ul>
 */
public final class JRaftEngine implements RaftEngine {
  private static final int ELECTION_TIMEOUT_MILLIS = 500;

  /**
   * A new leader greets each peer before it serves; one that accepts connections and stays mute
   * must not hold it up.
   */
  private static final int CONNECT_TIMEOUT_MILLIS = 250;

  private static final int STEP_DOWN_AFTER_MILLIS = 1_500;

  private static final int VOTE_DELAY_MILLIS = 200;

  /**
   * In place of the above while a group opens: the engine then has a thread of each group look as
   * often for reads that wait in it, and none ever does ({@link LeaderCheck}).
   */
  private static final int LOOK_FOR_READS_MILLIS = 60_000;

  private static final int HEARTBEATS_PER_ELECTION_TIMEOUT = 5;

  /** How often a leader is heard that has nothing to say. */
  static final int HEARTBEAT_MILLIS = ELECTION_TIMEOUT_MILLIS / HEARTBEATS_PER_ELECTION_TIMEOUT;

  private static final int QUEUE_LENGTH = 1024;

  /**
   * Of a group, with entries, under way at once; the engine lets one more through. Entries that
   * come meanwhile share the next one, which is what makes {@link WitnessPace} pay.
   */
  private static final int REQUESTS_TO_A_PEER_MAX = 2;

  /** Of a group, for answers to votes and the like. */
  private static final int RPC_THREADS = 4;

  private static final String LOG_QUEUE = "JRaft-LogManager";

  private static final int CATCH_UP_MARGIN_ENTRIES = 16;

  private final Endpoint endpoint;
  private final SharedLog sharedLog;
  private final PeerTransport transport;
  private final Elections elections;
  private final TermQuestions termQuestions;

  private JRaftEngine(
      Endpoint endpoint, SharedLog sharedLog, PeerTransport transport, Elections elections) {
    this.endpoint = endpoint;
    this.sharedLog = sharedLog;
    this.transport = transport;
    this.elections = elections;
    this.termQuestions = TermQuestions.over(transport);
  }

  /**
   * Serves Raft's messages.
   *
   * @param transport the connections to other nodes; this closes them
   * @param sharedLog the node's log; stays the caller's to close
   */
  public static JRaftEngine start(PeerTransport transport, SharedLog sharedLog) {
    Elections elections = new Elections(transport::located);
    transport.onEnd(run -> elections.connectionEnded());
    RaftRequests.serve(transport);
    TermQuestions.serve(transport, sharedLog);
    Endpoint endpoint = Peer.endpoint(transport.self().nodeId());
    NodeManager.getInstance().addAddress(endpoint);
    return new JRaftEngine(endpoint, sharedLog, transport, elections);
  }

  @Override
  public PeerTransport transport() {
    return transport;
  }

  private String nodeId() {
    return endpoint.getIp();
  }

  @Override
  public NodeLog log() {
    return sharedLog;
  }

  @Override
  public JRaftGroup open(
      String group,
      int incarnation,
      Founders founders,
      boolean witness,
      Optional<SnapshotHost> snapshots,
      GroupListener listener)
      throws IOException {
    sharedLog.requireIncarnation(group, incarnation);
    requireNoGap(group, snapshots);
    EngineThreads.use(group);
    WitnessPace pace = new WitnessPace(System::nanoTime, transport::after);
    NodeOptions options = new GroupOptions(transport, pace);
    options.setRpcProcessorThreadPoolSize(RPC_THREADS);
    options.setElectionTimeoutMs(ELECTION_TIMEOUT_MILLIS);
    options.setRpcConnectTimeoutMs(CONNECT_TIMEOUT_MILLIS);
    options.setInitialConf(JRaftGroup.configuration(founders.voters(), founders.learners()));
    Peer self = new Peer(nodeId(), incarnation);
    NodeImpl node = new NodeImpl(group, self.toPeerId());
    ListenerAdapter adapter = new ListenerAdapter(group, listener, EngineEntries.of(node));
    options.setFsm(adapter);
    options.setLogUri(group);
    options.setRaftMetaUri(group);
    snapshots.ifPresent(host -> options.setSnapshotUri(group));
    options.setSnapshotIntervalSecs(0);
    options.setCatchupMargin(CATCH_UP_MARGIN_ENTRIES);
    options.setDisableCli(true);
    options.setSharedElectionTimer(true);
    options.setSharedVoteTimer(true);
    options.setSharedStepDownTimer(true);
    options.setSharedSnapshotTimer(true);
    options.setSharedTimerPool(true);
    options.setApplyTaskMode(ApplyTaskMode.NonBlocking);
    options.setServiceFactory(new Factory(sharedLog, group, snapshots, nodeId()));
    RaftOptions raft = new RaftOptions();
    raft.setSync(true);
    raft.setSyncMeta(true);
    raft.setMaxElectionDelayMs(LOOK_FOR_READS_MILLIS);
    raft.setElectionHeartbeatFactor(HEARTBEATS_PER_ELECTION_TIMEOUT);
    raft.setDisruptorBufferSize(QUEUE_LENGTH);
    raft.setMaxReplicatorInflightMsgs(REQUESTS_TO_A_PEER_MAX);
    options.setRaftOptions(raft);
    if (!queues(group).during(() -> node.init(options))) {
      node.shutdown();
      throw new IOException("group " + group + " cannot be opened; the log above says why");
    }
    raft.setMaxElectionDelayMs(VOTE_DELAY_MILLIS);
    JRaftGroup opened =
        new JRaftGroup(
            group,
            node,
            adapter,
            () -> sharedLog.term(group),
            pace,
            LeaderCheck.of(group, self, sharedLog, termQuestions::ask, transport::after),
            () -> elections.closed(group));
    FollowerState follower =
        FollowerState.of(
            node, ELECTION_TIMEOUT_MILLIS, voters -> reachVoters(transport, voters, self));
    elections.opened(
        group,
        new Candidacy(follower, witness, ELECTION_TIMEOUT_MILLIS, RandomGenerator.getDefault()),
        opened::leader);
    return opened;
  }

  /**
   * Has connections to a group's voters opened, all at once, and waits until there is one to as
   * many as a majority needs, or each has had its time.
   */
  static void reachVoters(PeerTransport transport, Set<Peer> voters, Peer self) {
    List<Peer> others = voters.stream().filter(peer -> !peer.equals(self)).toList();
    long reached = others.stream().filter(peer -> transport.isConnected(peer.nodeId())).count();
    try {
      for (int i = 0; i < others.size() && reached < voters.size() / 2; i++) {
        Peer peer = others.get(i);
        if (!transport.isConnected(peer.nodeId())
            && transport.awaitConnected(peer.nodeId(), CONNECT_TIMEOUT_MILLIS)) {
          reached++;
        }
      }
    } catch (InterruptedException stopping) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * All that a group does but its log is done in turn by one of the transport's workers, that which
   * deals with the group's messages. The logs of all groups have one thread, which waits for the
   * disk.
   */
  private Placement queues(String group) {
    return queue ->
        queue.startsWith(LOG_QUEUE) ? sharedLog.queue() : transport.workerOf(group.hashCode());
  }

  /**
   * A log that begins behind the end of the snapshot lacks entries; the engine would wait for them
   * for ever.
   */
  private void requireNoGap(String group, Optional<SnapshotHost> snapshots) throws IOException {
    Optional<byte[]> meta = snapshots.flatMap(SnapshotHost::durableMeta);
    long covered = meta.isEmpty() ? 0 : SnapshotMeta.parseFrom(meta.get()).getLastIncludedIndex();
    if (sharedLog.firstIndex(group) > covered + 1) {
      throw new IOException(
          "group "
              + group
              + ": the log begins at index "
              + sharedLog.firstIndex(group)
              + " and the snapshot ends at "
              + covered
              + "; entries between are missing, and this replica must be rebuilt");
    }
  }

  @Override
  public void close() {
    NodeManager.getInstance().removeAddress(endpoint);
    elections.close();
    transport.close();
  }

  /**
   * A leader that hears nothing of a majority steps down by itself, after {@link
   * #STEP_DOWN_AFTER_MILLIS} rather than the engine's 90 % of an election timeout: a large value or
   * a pause of the JVM holds its heartbeats up for longer than that. Safety does not rest on it. A
   * write needs a majority and a read asks one, however long the leader believes in itself; lease
   * reads, which would rest on it, are off.
   */
  static final class GroupOptions extends NodeOptions implements RaftRpc.Connected {
    static {
      EngineSignal.loadEngine(); // no group is opened without options
    }

    private final PeerTransport transport;
    private final WitnessPace pace;

    GroupOptions(PeerTransport transport, WitnessPace pace) {
      this.transport = transport;
      this.pace = pace;
    }

    @Override
    public PeerTransport transport() {
      return transport;
    }

    @Override
    public WitnessPace pace() {
      return pace;
    }

    @Override
    public int getLeaderLeaseTimeoutMs() {
      return STEP_DOWN_AFTER_MILLIS;
    }
  }

  /** Gives a group its place in the shared log and our snapshots. */
  private static final class Factory extends DefaultJRaftServiceFactory {
    private final SharedLog sharedLog;
    private final String group;
    private final Optional<SnapshotHost> snapshots;
    private final String nodeId;

    Factory(SharedLog sharedLog, String group, Optional<SnapshotHost> snapshots, String nodeId) {
      this.sharedLog = sharedLog;
      this.group = group;
      this.snapshots = snapshots;
      this.nodeId = nodeId;
    }

    @Override
    public LogStorage createLogStorage(String uri, RaftOptions raftOptions) {
      return sharedLog.logStorage(group);
    }

    @Override
    public RaftMetaStorage createRaftMetaStorage(String uri, RaftOptions raftOptions) {
      return sharedLog.metaStorage(group);
    }

    @Override
    public SnapshotStorage createSnapshotStorage(NodeOptions nodeOptions) {
      return new CheckpointSnapshotStorage(snapshots.orElseThrow(), nodeId);
    }
  }
}
