// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import com.alipay.sofa.jraft.Closure;
import com.alipay.sofa.jraft.Iterator;
import com.alipay.sofa.jraft.Status;
import com.alipay.sofa.jraft.conf.Configuration;
import com.alipay.sofa.jraft.core.StateMachineAdapter;
import com.alipay.sofa.jraft.entity.LeaderChangeContext;
import com.alipay.sofa.jraft.entity.LogEntry;
import com.alipay.sofa.jraft.entity.RaftOutter.SnapshotMeta;
import com.alipay.sofa.jraft.error.RaftError;
import com.alipay.sofa.jraft.error.RaftException;
import com.alipay.sofa.jraft.storage.snapshot.SnapshotReader;
import com.alipay.sofa.jraft.storage.snapshot.SnapshotWriter;
import dev.cairn.queues.TaskLoop;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Turns JRaft's callbacks into those of a {@link GroupListener}.
 *
 * <p>Threads: the engine's, one call at a time, but for {@link #followed}, {@link #heardOfLeader}
 * and {@link #onError}.
 */
final class ListenerAdapter extends StateMachineAdapter {
  private static final Logger log = LoggerFactory.getLogger(ListenerAdapter.class);

  /**
   * Applying more than that at once, as after a restart, takes longer than other groups should
   * wait.
   */
  private static final int SHORT_RUN_ENTRIES = 64;

  private static final int SHORT_RUN_BYTES = 1 << 20;

  private final String group;
  private final GroupListener listener;
  private final EngineEntries own;
  private final AtomicBoolean failed = new AtomicBoolean();
  private volatile Optional<Peer> followed = Optional.empty();
  private volatile boolean heardOfLeader;
  private boolean snapshotNamesVoters; // the engine is about to tell them again

  /**
   * An adapter of a group to which nothing was told.
   *
   * @param entries the group's committed entries, in memory or on disk; null for none
   */
  ListenerAdapter(String group, GroupListener listener, LongFunction<LogEntry> entries) {
    this.group = group;
    this.listener = listener;
    this.own = new EngineEntries(listener, entries);
  }

  Optional<Peer> followed() {
    return followed;
  }

  boolean heardOfLeader() {
    return heardOfLeader;
  }

  @Override
  public void onApply(Iterator iterator) {
    int taken = 0;
    long bytes = 0;
    try {
      while (iterator.hasNext()) {
        ByteBuffer buffer = iterator.getData();
        bytes += buffer.remaining();
        if (taken == SHORT_RUN_ENTRIES || bytes > SHORT_RUN_BYTES) {
          TaskLoop.willBlock();
        }
        byte[] data = new byte[buffer.remaining()];
        buffer.duplicate().get(data);
        Optional<Proposal> proposal =
            iterator.done() instanceof JRaftGroup.ProposalClosure closure
                ? Optional.of(closure.proposal)
                : Optional.empty();
        taken++;
        own.tellBefore(iterator.getIndex());
        listener.apply(
            new GroupListener.Entry(iterator.getIndex(), iterator.getTerm(), data, proposal));
        own.known(iterator.getIndex());
        iterator.next();
      }
      listener.applied();
    } catch (Exception e) {
      fail(e);
      // All of this run: what was taken and not yet made visible must not count as applied.
      iterator.setErrorAndRollback(
          Math.max(1, taken), new Status(RaftError.ESTATEMACHINE, "%s", e.toString()));
    }
  }

  @Override
  public void onLeaderStart(long term) {
    followed = Optional.empty();
    heardOfLeader = true;
    listener.leaderStarted(term);
  }

  @Override
  public void onLeaderStop(Status status) {
    listener.leaderStopped();
  }

  @Override
  public void onStartFollowing(LeaderChangeContext context) {
    Peer leader = Peer.of(context.getLeaderId());
    followed = Optional.of(leader);
    heardOfLeader = true;
    listener.followingStarted(leader, context.getTerm());
  }

  @Override
  public void onStopFollowing(LeaderChangeContext context) {
    followed = Optional.empty();
    listener.followingStopped();
  }

  /**
   * The engine tells this of a joint configuration, with the voters to be, and of a snapshot that
   * it has just had loaded; neither index nor term.
   */
  @Override
  public void onConfigurationCommitted(Configuration configuration) {
    if (snapshotNamesVoters) {
      snapshotNamesVoters = false;
      return;
    }
    try {
      own.tellToJoint();
      listener.applied();
    } catch (Exception e) {
      fail(e);
      throw new IllegalStateException("group " + group + " has stopped", e);
    }
  }

  @Override
  public void onSnapshotSave(SnapshotWriter writer, Closure done) {
    if (!(writer instanceof CheckpointSnapshotWriter checkpoint)) {
      done.run(new Status(RaftError.EINVAL, "not a snapshot writer of ours"));
      return;
    }
    try {
      TaskLoop.willBlock();
      GroupListener.SnapshotPoint point = point(checkpoint.currentMeta());
      own.tellBefore(point.index() + 1);
      listener.save(
          point,
          keep ->
              done.run(
                  keep.map(why -> new Status(RaftError.ECANCELED, "%s", why))
                      .orElseGet(Status::OK)));
    } catch (Exception e) {
      fail(e);
      done.run(new Status(RaftError.EIO, "%s", e.toString()));
    }
  }

  @Override
  public boolean onSnapshotLoad(SnapshotReader reader) {
    try {
      TaskLoop.willBlock();
      SnapshotMeta meta = reader.load();
      Optional<Path> received =
          reader instanceof CheckpointSnapshotReader checkpoint
              ? checkpoint.received()
              : Optional.empty();
      boolean loaded = listener.load(point(meta), received, meta.toByteArray());
      own.known(meta.getLastIncludedIndex());
      snapshotNamesVoters = loaded && meta.getOldPeersCount() == 0;
      return loaded;
    } catch (Exception e) {
      fail(e);
      return false;
    }
  }

  @Override
  public void onError(RaftException e) {
    fail(e);
  }

  private void fail(Throwable cause) {
    if (failed.compareAndSet(false, true)) {
      log.error("group={} stopped after a local fault", group, cause);
      listener.failed(cause);
    }
  }

  private static GroupListener.SnapshotPoint point(SnapshotMeta meta) {
    return new GroupListener.SnapshotPoint(
        meta.getLastIncludedIndex(),
        meta.getLastIncludedTerm(),
        List.copyOf(meta.getPeersList()),
        List.copyOf(meta.getOldPeersList()),
        List.copyOf(meta.getLearnersList()));
  }
}
