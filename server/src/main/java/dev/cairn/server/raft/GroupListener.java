// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * What a Raft group tells the state machine that it drives.
 *
 * <p>Each committed entry is told, in the order of indexes and without a gap, by {@link #apply},
 * {@link #passed} or {@link #configurationCommitted}.
 *
 * <p>All methods but {@link #failed} are called one at a time, in the order of the log, each after
 * the one before has returned; nothing of the group is applied meanwhile. The thread is one of the
 * node's workers, not always the same, which deal with the messages of other groups too: a method
 * that is about to wait for a disk calls {@link dev.cairn.server.peer.TaskLoop#willBlock} first.
 * {@link #save} and {@link #load} need not.
 */
public interface GroupListener {
  /**
   * Applies one committed entry.
   *
   * @param entry the entry; its index is greater than that of any applied before in this process,
   *     but may be at or below what storage holds already: the listener skips those
   * @throws Exception a local fault (storage); the group stops. A user's error is an answer, not an
   *     exception.
   */
  void apply(Entry entry) throws Exception;

  /**
   * The last {@link #apply} of a run of entries that were committed together has returned: make it
   * visible.
   */
  void applied() throws Exception;

  /** This node leads from now on; all entries of earlier terms have been applied. */
  void leaderStarted(long term);

  /** This node no longer leads, or has begun to hand leadership over. */
  void leaderStopped();

  /** Another node leads. */
  void followingStarted(Peer leader, long term);

  /** The leader that was followed is followed no more; nobody is known to lead. */
  void followingStopped();

  /**
   * A committed entry of the engine's own that changes nothing: a term that began.
   *
   * @throws Exception as of {@link #apply}
   */
  default void passed(long index, long term) throws Exception {}

  /**
   * A committed entry that says who belongs to the group.
   *
   * @throws Exception as of {@link #apply}
   */
  void configurationCommitted(Configuration configuration) throws Exception;

  /**
   * Makes everything up to {@code point} durable in storage, so that the log up to there may go.
   *
   * @param done called once, by any thread, now or later: empty when the log may go, or why it must
   *     be kept. Until then the group takes no other snapshot and accepts none from its leader.
   */
  void save(SnapshotPoint point, Consumer<Optional<String>> done) throws Exception;

  /**
   * A snapshot is about to count as applied: at start the last durable one, later one received from
   * the leader.
   *
   * @param received the folder with the received data, empty for the node's own
   * @return whether storage now holds everything up to {@code point}; {@code false} stops the group
   *     for good
   */
  boolean load(SnapshotPoint point, Optional<Path> received, byte[] meta) throws IOException;

  /** The group has stopped for good after a local fault. Called once, by any thread. */
  void failed(Throwable cause);

  /**
   * A committed entry.
   *
   * @param index its log index
   * @param term the term in which it was proposed
   * @param data what was proposed
   * @param proposal the object that proposed it, when that was this process in this term
   */
  record Entry(long index, long term, byte[] data, Optional<Proposal> proposal) {}

  /**
   * A committed entry that says who belongs to the group.
   *
   * @param outgoing the voters of the configuration that is being left, whose majority counts too;
   *     empty once it is left
   */
  record Configuration(
      long index, long term, List<Peer> voters, List<Peer> outgoing, List<Peer> learners) {
    /** Whether a change of voters has begun and not ended. */
    public boolean isJoint() {
      return !outgoing.isEmpty();
    }
  }

  /** Where a snapshot stands in the log. */
  record SnapshotPoint(long index, long term) {}
}
