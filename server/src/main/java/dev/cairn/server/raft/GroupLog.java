// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import com.alipay.sofa.jraft.conf.Configuration;
import com.alipay.sofa.jraft.conf.ConfigurationEntry;
import com.alipay.sofa.jraft.conf.ConfigurationManager;
import com.alipay.sofa.jraft.entity.EnumOutter.EntryType;
import com.alipay.sofa.jraft.entity.LogEntry;
import com.alipay.sofa.jraft.entity.LogId;
import com.alipay.sofa.jraft.option.LogStorageOptions;
import com.alipay.sofa.jraft.storage.LogStorage;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteBatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One group's part of the {@link SharedLog}, as JRaft wants it.
 *
 * <p>JRaft appends and truncates on {@link SharedLog#queue} and reads from many threads. Writes
 * hold this object's monitor until they are on disk, over other groups' work on that queue ({@link
 * GroupCommit}), which never asks for this one. Reads take no lock.
 *
 * <ol>
 *   <li>{@code range} is what may be read. It shrinks before rows are deleted and grows after they
 *       are on disk, and every change is a new object: a row that is missing while the range was
 *       the same object before and after the read is damage, and never "no entry".
 *   <li>The entries are without a gap: an append that does not start right behind the last one is
 *       refused. JRaft truncates first, always.
 *   <li>An empty log has {@code last = first - 1}, as JRaft's log manager counts after a reset.
 * </ol>
 */
final class GroupLog implements LogStorage {
  /**
   * How many of the last entries stay in memory. The engine lets go of an entry once it is applied,
   * and then asks for it again, for its term: it sends that with each entry that comes next, and
   * with each heartbeat.
   */
  private static final int LATEST = 4;

  private static final int LATEST_BYTES_MAX = 4 << 10;

  private static final Logger LOG = LoggerFactory.getLogger(GroupLog.class);

  final String name;
  final int number;
  private final SharedLog log;
  private final LogSize size;

  /** Rows of the last entries, each at its index modulo {@link #LATEST}. */
  private final AtomicReferenceArray<Row> latest = new AtomicReferenceArray<>(LATEST);

  private volatile Range range;
  private volatile long incarnation;

  private volatile long term;

  /** By the last configuration in the log. */
  private volatile Voters voters = Voters.UNKNOWN;

  /** Whether the directory has this group; its row travels with the first write. */
  private volatile boolean registered;

  /** Nothing is written once the group was dropped. */
  @GuardedBy("this")
  private boolean dropped;

  GroupLog(SharedLog log, String name, int number, Loaded loaded) {
    this.log = log;
    this.name = name;
    this.number = number;
    range = new Range(loaded.first(), loaded.last());
    incarnation = loaded.incarnation();
    registered = loaded.registered();
    size = new LogSize(loaded.first(), loaded.last(), loaded.bytes());
  }

  /**
   * Who votes.
   *
   * @param peers the voters to be; none when the log does not say
   * @param joint whether the old ones vote too
   */
  record Voters(Set<Peer> peers, boolean joint) {
    static final Voters UNKNOWN = new Voters(Set.of(), false);

    static Voters of(LogEntry configuration) {
      return new Voters(
          configuration.getPeers().stream().map(Peer::of).collect(Collectors.toUnmodifiableSet()),
          configuration.getOldPeers() != null && !configuration.getOldPeers().isEmpty());
    }
  }

  /** Feeds the configurations that the log holds, oldest first. The codec's choice is ours. */
  @Override
  public boolean init(LogStorageOptions options) {
    if (log.damaged()) {
      LOG.error("Group {} does not start: the write-ahead log is damaged", name);
      return false;
    }
    ConfigurationManager configurations = options.getConfigurationManager();
    forEachConfiguration(entry -> configurations.add(configuration(entry)));
    return true;
  }

  private void forEachConfiguration(Consumer<LogEntry> visitor) {
    Range held = range;
    voters = Voters.UNKNOWN;
    log.scan(
        LogRows.key(LogRows.CONFIGURATION, number, held.first()),
        LogRows.key(LogRows.CONFIGURATION, number, held.last() + 1),
        (key, row) -> {
          LogEntry entry = LogRows.readEntry(key, row);
          voters = Voters.of(entry);
          visitor.accept(entry);
        });
  }

  /** The voters by the last configuration that is on disk here. */
  Voters voters() {
    return voters;
  }

  private static ConfigurationEntry configuration(LogEntry entry) {
    Configuration old =
        entry.getOldPeers() == null
            ? new Configuration()
            : new Configuration(entry.getOldPeers(), entry.getOldLearners());
    return new ConfigurationEntry(
        new LogId(entry.getId().getIndex(), entry.getId().getTerm()),
        new Configuration(entry.getPeers(), entry.getLearners()),
        old);
  }

  /** Nothing to close: the database serves all groups until the node closes it. */
  @Override
  public void shutdown() {}

  @Override
  public long getFirstLogIndex() {
    return range.first();
  }

  @Override
  public long getLastLogIndex() {
    return range.last();
  }

  @Override
  public LogEntry getEntry(long index) {
    byte[] key = LogRows.key(LogRows.ENTRY, number, index);
    while (true) {
      Range before = range;
      if (index < before.first() || index > before.last()) {
        return null;
      }
      byte[] row = read(index, key);
      if (row != null) {
        return log.decode(key, row, LogRows::readEntry);
      }
      if (before == range) {
        throw log.damage(
            "Group " + name,
            LogRows.bad(
                key, "is missing from a log of " + before.first() + ".." + before.last(), null));
      }
    }
  }

  private byte[] read(long index, byte[] key) {
    Row kept = latest.get((int) (index % LATEST));
    if (kept == null || kept.index() != index || kept.bytes().isEmpty()) {
      return log.read(key);
    }
    log.requireOpen();
    return kept.bytes().get();
  }

  @Deprecated
  @Override
  public long getTerm(long index) {
    LogEntry entry = getEntry(index);
    return entry == null ? 0 : entry.getId().getTerm();
  }

  @Override
  public boolean appendEntry(LogEntry entry) {
    return appendEntries(List.of(entry)) == 1;
  }

  /** All or nothing, fsynced: the number of entries, or 0, which JRaft takes for an error. */
  @Override
  public synchronized int appendEntries(List<LogEntry> entries) {
    if (entries == null || entries.isEmpty()) {
      return 0;
    }
    Range before = range;
    long expected = before.last() + 1;
    for (LogEntry entry : entries) {
      if (entry.getId().getIndex() != expected) {
        LOG.error(
            "Group {} refuses entry {}: its log is {}..{} and the next is {}",
            name,
            entry.getId().getIndex(),
            before.first(),
            before.last(),
            expected);
        return 0;
      }
      expected++;
    }
    List<Row> rows = new ArrayList<>(entries.size());
    boolean done =
        commit(
            "append",
            batch -> {
              for (LogEntry entry : entries) {
                rows.add(put(batch, entry));
              }
            });
    if (!done) {
      return 0;
    }
    long bytes = 0;
    for (Row row : rows) {
      bytes += row.storedBytes();
      latest.set((int) (row.index() % LATEST), row); // before it is in the range
    }
    size.append(expected - 1, bytes);
    range = new Range(before.first(), expected - 1);
    for (LogEntry entry : entries) {
      if (entry.getType() == EntryType.ENTRY_TYPE_CONFIGURATION) {
        voters = Voters.of(entry);
      }
    }
    return entries.size();
  }

  private Row put(WriteBatch batch, LogEntry entry) throws RocksDBException {
    long index = entry.getId().getIndex();
    byte[] key = LogRows.key(LogRows.ENTRY, number, index);
    byte[] row = LogRows.entry(key, entry);
    batch.put(key, row);
    if (entry.getType() == EntryType.ENTRY_TYPE_CONFIGURATION) {
      byte[] again = LogRows.key(LogRows.CONFIGURATION, number, index);
      batch.put(again, LogRows.entry(again, entry));
    }
    boolean isShort = row.length <= LATEST_BYTES_MAX;
    return new Row(
        index, (long) key.length + row.length, isShort ? Optional.of(row) : Optional.empty());
  }

  @Override
  public synchronized boolean truncatePrefix(long firstKept) {
    Range before = range;
    if (firstKept <= before.first()) {
      return true;
    }
    range = new Range(firstKept, Math.max(before.last(), firstKept - 1));
    boolean done =
        commit(
            "truncatePrefix",
            batch -> {
              putFirst(batch, firstKept);
              delete(batch, before.first(), Math.min(firstKept, before.last() + 1));
            });
    size.truncatePrefix(firstKept);
    return done;
  }

  @Override
  public synchronized boolean truncateSuffix(long lastKept) {
    Range before = range;
    if (lastKept >= before.last()) {
      return true;
    }
    if (lastKept < before.first() - 1) {
      LOG.error(
          "Group {} cannot keep ..{} of {}..{}", name, lastKept, before.first(), before.last());
      return false;
    }
    range = new Range(before.first(), lastKept);
    boolean done =
        commit("truncateSuffix", batch -> delete(batch, lastKept + 1, before.last() + 1));
    size.truncateSuffix(lastKept);
    forEachConfiguration(entry -> {});
    return done;
  }

  @Override
  public synchronized boolean reset(long next) {
    if (next <= 0) {
      throw new IllegalArgumentException("A log starts at 1 or above, not at " + next);
    }
    Range before = range;
    range = new Range(next, next - 1);
    boolean done =
        commit(
            "reset",
            batch -> {
              delete(batch, before.first(), before.last() + 1);
              putFirst(batch, next);
            });
    size.reset(next);
    voters = new Voters(Set.of(), voters.joint());
    return done;
  }

  long incarnation() {
    return incarnation;
  }

  /** Wipes the group when {@code next} is another incarnation than before. */
  synchronized void writeIncarnation(long next) {
    if (next == incarnation) {
      return;
    }
    range = new Range(1, 0);
    byte[] key = LogRows.key(LogRows.INCARNATION, number);
    commitOrThrow(
        batch -> {
          wipe(batch);
          batch.put(key, LogRows.number(key, next));
        });
    size.reset(1);
    voters = Voters.UNKNOWN;
    term = 0;
    incarnation = next;
  }

  synchronized void drop() {
    range = new Range(1, 0);
    if (registered) {
      commitOrThrow(
          batch -> {
            wipe(batch);
            batch.delete(LogRows.key(LogRows.INCARNATION, number));
            batch.delete(LogRows.directoryKey(name));
          });
    }
    size.reset(1);
    voters = Voters.UNKNOWN;
    term = 0;
    incarnation = 0;
    registered = false;
    dropped = true;
  }

  /** Rare, so it takes whole key ranges and need not know where the log began. */
  private void wipe(WriteBatch batch) throws RocksDBException {
    for (byte tag : new byte[] {LogRows.ENTRY, LogRows.CONFIGURATION}) {
      batch.deleteRange(LogRows.key(tag, number, 0), LogRows.end(tag, number));
    }
    batch.delete(LogRows.key(LogRows.FIRST, number));
    batch.delete(LogRows.key(LogRows.META, number));
  }

  /** Null when the group never stored any. */
  LogRows.Vote vote() {
    byte[] key = LogRows.key(LogRows.META, number);
    byte[] row = log.read(key);
    return row == null ? null : log.decode(key, row, LogRows::readVote);
  }

  synchronized boolean storeVote(LogRows.Vote vote) {
    byte[] key = LogRows.key(LogRows.META, number);
    boolean done = commit("vote", batch -> batch.put(key, LogRows.vote(key, vote)));
    if (done) {
      term = vote.term();
    }
    return done;
  }

  /** The term that is on disk here; 0 without one. Never ahead of the disk. A field read. */
  long term() {
    return term;
  }

  /** Reads the term when the log is opened. */
  void loadTerm() {
    LogRows.Vote vote = vote();
    term = vote == null ? 0 : vote.term();
  }

  /** This node has stored a vote for itself. */
  void stands() {
    log.stands();
  }

  boolean damaged() {
    return log.damaged();
  }

  boolean registered() {
    return registered;
  }

  long bytes() {
    return size.bytes();
  }

  private void putFirst(WriteBatch batch, long first) throws RocksDBException {
    byte[] key = LogRows.key(LogRows.FIRST, number);
    batch.put(key, LogRows.number(key, first));
  }

  /** Deletes [from, to) of the entries; from where they began, not from 0: RocksDB is spared. */
  private void delete(WriteBatch batch, long from, long to) throws RocksDBException {
    if (from < to) {
      for (byte tag : new byte[] {LogRows.ENTRY, LogRows.CONFIGURATION}) {
        batch.deleteRange(LogRows.key(tag, number, from), LogRows.key(tag, number, to));
      }
    }
  }

  /** False where JRaft is to stop the group: the log is damaged or closed, or the group dropped. */
  @GuardedBy("this")
  private boolean commit(String what, GroupCommit.Changes changes) {
    try {
      commitOrThrow(changes);
      return true;
    } catch (LogDamagedException | IllegalStateException e) {
      LOG.error("Group {}: {} refused: {}", name, what, e.getMessage());
      return false;
    }
  }

  @GuardedBy("this")
  private void commitOrThrow(GroupCommit.Changes changes) {
    if (dropped) {
      throw new IllegalStateException("Group " + name + " was dropped");
    }
    log.commit(
        batch -> {
          if (!registered) {
            byte[] key = LogRows.directoryKey(name);
            batch.put(key, LogRows.number(key, number));
          }
          changes.addTo(batch);
        });
    registered = true;
  }

  /**
   * An entry as it is stored.
   *
   * @param bytes of a short one; a long one is let go of at once
   */
  private record Row(long index, long storedBytes, Optional<byte[]> bytes) {}

  /** What the log holds; replaced, never changed. Identity matters, so it is no record. */
  private static final class Range {
    private final long first;
    private final long last;

    Range(long first, long last) {
      this.first = first;
      this.last = last;
    }

    long first() {
      return first;
    }

    long last() {
      return last;
    }
  }

  /** What the database knows of a group when it is opened. */
  record Loaded(long first, long last, long bytes, long incarnation, boolean registered) {
    static Loaded none() {
      return new Loaded(1, 0, 0, 0, false);
    }
  }
}
