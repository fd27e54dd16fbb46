// SPDX-License-Identifier: Apache-2.0
package dev.cairn.replication;

import dev.cairn.consensus.EntriesWanted;
import dev.cairn.consensus.Entry;
import dev.cairn.consensus.HardState;
import dev.cairn.consensus.Peer;
import dev.cairn.consensus.Restored;
import dev.cairn.consensus.SharedLog;
import dev.cairn.consensus.SnapshotReference;
import dev.cairn.consensus.Write;
import dev.cairn.log.Append;
import dev.cairn.log.Base;
import dev.cairn.log.Group;
import dev.cairn.log.Log;
import dev.cairn.log.LogEntry;
import dev.cairn.log.LogException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * The node's log as a shard uses it: what all groups have to write in a round becomes one {@link
 * Append}, and what a group finds when it is opened is read from the {@link Log}.
 *
 * <p>An append has a number here and a sequence in the log. Both grow together, but not in step:
 * several shards share one log, and where the disk is full or too much waits the log refuses what
 * was decided already. Such an append is held back, and with it all that come after it. So a round
 * is never refused; its owner refuses proposals while {@link #holdsBack}.
 *
 * <p>Invariants:
 *
 * <ol>
 *   <li>A round is one append: after a crash all of it is there or nothing.
 *   <li>Of each group stand in it, in this order: removal of what an earlier replica left and the
 *       marker, for who is placed; hard state; reset; compaction; entries. An entry takes the place
 *       of all that the log has at its index and behind, so a truncation needs no record.
 *   <li>Appends reach the log in the order of their numbers. {@link #durable} names a number only
 *       when the log has synced that append and all before it.
 *   <li>A compaction may pass what is held back, because it brings room. It names entries that are
 *       committed and on disk, which nothing that is held back changes.
 *   <li>A replica is restored only by its own marker. What another incarnation left is nobody's.
 * </ol>
 *
 * <p>It belongs to the shard's loop; {@link #entries} may be called by any thread.
 */
public final class ShardLog implements SharedLog {
  private static final byte[] NOTHING = {};

  /** Who carries out a read, on whatever thread, by {@link ShardLog#entries}. */
  public interface Reads {
    /** Begins a read; it must not wait. {@link dev.cairn.consensus.Shard#loaded} ends it. */
    void begin(long group, EntriesWanted wanted);
  }

  /** An append that the log has taken. */
  private record Handed(long number, long sequence) {}

  /** An append that the log has refused for now. */
  private record Held(long number, Append append) {}

  private final Log log;
  private final Reads reads;
  private final Deque<Handed> handed = new ArrayDeque<>();
  private final Deque<Held> held = new ArrayDeque<>();
  private long number;
  private long durable;

  /** A shard's view of a log that others may share. */
  public ShardLog(Log log, Reads reads) {
    this.log = log;
    this.reads = reads;
  }

  // ---- Writing ----

  /**
   * Queues a round's writes.
   *
   * @throws LogException when the log has failed or is closed: this process must end
   */
  @Override
  public long append(List<Part> parts) {
    Append append = new Append();
    for (Part part : parts) {
      add(append, part);
    }
    if (holdsBack()) {
      compactNow(parts);
    }
    return hand(append);
  }

  /** Queues the removal of a group, with all that it has. Returns the number of the append. */
  public long remove(long group) {
    return hand(new Append().remove(group));
  }

  private static void add(Append append, Part part) {
    long group = part.group();
    Write write = part.write();
    if (part.marker() != null) {
      append.remove(group).marker(group, Codec.bytesOf(part.marker()));
    }
    if (write.hardState() != null) {
      HardState state = write.hardState();
      append.hardState(group, state.term(), voteBytes(state.votedFor()));
    }
    if (write.reset() != null) {
      append.reset(group, baseOf(write.reset()));
    }
    if (write.compactedTo() > 0) {
      append.compact(group, write.compactedTo());
    }
    for (Entry entry : write.entries()) {
      append.entry(group, logEntryOf(entry));
    }
  }

  private static byte[] voteBytes(Peer votedFor) {
    return votedFor == null ? NOTHING : Codec.bytesOf(votedFor);
  }

  private static Base baseOf(SnapshotReference snapshot) {
    return new Base(
        snapshot.index(),
        snapshot.term(),
        snapshot.configurationIndex(),
        Codec.bytesOf(snapshot.configuration()));
  }

  private static LogEntry logEntryOf(Entry entry) {
    if (entry.configuration() != null) {
      byte[] configuration = Codec.bytesOf(entry.configuration());
      return new LogEntry(entry.index(), entry.term(), LogEntry.Kind.CONFIGURATION, configuration);
    }
    return entry.data() == null
        ? new LogEntry(entry.index(), entry.term(), LogEntry.Kind.EMPTY, NOTHING)
        : new LogEntry(entry.index(), entry.term(), LogEntry.Kind.DATA, entry.data());
  }

  private long hand(Append append) {
    number++;
    if (holdsBack() || !take(number, append)) {
      held.addLast(new Held(number, append));
    }
    return number;
  }

  /** Gives an append to the log; false when that has no room for it now. */
  private boolean take(long taken, Append append) {
    try {
      handed.addLast(new Handed(taken, log.append(append)));
      return true;
    } catch (LogException e) {
      if (isPassing(e)) {
        return false;
      }
      throw e;
    }
  }

  private static boolean isPassing(LogException e) {
    return e.kind() == LogException.Kind.NO_ROOM || e.kind() == LogException.Kind.BUSY;
  }

  /** Compactions go ahead; each comes again with its append, and changes nothing then. */
  private void compactNow(List<Part> parts) {
    Append compactions = new Append();
    boolean any = false;
    for (Part part : parts) {
      if (part.write().compactedTo() > 0) {
        compactions.compact(part.group(), part.write().compactedTo());
        any = true;
      }
    }
    if (any) {
      try {
        log.append(compactions);
      } catch (LogException e) {
        if (!isPassing(e)) {
          throw e;
        }
      }
    }
  }

  /** Whether appends wait for the log to take them: proposals are to be refused. */
  public boolean holdsBack() {
    return !held.isEmpty();
  }

  /**
   * Hands on what was held back, as far as the log takes it now.
   *
   * @return up to which number all appends are on disk; {@link dev.cairn.consensus.Shard#durable}
   *     is to be told
   */
  public long durable() {
    while (holdsBack() && take(held.peekFirst().number(), held.peekFirst().append())) {
      held.pollFirst();
    }
    long synced = log.durable();
    while (!handed.isEmpty() && handed.peekFirst().sequence() <= synced) {
      durable = handed.pollFirst().number();
    }
    return durable;
  }

  // ---- Reading ----

  @Override
  public void read(long group, EntriesWanted wanted) {
    reads.begin(group, wanted);
  }

  /**
   * Reads entries that are on disk. Any thread may call it.
   *
   * @return consecutive entries, at least one, about as many as the bound allows; none when they
   *     cannot be read, which {@link Log#failure} tells then, or when the log does not begin so
   *     early any more
   */
  public List<Entry> entries(long group, long from, long bytesMax) {
    try {
      return log.read(group, from, bytesMax).stream().map(ShardLog::entryOf).toList();
    } catch (LogException e) {
      return List.of();
    }
  }

  private static Entry entryOf(LogEntry entry) {
    return switch (entry.kind()) {
      case DATA -> new Entry(entry.index(), entry.term(), entry.data(), null);
      case EMPTY -> new Entry(entry.index(), entry.term(), null, null);
      case CONFIGURATION ->
          new Entry(entry.index(), entry.term(), null, Codec.configuration(entry.data()));
    };
  }

  /**
   * What is on disk of a replica, to open its group with; what waits does not count.
   *
   * @param self who was placed here
   * @param data what the state machine has on disk; null for a witness, which has none
   * @return empty when the log does not have that replica's marker: it is to be placed
   * @throws LogException of kind FOREIGN when a later release wrote it
   */
  public Optional<Restored> restored(long group, Peer self, SnapshotReference data) {
    Optional<Group> found =
        log.group(group)
            .filter(each -> each.marker().length > 0 && Codec.peer(each.marker()).equals(self));
    return found.map(
        each -> {
          SnapshotReference base = referenceOf(each.base());
          Peer votedFor = each.vote().length == 0 ? null : Codec.peer(each.vote());
          return new Restored(
              new HardState(each.term(), votedFor),
              base,
              new RestoredEntries(each),
              data == null ? base : data);
        });
  }

  private static SnapshotReference referenceOf(Base base) {
    return new SnapshotReference(
        base.index(),
        base.term(),
        Codec.configuration(base.configuration()),
        base.configurationIndex());
  }
}
