// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.replication;

import dev.cairn.consensus.Configuration;
import dev.cairn.consensus.Entry;
import dev.cairn.consensus.SnapshotReference;
import dev.cairn.replication.Codec;
import dev.cairn.server.peer.TaskLoop;
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
 *   <li>After a local fault, its own or another, the listener is told that, once and in its turn,
 *       and nothing else. After {@link #close} it is told nothing.
 *   <li>Who waits for something is answered all the same: a proposal is unknown, and nothing counts
 *       as saved.
 *   <li>{@link #appliedIndex} is read only after all up to there is visible.
 * </ol>
 */
final class Machine {
  private static final Logger LOG = LoggerFactory.getLogger(Machine.class);
  private static final int SHORT_RUN_ENTRIES = 64;
  private static final long SHORT_RUN_BYTES = 1 << 20;
  private static final String STOPPED = "the group has stopped";

  private final String group;
  private final Executor tasks;
  private final GroupListener listener;
  private final Optional<SnapshotHost> host;
  private final Runnable whenFailed;
  private final AtomicBoolean failed = new AtomicBoolean();
  private volatile boolean closed;
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
    if (host.isEmpty() || isOver()) {
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

  /** A task in its turn, whatever has become of the listener. */
  void execute(Runnable task) {
    tasks.execute(task);
  }

  /** Tells the listener something in its turn, as long as it is told anything. */
  private void tell(Runnable what) {
    tasks.execute(
        () -> {
          if (isOver()) {
            return;
          }
          try {
            what.run();
          } catch (RuntimeException e) {
            fail(e);
          }
        });
  }

  private boolean isOver() {
    return closed || failed.get();
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
          int given = isOver() ? 0 : applyNow(run, proposed);
          if (isOver()) {
            proposed.stream()
                .skip(given)
                .flatMap(Optional::stream)
                .forEach(each -> each.unknown(STOPPED));
          } else {
            done.run();
          }
        });
  }

  /** Returns how many entries the listener was given. */
  private int applyNow(List<Entry> run, List<Optional<Proposal>> proposed) {
    if (run.size() > SHORT_RUN_ENTRIES || bytes(run) > SHORT_RUN_BYTES) {
      TaskLoop.willBlock();
    }
    int given = 0;
    try {
      for (Entry entry : run) {
        Optional<Proposal> own = proposed.get(given++);
        if (entry.configuration() != null) {
          configure(entry);
        } else if (entry.data() != null) {
          listener.apply(new GroupListener.Entry(entry.index(), entry.term(), entry.data(), own));
        } else {
          listener.passed(entry.index(), entry.term());
        }
      }
      listener.applied();
    } catch (Exception e) {
      fail(e);
      return given;
    }
    Entry last = run.get(run.size() - 1);
    appliedTerm = last.term();
    appliedIndex = last.index();
    return given;
  }

  private static long bytes(List<Entry> run) {
    long bytes = 0;
    for (Entry entry : run) {
      bytes += entry.data() == null ? 0 : entry.data().length;
    }
    return bytes;
  }

  private void configure(Entry entry) throws Exception {
    Configuration now = entry.configuration();
    configuration = new SnapshotReference(entry.index(), entry.term(), now, entry.index());
    listener.configurationCommitted(
        new GroupListener.Configuration(
            entry.index(),
            entry.term(),
            Members.ofNodes(now.voters()),
            Members.ofNodes(now.outgoing()),
            now.learners().stream().map(Members::ofNode).toList()));
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
    tell(
        () -> {
          followed = Optional.empty();
          heardOfLeader = true;
          listener.leaderStarted(term);
        });
  }

  void leadsNoMore() {
    tell(listener::leaderStopped);
  }

  void follows(Peer leader, long term) {
    tell(
        () -> {
          followed = Optional.of(leader);
          heardOfLeader = true;
          listener.followingStarted(leader, term);
        });
  }

  void followsNobody() {
    tell(
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
   * @param done told once: after that, or why the log must be kept
   */
  void save(Consumer<SnapshotReference> saved, Consumer<Optional<String>> done) {
    AtomicBoolean answered = new AtomicBoolean();
    Consumer<Optional<String>> answer =
        why -> {
          if (answered.compareAndSet(false, true)) {
            done.accept(why);
          }
        };
    tasks.execute(
        () -> {
          if (isOver()) {
            answer.accept(Optional.of(STOPPED));
            return;
          }
          SnapshotReference now = reference();
          try {
            TaskLoop.willBlock();
            listener.save(
                point(now), keep -> answer.accept(keep.isPresent() ? keep : letGo(now, saved)));
          } catch (Exception e) {
            fail(e);
            answer.accept(Optional.of(e.toString()));
          }
        });
  }

  /** Returns why the log must be kept all the same. */
  private Optional<String> letGo(SnapshotReference now, Consumer<SnapshotReference> saved) {
    if (isOver()) {
      return Optional.of(STOPPED);
    }
    try {
      if (host.isPresent()) {
        host.get().saveMeta(Codec.bytesOf(now));
      }
      saved.accept(now);
      return Optional.empty();
    } catch (IOException | RuntimeException e) {
      fail(e);
      return Optional.of(e.toString());
    }
  }

  /**
   * Puts a copy in the place of the data. Nothing is left in its folder, whatever becomes of it.
   *
   * @param done told when it is in place; not after a fault
   */
  void install(SnapshotReference reference, CopyFetch.Fetched fetched, Runnable done) {
    tasks.execute(
        () -> {
          boolean installed = !isOver() && installNow(reference, fetched);
          discard(fetched.folder());
          if (installed) {
            done.run();
          }
        });
  }

  private void discard(Path incoming) {
    try {
      host.orElseThrow().deleteIncoming(incoming);
    } catch (IOException | RuntimeException e) {
      LOG.warn("Cannot delete {}; it is tried again at the next start", incoming, e);
    }
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
    if (host.isEmpty() || isOver()) {
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
    return new GroupListener.SnapshotPoint(reference.index(), reference.term());
  }

  // ---- The end ----

  /** Stops it for good after a local fault. */
  void fail(Throwable cause) {
    if (!closed && failed.compareAndSet(false, true)) {
      LOG.error("group={} stopped after a local fault", group, cause);
      whenFailed.run();
      tasks.execute(
          () -> {
            if (!closed) {
              listener.failed(cause);
            }
          });
    }
  }

  /**
   * Ends it. What was given before still reaches the listener; nothing does that comes later.
   *
   * @param done told in its turn
   */
  void close(Runnable done) {
    tasks.execute(
        () -> {
          closed = true;
          done.run();
        });
  }
}
