// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import com.alipay.sofa.jraft.entity.LogEntry;
import com.alipay.sofa.jraft.storage.LogStorage;
import com.alipay.sofa.jraft.storage.RaftMetaStorage;
import dev.cairn.queues.TaskLoop;
import dev.cairn.server.metrics.Metric;
import dev.cairn.server.metrics.Metrics;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.LongPredicate;
import java.util.stream.Stream;
import org.rocksdb.LiveFileMetaData;
import org.rocksdb.ReadOptions;
import org.rocksdb.ReadTier;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.SstFileReader;
import org.rocksdb.Status;
import org.rocksdb.WriteBatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The node's one write-ahead log: entries, terms and votes of all its Raft groups in one database,
 * so that one fsync serves every group that writes at that moment.
 *
 * <p>Everything that JRaft acknowledges to another node stands here first. So the log would rather
 * stop than guess:
 *
 * <ol>
 *   <li>Every write passes {@link #commit} and is fsynced when that returns. What groups append
 *       while the disk is busy is written as one batch ({@link GroupCommit}); a vote is a batch of
 *       its own, which RocksDB joins with what is written at that moment.
 *   <li>A row that should be there and is missing, unreadable or wrong is damage, never "no entry":
 *       JRaft takes a null entry for term 0, a conflict, and truncates what was acknowledged.
 *   <li>Damage latches: {@link #damaged()} stays true, every later append and vote is refused, and
 *       {@code onDamage} is told once. A failed fsync is not tried again.
 *   <li>A database that lost its end opens without an error. {@link DurableMark} says how far it
 *       had been on disk; opened below that, {@link LogLostException}. A record torn off above the
 *       mark is what a crash leaves. (What stays unseen: an fsynced end that is lost within the
 *       second before a crash, because the mark is a second behind at most.)
 *   <li>A row is bound to its key by its checksum ({@link LogRows} has the bytes).
 * </ol>
 *
 * <p>Thread-safe. {@link #close} waits for calls that are under way; later ones throw {@link
 * IllegalStateException} or are refused. Groups must be shut down before {@link #writeIncarnation}
 * and {@link #dropGroup}.
 */
public final class SharedLog implements NodeLog {
  private static final Logger LOG = LoggerFactory.getLogger(SharedLog.class);
  private static final long MARK_INTERVAL_MILLIS = 1000;

  private final Path folder;
  private final Consumer<LogDamagedException> onDamage;
  private final Metrics.Latency commits;
  private final Metrics.Count elections;
  private final LogOptions options;
  private final RocksDB database;
  private final ReadOptions inMemory;
  private final DurableMark mark;
  private final GroupCommit groupCommit;
  private final ConcurrentHashMap<String, GroupLog> groups = new ConcurrentHashMap<>();
  private final AtomicInteger lastNumber = new AtomicInteger();
  private final AtomicReference<LogDamagedException> damage = new AtomicReference<>();

  /** Read while the database is used, written to close it: a closed native handle is a crash. */
  private final ReentrantReadWriteLock use = new ReentrantReadWriteLock();

  private boolean closed;

  /**
   * Opens the log in a folder, or makes a new one.
   *
   * @param folder created when missing; {@code FOLDER.mark} beside it belongs to it
   * @param onDamage told once, on whichever thread found it; must neither block nor close this log
   * @throws LogLostException when it holds less than it had fsynced, or cannot be read
   * @throws ForeignLogException when it has a format that this release does not know
   * @throws IOException when the folder cannot be used, by another process' use of it for instance
   */
  public static SharedLog open(Path folder, Consumer<LogDamagedException> onDamage, Metrics metrics)
      throws IOException {
    return open(folder, onDamage, metrics, MARK_INTERVAL_MILLIS);
  }

  static SharedLog open(
      Path folder, Consumer<LogDamagedException> onDamage, Metrics metrics, long markIntervalMillis)
      throws IOException {
    Optional<DurableMark.Mark> mark = DurableMark.read(DurableMark.file(folder));
    if (mark.isPresent()) {
      LogReader.checkFormat(folder, mark.get().format());
      if (!Files.exists(folder.resolve("CURRENT"))) {
        throw lost(folder, "is gone", null);
      }
    }
    if (Files.exists(damageNote(folder))) {
      throw lost(
          folder, "was found damaged: " + Files.readString(damageNote(folder)).strip(), null);
    }
    Files.createDirectories(folder);
    return new SharedLog(folder, onDamage, metrics, mark, markIntervalMillis);
  }

  /**
   * Gives a lost log up for good: folder and mark are deleted, the next {@link #open} starts empty.
   * Whatever the node's groups had voted and acknowledged is void from here on.
   */
  public static void discard(Path folder) throws IOException {
    if (Files.exists(folder)) {
      try (Stream<Path> files = Files.walk(folder)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
    Files.deleteIfExists(DurableMark.file(folder));
    Files.deleteIfExists(damageNote(folder));
    DurableMark.syncFolder(folder.toAbsolutePath().getParent());
  }

  /**
   * Writes down that this log is damaged, for damage that opening it would not meet again: from now
   * on {@link #open} finds it lost.
   */
  public static void condemn(Path folder, String why) throws IOException {
    Files.writeString(damageNote(folder), why + "\n");
    DurableMark.syncFolder(folder.toAbsolutePath().getParent());
  }

  private static Path damageNote(Path folder) {
    return folder.resolveSibling(folder.getFileName() + ".damaged");
  }

  /** The files that belong to a log, beside its folder: they go where it goes. */
  public static List<Path> files(Path folder) {
    return List.of(folder, DurableMark.file(folder), damageNote(folder));
  }

  private SharedLog(
      Path folder,
      Consumer<LogDamagedException> onDamage,
      Metrics metrics,
      Optional<DurableMark.Mark> mark,
      long markIntervalMillis)
      throws IOException {
    this.folder = folder;
    this.onDamage = onDamage;
    this.commits = metrics.latency(Metric.LOG_COMMIT_DURATION);
    this.elections = metrics.counter(Metric.ELECTIONS);
    options = LogOptions.forWriting(this::onBackgroundError);
    database = openDatabase();
    inMemory = new ReadOptions().setReadTier(ReadTier.BLOCK_CACHE_TIER);
    options.figures().tell(metrics, this::property);
    metrics.gauge(Metric.LOG_DAMAGED, () -> damaged() ? 1 : 0);
    try {
      load(mark);
      this.mark =
          new DurableMark(
              DurableMark.file(folder),
              database::getLatestSequenceNumber,
              markIntervalMillis,
              e -> damage("The log's durable mark cannot be written", e));
      groupCommit = new GroupCommit(this::write);
    } catch (LogDamagedException e) {
      closeDatabase();
      throw lost(folder, "has a damaged row (" + e.getMessage() + ")", e);
    } catch (RocksDBException e) {
      closeDatabase();
      throw lost(folder, "cannot be read (" + e.getMessage() + ")", e);
    } catch (IOException | RuntimeException e) {
      closeDatabase();
      throw e;
    }
  }

  private RocksDB openDatabase() throws IOException {
    try {
      return RocksDB.open(
          options.database, folder.toString(), options.columnFamilies(), new ArrayList<>());
    } catch (RocksDBException e) {
      options.close();
      if (e.getStatus() != null && e.getStatus().getCode() == Status.Code.Corruption) {
        throw lost(folder, "cannot be read (" + e.getMessage() + ")", e);
      }
      throw new IOException(
          "The write-ahead log in " + folder + " cannot be opened: " + e.getMessage(), e);
    }
  }

  private void load(Optional<DurableMark.Mark> mark) throws RocksDBException, IOException {
    long sequence = database.getLatestSequenceNumber();
    if (mark.isPresent() && sequence < mark.get().sequence()) {
      throw lost(
          folder,
          "ends at sequence " + sequence + ", but had been on disk up to " + mark.get().sequence(),
          null);
    }
    byte[] format = database.get(LogRows.FORMAT_KEY);
    if (format == null) {
      if (sequence > 0) {
        throw lost(folder, "has no format version", null);
      }
      byte[] current = ByteBuffer.allocate(4).putInt(LogRows.FORMAT).array();
      database.put(options.synced, LogRows.FORMAT_KEY, current);
      return;
    }
    LogReader.checkFormat(folder, format.length == 4 ? ByteBuffer.wrap(format).getInt() : -1);
    Map<String, Integer> numbers = LogReader.directory(database);
    if (mark.isEmpty() && !numbers.isEmpty()) {
      throw lost(folder, "has lost " + DurableMark.file(folder).getFileName(), null);
    }
    for (Map.Entry<String, Integer> group : numbers.entrySet()) {
      int number = group.getValue();
      GroupLog log = new GroupLog(this, group.getKey(), number, LogReader.group(database, number));
      log.loadTerm();
      groups.put(group.getKey(), log);
      lastNumber.accumulateAndGet(number, Math::max);
    }
  }

  private static LogLostException lost(Path folder, String what, Throwable cause) {
    return new LogLostException(
        "The write-ahead log in "
            + folder
            + " "
            + what
            + ": entries and votes that this node had acknowledged are lost, so it must not vote"
            + " with what is left. Its groups have to be rebuilt from other nodes under a new"
            + " incarnation, without this log and its mark; where there is no other copy, that"
            + " accepts the loss.",
        cause);
  }

  /** The log of a group, for JRaft. The group is known to the disk from its first write on. */
  public LogStorage logStorage(String group) {
    return group(group);
  }

  /**
   * Where groups append and truncate: one thread, and one fsync for all that wait for it. Votes and
   * incarnations do not pass here.
   */
  Executor queue() {
    return groupCommit.queue();
  }

  /** Term and vote of a group, for JRaft. */
  public RaftMetaStorage metaStorage(String group) {
    return new GroupMeta(group(group));
  }

  @Override
  public long incarnation(String group) {
    GroupLog known = groups.get(group);
    return known == null ? 0 : known.incarnation();
  }

  @Override
  public void writeIncarnation(String group, long incarnation) {
    if (incarnation <= 0) {
      throw new IllegalArgumentException("An incarnation is 1 or more, not " + incarnation);
    }
    group(group).writeIncarnation(incarnation);
  }

  /** Forgets a group and all that it had, fsynced. Nothing happens when there is none. */
  public void dropGroup(String group) {
    GroupLog known = groups.get(group);
    if (known != null) {
      known.drop();
      groups.remove(group, known);
    }
  }

  @Override
  public long firstIndex(String group) {
    GroupLog known = groups.get(group);
    return known == null ? 1 : known.getFirstLogIndex();
  }

  @Override
  public long lastIndex(String group) {
    GroupLog known = groups.get(group);
    return known == null ? 0 : known.getLastLogIndex();
  }

  @Override
  public OptionalLong termAt(String group, long index) {
    GroupLog known = groups.get(group);
    LogEntry entry = known == null ? null : known.getEntry(index);
    return entry == null ? OptionalLong.empty() : OptionalLong.of(entry.getId().getTerm());
  }

  /** The groups that are on disk, sorted. */
  public List<String> groups() {
    return groups.values().stream()
        .filter(GroupLog::registered)
        .map(group -> group.name)
        .sorted()
        .toList();
  }

  @Override
  public long entryBytes(String group) {
    GroupLog known = groups.get(group);
    return known == null ? 0 : known.bytes();
  }

  /** Whether the log takes nothing any more. Never false again once true. */
  public boolean damaged() {
    return damage.get() != null;
  }

  /** Reads the entries of a group from {@code from} on, while it may grow and shrink. */
  public void forEachEntry(String group, long from, Consumer<StoredEntry> visitor) {
    GroupLog known = groups.get(group);
    if (known == null) {
      return;
    }
    for (long index = Math.max(from, known.getFirstLogIndex());
        index <= known.getLastLogIndex();
        index++) {
      LogEntry entry = known.getEntry(index);
      if (entry != null) {
        visitor.accept(LogRows.describe(entry));
      }
    }
  }

  @Override
  public boolean votersInTransition(String group) {
    GroupLog known = groups.get(group);
    return known != null && known.voters().joint();
  }

  @Override
  public Set<Peer> voters(String group) {
    GroupLog known = groups.get(group);
    return known == null || known.voters().joint() ? Set.of() : known.voters().peers();
  }

  /** The term of a group as it is on disk; 0 without one. A field read. */
  public long term(String group) {
    GroupLog known = groups.get(group);
    return known == null ? 0 : known.term();
  }

  /** Whom a group voted for in its term, as JRaft writes a peer; empty for nobody. */
  public Optional<String> votedFor(String group) {
    return Optional.ofNullable(vote(group)).flatMap(LogRows.Vote::peer);
  }

  private LogRows.Vote vote(String group) {
    GroupLog known = groups.get(group);
    return known == null ? null : known.vote();
  }

  private GroupLog group(String name) {
    return groups.computeIfAbsent(
        name, key -> new GroupLog(this, key, lastNumber.incrementAndGet(), GroupLog.Loaded.none()));
  }

  /** The one way to the disk: a batch, fsynced. */
  void commit(GroupCommit.Changes changes) {
    refuseIfDamaged();
    try {
      groupCommit.commit(changes);
    } catch (RocksDBException e) {
      throw damage("The write-ahead log cannot be written", e);
    }
  }

  private void refuseIfDamaged() {
    LogDamagedException latched = damage.get();
    if (latched != null) {
      throw latched;
    }
  }

  private void write(WriteBatch batch) {
    refuseIfDamaged(); // since these rows were gathered, perhaps
    use.readLock().lock();
    try {
      checkOpen();
      long begun = System.nanoTime();
      database.write(options.synced, batch);
      commits.record(System.nanoTime() - begun);
    } catch (RocksDBException e) {
      throw damage("The write-ahead log cannot be written", e);
    } finally {
      use.readLock().unlock();
    }
    mark.written();
  }

  private double property(String name) {
    use.readLock().lock();
    try {
      return closed ? 0 : database.getLongProperty(name);
    } catch (RocksDBException e) {
      return 0; // no figure is worth an error
    } finally {
      use.readLock().unlock();
    }
  }

  /** This node stands for election in one of its groups. */
  void stands() {
    elections.increment();
  }

  /** A row, or null. Whether null is damage, the caller knows. */
  byte[] read(byte[] key) {
    use.readLock().lock();
    try {
      checkOpen();
      return database.get(inMemory, key);
    } catch (RocksDBException e) {
      if (e.getStatus() == null || e.getStatus().getCode() != Status.Code.Incomplete) {
        throw damage("The write-ahead log cannot be read", LogRows.bad(key, "cannot be read", e));
      }
    } finally {
      use.readLock().unlock();
    }
    TaskLoop.willBlock();
    return readFromDisk(key);
  }

  /** Refuses as {@link #read} does, for a row that is known. */
  void requireOpen() {
    use.readLock().lock();
    try {
      checkOpen();
    } finally {
      use.readLock().unlock();
    }
  }

  private byte[] readFromDisk(byte[] key) {
    use.readLock().lock();
    try {
      checkOpen();
      return database.get(key);
    } catch (RocksDBException e) {
      throw damage("The write-ahead log cannot be read", LogRows.bad(key, "cannot be read", e));
    } finally {
      use.readLock().unlock();
    }
  }

  /** Decodes a row; one that is wrong is damage. */
  <T> T decode(byte[] key, byte[] row, BiFunction<byte[], byte[], T> decoder) {
    try {
      return decoder.apply(key, row);
    } catch (LogDamagedException e) {
      throw damage("The write-ahead log is damaged", e);
    }
  }

  /** Visits the rows of [from, end). */
  void scan(byte[] from, byte[] end, BiConsumer<byte[], byte[]> visitor) {
    use.readLock().lock();
    try {
      checkOpen();
      LogReader.scan(database, from, end, visitor);
    } catch (RocksDBException | LogDamagedException e) {
      throw damage("The write-ahead log cannot be read", e);
    } finally {
      use.readLock().unlock();
    }
  }

  @Override
  public void verify(LongPredicate pace) {
    for (LiveFileMetaData file : liveFiles()) {
      Path path = Path.of(file.path(), file.fileName());
      try (SstFileReader reader = new SstFileReader(options.reading)) {
        reader.open(path.toString());
        reader.verifyChecksum();
      } catch (RocksDBException e) {
        if (Files.exists(path)) { // else it was compacted away meanwhile
          damage("The write-ahead log is damaged", e);
          return;
        }
      }
      if (!pace.test(file.size())) {
        return;
      }
    }
  }

  private List<LiveFileMetaData> liveFiles() {
    use.readLock().lock();
    try {
      return closed ? List.of() : database.getLiveFilesMetaData();
    } finally {
      use.readLock().unlock();
    }
  }

  /** Latches the log and returns what to throw. */
  LogDamagedException damage(String what, Exception cause) {
    LogDamagedException found =
        new LogDamagedException(
            "%s (%s). Folder %s. Nothing more is appended, voted or acknowledged with it."
                .formatted(what, cause.getMessage(), folder),
            cause);
    if (damage.compareAndSet(null, found)) {
      LOG.error("Write-ahead log damaged", found);
      onDamage.accept(found);
    }
    return found;
  }

  private void onBackgroundError(Status status) {
    damage("RocksDB reports an error of the write-ahead log", new RocksDBException(status));
  }

  private void checkOpen() {
    if (closed) {
      throw new IllegalStateException("The write-ahead log in " + folder + " is closed");
    }
  }

  /** Package-private for tests: what the thread of the mark does once a second. */
  void writeMark() throws IOException {
    mark.writeNow();
  }

  @Override
  public void close() {
    groupCommit.close();
    mark.close();
    use.writeLock().lock();
    try {
      if (closed) {
        return;
      }
      closed = true;
      if (!damaged()) {
        mark.writeNow();
      }
    } catch (IOException e) {
      LOG.warn("The log's durable mark could not be written at the end", e);
    } finally {
      if (database.isOwningHandle()) {
        closeDatabase();
      }
      use.writeLock().unlock();
    }
  }

  private void closeDatabase() {
    database.close();
    inMemory.close();
    options.close();
  }
}
