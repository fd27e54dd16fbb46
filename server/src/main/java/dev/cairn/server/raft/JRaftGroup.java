// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import com.alipay.sofa.jraft.Closure;
import com.alipay.sofa.jraft.Node;
import com.alipay.sofa.jraft.Status;
import com.alipay.sofa.jraft.conf.Configuration;
import com.alipay.sofa.jraft.core.NodeImpl;
import com.alipay.sofa.jraft.entity.PeerId;
import com.alipay.sofa.jraft.entity.Task;
import com.alipay.sofa.jraft.rpc.Connection;
import com.alipay.sofa.jraft.rpc.RpcContext;
import com.alipay.sofa.jraft.rpc.RpcRequestClosure;
import com.alipay.sofa.jraft.rpc.RpcRequests.TimeoutNowRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.TimeoutNowResponse;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One Raft group, by JRaft. Everything that is JRaft's own ends here.
 *
 * <p>Threads: methods may be called by any thread and do not block, but for {@link #close}.
 * Invariants:
 *
 * <ol>
 *   <li>A proposal whose fate is uncertain is never called refused. Only refusals that the engine
 *       gives before its log is touched count as certain ({@link #certainRefusal}); every other
 *       failure is unknown, whatever its code says: the engine uses EPERM for both.
 *   <li>The listener's exceptions stop the group; the engine's error state is final, so a group
 *       that failed is closed and started anew or not at all.
 * </ol>
 */
public final class JRaftGroup implements RaftGroup {
  private static final Logger log = LoggerFactory.getLogger(JRaftGroup.class);

  private final String name;
  private final Node node;
  private final ListenerAdapter adapter;
  private final LongSupplier term; // of the log
  private final WitnessPace pace;
  private final LeaderCheck check;
  private final UnreachedPeers unreachedPeers;
  private final Runnable whenClosed;
  private final AtomicBoolean closed = new AtomicBoolean();

  JRaftGroup(
      String name,
      Node node,
      ListenerAdapter adapter,
      LongSupplier term,
      WitnessPace pace,
      LeaderCheck check,
      Runnable whenClosed) {
    this.name = name;
    this.node = node;
    this.adapter = adapter;
    this.term = term;
    this.pace = pace;
    this.check = check;
    this.whenClosed = whenClosed;
    this.unreachedPeers = UnreachedPeers.of(node);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public void propose(byte[] data, long term, Proposal proposal) {
    Task task = new Task(ByteBuffer.wrap(data), new ProposalClosure(proposal), term);
    try {
      node.apply(task);
    } catch (IllegalStateException shuttingDown) {
      // The engine has run the closure already.
      log.debug("group={} proposal after shutdown", name, shuttingDown);
    }
  }

  @Override
  public boolean confirmLeadership(long term, Consumer<Optional<String>> done) {
    return check.confirm(term, done);
  }

  @Override
  public void witnesses(Set<Peer> peers) {
    pace.witnesses(peers);
  }

  @Override
  public Optional<Peer> followed() {
    return adapter.followed();
  }

  @Override
  public boolean heardOfLeader() {
    return adapter.heardOfLeader();
  }

  @Override
  public Optional<Peer> leader() {
    PeerId leader = node.getLeaderId();
    return leader == null || leader.isEmpty() ? Optional.empty() : Optional.of(Peer.of(leader));
  }

  @Override
  public long term() {
    return term.getAsLong();
  }

  @Override
  public long appliedIndex() {
    try {
      return node.getLastAppliedLogIndex();
    } catch (IllegalStateException stopping) {
      return 0; // nothing that anybody may count on
    }
  }

  @Override
  public Optional<Set<Peer>> voters() {
    try {
      return Optional.of(
          node.listPeers().stream().map(Peer::of).collect(Collectors.toUnmodifiableSet()));
    } catch (IllegalStateException notLeader) {
      return Optional.empty();
    }
  }

  @Override
  public void changeVoters(
      Collection<Peer> voters, Collection<Peer> learners, Consumer<Optional<String>> done) {
    node.changePeers(configuration(voters, learners), status -> done.accept(reason(status)));
  }

  @Override
  public Optional<String> transferLeadership(Peer target) {
    return reason(unreachedPeers.keptDuring(() -> node.transferLeadershipTo(target.toPeerId())));
  }

  @Override
  public List<Peer> alivePeers() {
    try {
      return node.listAlivePeers().stream()
          .filter(peer -> !peer.equals(node.getNodeId().getPeerId()))
          .map(Peer::of)
          .sorted(Comparator.comparing(Peer::toString))
          .toList();
    } catch (IllegalStateException notLeader) {
      return List.of();
    }
  }

  @Override
  public void campaignInFirstTerm() {
    if (term() == 0) {
      ((NodeImpl) node)
          .handleTimeoutNowRequest(
              TimeoutNowRequest.newBuilder()
                  .setGroupId(node.getGroupId())
                  .setPeerId(node.getNodeId().getPeerId().toString())
                  .setServerId(node.getNodeId().getPeerId().toString())
                  .setTerm(0)
                  .build(),
              new RpcRequestClosure(new NobodyWaits(), TimeoutNowResponse.getDefaultInstance()));
    }
  }

  @Override
  public void snapshot(Consumer<Optional<String>> done) {
    node.snapshot(status -> done.accept(reason(status)));
  }

  /** Ends the group's work in this process, and waits for it. Its log stays. */
  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    whenClosed.run();
    node.shutdown();
    try {
      node.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static Optional<String> reason(Status status) {
    return status.isOk() ? Optional.empty() : Optional.of(status.toString());
  }

  /**
   * Whether the engine refused a proposal before its log was touched. A list of what is certain,
   * since anything not on it must count as unknown.
   */
  private static boolean certainRefusal(Status status) {
    String message = status.getErrorMsg() == null ? "" : status.getErrorMsg();
    return switch (status.getRaftError()) {
      case EPERM -> message.equals("Is not leader.") || message.startsWith("expected_term=");
      case EBUSY ->
          message.equals("Is transferring leadership.")
              || message.endsWith("log manager is busy.")
              || message.startsWith("Node is busy, has too many tasks");
      case ENODESHUTDOWN -> message.equals("Node is shutting down.");
      default -> false;
    };
  }

  /** Carries a {@link Proposal} through the engine. */
  static final class ProposalClosure implements Closure {
    final Proposal proposal;

    ProposalClosure(Proposal proposal) {
      this.proposal = proposal;
    }

    @Override
    public void run(Status status) {
      if (status.isOk()) {
        return; // the listener completed it when it applied the entry
      }
      if (certainRefusal(status)) {
        proposal.refused(status.getErrorMsg());
      } else {
        proposal.unknown(status.getErrorMsg());
      }
    }
  }

  /** The context of a request that came from nowhere. */
  private static final class NobodyWaits implements RpcContext {
    @Override
    public void sendResponse(Object response) {}

    @Override
    public Connection getConnection() {
      return null;
    }

    @Override
    public String getRemoteAddress() {
      return "";
    }
  }

  static Configuration configuration(Collection<Peer> voters, Collection<Peer> learners) {
    return new Configuration(
        voters.stream().map(Peer::toPeerId).toList(),
        learners.stream().map(Peer::toPeerId).toList());
  }
}
