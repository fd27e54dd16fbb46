// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus;

import dev.cairn.consensus.Message.Append;
import dev.cairn.consensus.Message.AppendReply;
import dev.cairn.consensus.Message.Beat;
import dev.cairn.consensus.Message.BeatReply;
import dev.cairn.consensus.Message.Install;
import dev.cairn.consensus.Message.InstallReply;
import dev.cairn.consensus.Message.Keep;

/**
 * What a member does with what its leader sends (Raft 5.3).
 *
 * <p>Rules:
 *
 * <ol>
 *   <li>Entries are taken only where the log meets the leader's. What conflicts goes, with all
 *       behind it; what is committed never conflicts.
 *   <li>An acknowledgement names what is equal to the leader's log, and leaves when that is
 *       durable.
 *   <li>A witness drops its log only below what its leader allows by a configuration that is no
 *       older than its own, or where the log has reached its bound ({@link Group#cut}).
 *   <li>A snapshot that is not ahead of what is committed is not fetched. Nor is one of a witness
 *       by who keeps data: there is none.
 * </ol>
 */
final class Following {
  private final GroupState state;
  private Keep keep = Keep.ALL;
  private SnapshotOffer offer;
  private boolean installing;

  Following(GroupState state) {
    this.state = state;
  }

  /** Takes the snapshot that is to be fetched; null if there is none. */
  SnapshotOffer takeOffer() {
    SnapshotOffer taken = offer;
    offer = null;
    return taken;
  }

  /**
   * The first entry that a witness must keep; all, while its leader has not counted by its
   * configuration.
   */
  long keepFrom() {
    return keep.configurationIndex() >= state.log.configurationIndex() ? keep.from() : 0;
  }

  void append(Append append) {
    take(append.keep());
    LogView log = state.log;
    long prev = append.prevIndex();
    boolean known = log.termAt(prev) != TermRuns.UNKNOWN;
    boolean meets = prev <= state.commit() || (known && log.termAt(prev) == append.prevTerm());
    if (!meets) {
      long hint = log.lastWithTermAtMost(Math.min(prev, log.last()), append.prevTerm());
      reply(append, false, prev, hint, log.termAt(hint), 0);
      return;
    }
    for (Entry entry : append.entries()) {
      take(entry);
    }
    long met = Math.max(prev + append.entries().size(), state.commit());
    state.commitTo(Math.min(append.commit(), met));
    reply(append, true, met, 0, 0, met > log.durable() ? log.coveringSequence() : 0);
  }

  private void take(Entry entry) {
    LogView log = state.log;
    if (entry.index() <= state.commit() || log.termAt(entry.index()) == entry.term()) {
      return;
    }
    log.truncateFrom(entry.index());
    log.append(entry);
  }

  private void reply(
      Append append, boolean accepted, long index, long hint, long hintTerm, long sequence) {
    state.sendAfter(
        sequence,
        new AppendReply(
            state.self,
            append.from(),
            state.term(),
            accepted,
            index,
            hint,
            hintTerm,
            append.round(),
            state.flushed(),
            state.log.base(),
            state.commit()));
  }

  void beat(Beat beat) {
    take(beat.keep());
    state.commitTo(beat.commit());
    tell(beat.round());
  }

  /** What a witness may drop depends on this, and no beat may come to ask for it. */
  void tellFlushed() {
    tell(0);
  }

  private void tell(long round) {
    state.send(
        new BeatReply(
            state.self,
            state.leader(),
            state.term(),
            round,
            state.flushed(),
            state.commit(),
            installing));
  }

  private void take(Keep told) {
    if (told.configurationIndex() >= keep.configurationIndex()) {
      keep = told;
    }
  }

  /** Whether nothing is under way here: all that the log has is on disk and committed. */
  boolean isQuiet() {
    return !installing
        && state.log.isWritten()
        && state.log.durable() == state.log.last()
        && state.commit() == state.log.last()
        && state.outbox.isEmpty();
  }

  // ---- Snapshots ----

  void install(Install install) {
    SnapshotReference reference = install.reference();
    if (reference.index() <= state.commit()
        || state.log.termAt(reference.index()) == reference.term()) {
      state.commitTo(reference.index());
      installed(reference.index());
    } else if (!state.isWitness() && state.isWitness(install.from())) {
      installed(0);
    } else if (!installing) {
      installing = true;
      offer = new SnapshotOffer(install.from(), reference);
    }
  }

  /** The data of a snapshot is durable and in place, or a witness takes its word. */
  void installed(SnapshotReference snapshot) {
    installing = false;
    if (snapshot.index() > state.commit()) {
      if (state.log.termAt(snapshot.index()) != snapshot.term()) {
        state.log.reset(snapshot);
      }
      state.commitTo(snapshot.index());
    }
    installed(snapshot.index());
  }

  void installFailed() {
    installing = false;
    installed(0);
  }

  private void installed(long index) {
    if (state.leader() != null && !state.leads()) {
      long sequence = index > state.log.durable() ? state.log.coveringSequence() : 0;
      state.sendAfter(sequence, new InstallReply(state.self, state.leader(), state.term(), index));
    }
  }
}
