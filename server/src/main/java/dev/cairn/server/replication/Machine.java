// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.replication;

import dev.cairn.consensus.Configuration;
import dev.cairn.consensus.Entry;
import dev.cairn.consensus.Member;
import dev.cairn.consensus.SnapshotReference;
import dev.cairn.queues.TaskLoop;
import dev.cairn.replication.Codec;
import dev.cairn.server.raft.GroupListener;
import dev.cairn.server.raft.Peer;
import dev.cairn.server.raft.Proposal;
import dev.cairn.server.raft.SnapshotHost;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A group's state machine, as its loop reaches it: a listener that is called by one thread at a
 * time and in the order of what the loop gives.
 *
 * <p>Threads: any gives; one task at a time calls the listener. Invariants:
 *
 * <ol>
 *   <li>The listener is called in the order in which tasks were given, even where one of them waits
 *       for a disk.
 *   <li>After a fault of the listener it is told that, once, and nothing else.
 *   <li>{@link #appliedIndex} is read only after all up to there is visible.
 * </ol>
 */
final class Machine {
  private static final Logger LOG = LoggerFactory.getLogger(Machine.class);
  private static final int SHORT_RUN_ENTRIES = 64;

  private final String group;
  private final Executor tasks;
  private final GroupListener listener;
  private final Optional<SnapshotHost> host;
  private final Runnable whenFailed;
  private final AtomicBoolean failed = new AtomicBoolean();
  private SnapshotReference configuration; // the tasks'
  private volatile long appliedIndex;
  private volatile long appliedTerm;
  private volatile Optional<Peer> followed = Optional.empty();
  private volatile boolean heardOfLeader;

  /**
   * A state machine.
   *
   * @param worker runs its tasks
   * @param applied where its data stands
   * @param whenFailed told once when it stops for good, before the listener is
   */
  Machine(
      String group,
      Executor worker,
      GroupListener listener,
      Optional<SnapshotHost> host,
      SnapshotReference applied,
      Runnable whenFailed) {
    this.group = group;
    this.tasks = new Serial(worker);
    this.listener = listener;
    this.host = host;
    this.configuration = applied;
    this.appliedIndex = applied.index();
    this.appliedTerm = applied.term();
    this.whenFailed = whenFailed;
  }

  // ---- What any thread reads ----

  long appliedIndex() {
    return appliedIndex;
  }

  Optional<Peer> followed() {
    return followed;
  }

  boolean heardOfLeader() {
    return heardOfLeader;
  }

  /** How far the data is on disk without the log; 0 where there is none, or not any more. */
  long durableIndex() {
    if (host.isEmpty() || failed.get()) {
      return 0;
    }
    try {
      return host.get().row().durableIndex();
    } catch (RuntimeException closing) {
      LOG.debug("group={} tells nothing of its data", group, closing);
      return 0;
    }
  }

  // ---- What it is given ----

  /** A task in its turn. */
  void execute(Runnable task) {
    tasks.execute(task);
  }

  /**
   * Gives it committed entries.
   *
   * @param proposed of each entry, what this process proposed in its term
   * @param done told when all of them are visible; not after a fault
   */
  void apply(List<Entry> run, List<Optional<Proposal>> proposed, Runnable done) {
    tasks.execute(
        () -> {
          if (!failed.get() && applyNow(run, proposed)) {
            done.run();
          }
        });
  }

  private boolean applyNow(List<Entry> run, List<Optional<Proposal>> proposed) {
    if (run.size() > SHORT_RUN_ENTRIES) {
      TaskLoop.willBlock();
    }
    try {
      for (int i = 0; i < run.size(); i++) {
        Entry entry = run.get(i);
        if (entry.configuration() != null) {
          configure(entry);
        } else if (entry.data() != null) {
          listener.apply(
              new GroupListener.Entry(entry.index(), entry.term(), entry.data(), proposed.get(i)));
        }
      }
      listener.applied();
    } catch (Exception e) {
      fail(e);
      return false;
    }
    Entry last = run.get(run.size() - 1);
    appliedTerm = last.term();
    appliedIndex = last.index();
    return true;
  }

  private void configure(Entry entry) {
    Configuration now = entry.configuration();
    configuration = new SnapshotReference(entry.index(), entry.term(), now, entry.index());
    if (!now.isJoint()) {
      listener.configurationCommitted(
          Members.voters(now), now.learners().stream().map(Members::ofNode).toList());
    }
  }

  /** A witness' log reached an index; there is nothing to apply. */
  void pass(long index, Runnable done) {
    tasks.execute(
        () -> {
          appliedIndex = index;
          done.run();
        });
  }

  void leads(long term) {
    tasks.execute(
        () -> {
          followed = Optional.empty();
          heardOfLeader = true;
          listener.leaderStarted(term);
        });
  }

  void leadsNoMore() {
    tasks.execute(listener::leaderStopped);
  }

  void follows(Peer leader, long term) {
    tasks.execute(
        () -> {
          followed = Optional.of(leader);
          heardOfLeader = true;
          listener.followingStarted(leader, term);
        });
  }

  void followsNobody() {
    tasks.execute(
        () -> {
          followed = Optional.empty();
          listener.followingStopped();
        });
  }

  // ---- Snapshots ----

  /**
   * Has the data saved.
   *
   * @param saved told what is saved, when the log up to there may go, by any thread
   * @param done told after that, or why the log must be kept
   */
  void save(Consumer<SnapshotReference> saved, Consumer<Optional<String>> done) {
    tasks.execute(
        () -> {
          SnapshotReference now = reference();
          try {
            TaskLoop.willBlock();
            listener.save(
                point(now),
                keep -> {
                  if (keep.isEmpty()) {
                    letGo(now, saved);
                  }
                  done.accept(keep);
                });
          } catch (Exception e) {
            fail(e);
            done.accept(Optional.of(e.toString()));
          }
        });
  }

  private void letGo(SnapshotReference now, Consumer<SnapshotReference> saved) {
    try {
      if (host.isPresent()) {
        host.get().saveMeta(Codec.bytesOf(now));
      }
      saved.accept(now);
    } catch (IOException | RuntimeException e) {
      fail(e);
    }
  }

  /** Puts a copy in the place of the data; {@code done} is told when it is there. */
  void install(SnapshotReference reference, CopyFetch.Fetched fetched, Runnable done) {
    tasks.execute(
        () -> {
          if (!failed.get() && installNow(reference, fetched)) {
            done.run();
          }
        });
  }

  private boolean installNow(SnapshotReference reference, CopyFetch.Fetched fetched) {
    try {
      TaskLoop.willBlock();
      if (!listener.load(point(reference), Optional.of(fetched.folder()), fetched.meta())) {
        throw new IOException("group " + group + ": a copy is behind what it says");
      }
    } catch (IOException | RuntimeException e) {
      fail(e);
      return false;
    }
    if (reference.index() > appliedIndex) {
      configuration = reference;
      appliedTerm = reference.term();
      appliedIndex = reference.index();
    }
    return true;
  }

  /** A copy of the data for another node; waits for its turn and for the disk. */
  CopySource.Offered offer() throws IOException {
    if (host.isEmpty() || failed.get()) {
      throw new IOException("there is no data to give");
    }
    SnapshotReference[] now = new SnapshotReference[1];
    CountDownLatch turn = new CountDownLatch(1);
    tasks.execute(
        () -> {
          now[0] = reference();
          turn.countDown();
        });
    try {
      turn.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
    return new CopySource.Offered(Codec.bytesOf(now[0]), host.get().checkpoint());
  }

  /** Deletes what {@link #offer} made. */
  void endOffer(Path checkpoint) throws IOException {
    host.orElseThrow().deleteCheckpoint(checkpoint);
  }

  /** What the data is now, without the data. */
  private SnapshotReference reference() {
    return new SnapshotReference(
        appliedIndex,
        appliedTerm,
        configuration.configuration(),
        configuration.configurationIndex());
  }

  private static GroupListener.SnapshotPoint point(SnapshotReference reference) {
    Configuration at = reference.configuration();
    return new GroupListener.SnapshotPoint(
        reference.index(),
        reference.term(),
        names(at.voters()),
        names(at.outgoing()),
        at.learners().stream().map(peer -> Members.ofNode(peer).toString()).toList());
  }

  private static List<String> names(List<Member> members) {
    return members.stream().map(member -> Members.ofNode(member.peer()).toString()).toList();
  }

  // ---- Faults ----

  /** Stops it for good after a local fault. */
  void fail(Throwable cause) {
    if (failed.compareAndSet(false, true)) {
      LOG.error("group={} stopped after a local fault", group, cause);
      whenFailed.run();
      listener.failed(cause);
    }
  }
}
