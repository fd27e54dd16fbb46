// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.storage;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.rocksdb.AbstractEventListener;
import org.rocksdb.BackgroundErrorReason;
import org.rocksdb.Checkpoint;
import org.rocksdb.FlushOptions;
import org.rocksdb.LiveFileMetaData;
import org.rocksdb.MutableDBOptions;
import org.rocksdb.Options;
import org.rocksdb.ReadOptions;
import org.rocksdb.ReadTier;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.Snapshot;
import org.rocksdb.Status;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One generation of one partition's data: a RocksDB database without a write-ahead log of its own,
 * for the replicated log is that.
 *
 * <pre>
 *   key      := space:1 rest
 *   space 0  := "applied"  -&gt; AppliedRow
 *               "identity" -&gt; format:1 (= 1) partition:4 clusterId:utf8
 *   space 1  := the user's key -&gt; ValueRecord
 *   space 2  := ExpiryIndex
 *   space 3  := rows of the partition's own: what its state machine keeps beside the user's data
 * </pre>
 *
 * <p><b>Threads.</b> {@link #apply} by one thread at a time (the state machine's); all else by any.
 *
 * <p><b>Invariants.</b>
 *
 * <ol>
 *   <li>Data and {@link AppliedRow} change in one batch of one column family, and a batch lies in
 *       one write buffer whole; buffers reach the disk in the order in which they were written. So
 *       whatever is found after a crash is the data exactly as of the row found with it.
 *   <li>{@link #durableIndex} never runs ahead of the disk. (It may lag: a flush that RocksDB
 *       started by itself is not noticed.)
 *   <li>A native handle is touched only under a lease, and closed only when no lease is left and
 *       none can be had: a closed one would kill the process.
 *   <li>A read that fails throws; it is never 'no such key'.
 *   <li>Reads of single keys go through the {@link RecordCache}, and only {@link #apply} changes
 *       the database, inside its begin and end. Scans and views ask the database.
 * </ol>
 */
public final class PartitionStore implements StoredKeys {
  /** The longest key, twice what a client may send. */
  public static final int KEY_BYTES_MAX = 128 << 10;

  private static final Logger LOG = LoggerFactory.getLogger(PartitionStore.class);
  private static final byte SYSTEM_SPACE = 0;
  private static final byte USER_SPACE = 1;
  private static final byte ROW_SPACE = 3;
  private static final byte[] APPLIED = systemKey("applied");
  private static final byte[] IDENTITY = systemKey("identity");
  private static final byte[] NOTHING = {};

  private final StorageEngine engine;
  private final Path folder;
  private final Options options;
  final RocksDB database; // tests hold up its background work
  private final RecordCache cache;
  private final ReadOptions anywhere = new ReadOptions();
  private final ReadOptions inMemory = new ReadOptions().setReadTier(ReadTier.BLOCK_CACHE_TIER);
  private final WriteOptions withoutLog = new WriteOptions().setDisableWAL(true);
  private final WriteOptions withoutWaiting =
      new WriteOptions().setDisableWAL(true).setNoSlowdown(true);
  private final FlushOptions flushAndWait = new FlushOptions().setWaitForFlush(true);
  private final FlushOptions flushLater =
      new FlushOptions().setWaitForFlush(false).setAllowWriteStall(true);

  private final Leases leases = new Leases();
  private final ExpiryIndex expiry = new ExpiryIndex();
  private final AtomicReference<StorageException> damage = new AtomicReference<>();
  private final BackgroundErrors errors;
  private volatile Consumer<StorageException> onDamage = cause -> {};
  private volatile AppliedRow applied;
  private volatile AppliedRow durable;

  private PartitionStore(
      StorageEngine engine,
      Path folder,
      Options options,
      RocksDB database,
      BackgroundErrors errors) {
    this.engine = engine;
    this.folder = folder;
    this.options = options;
    this.database = database;
    this.errors = errors;
    this.cache = engine.newRecordCache();
  }

  /** Whether a folder holds a database into which anything was ever applied. */
  static boolean holdsData(StorageEngine engine, Path folder) throws IOException {
    if (!Files.exists(folder.resolve("CURRENT"))) {
      return DurableFiles.list(folder).stream().anyMatch(file -> file.toString().endsWith(".sst"));
    }
    PartitionStore store = openDatabase(engine, folder, false);
    try {
      return store.database.get(store.anywhere, APPLIED) != null;
    } catch (RocksDBException e) {
      throw new StorageException("cannot read the database " + folder, e);
    } finally {
      store.close();
    }
  }

  /** Makes an empty database in an empty folder. */
  static PartitionStore create(StorageEngine engine, Path folder, PartitionIdentity identity) {
    PartitionStore store = openDatabase(engine, folder, true);
    try {
      store.database.put(store.withoutLog, IDENTITY, new DatabaseIdentity(identity).encode());
      store.database.flush(store.flushAndWait);
    } catch (RocksDBException e) {
      store.close();
      throw new StorageException("cannot create the database " + folder, e);
    }
    store.ready();
    return store;
  }

  /** Opens a database that must be there, whole, and this partition's. */
  static PartitionStore open(StorageEngine engine, Path folder, PartitionIdentity identity) {
    PartitionStore store = openDatabase(engine, folder, false);
    try {
      byte[] found = store.database.get(store.anywhere, IDENTITY);
      if (found == null) {
        throw new StorageException(folder + " is no database of a Cairn partition");
      }
      DatabaseIdentity.decode(found).check(identity, folder);
      store.ready();
      return store;
    } catch (RocksDBException e) {
      store.close();
      throw new StorageException("cannot read the database " + folder, e);
    } catch (StorageException e) {
      store.close();
      throw e;
    }
  }

  private static PartitionStore openDatabase(StorageEngine engine, Path folder, boolean create) {
    BackgroundErrors errors = new BackgroundErrors();
    Options options = engine.options().setCreateIfMissing(create).setListeners(List.of(errors));
    try {
      RocksDB database = RocksDB.open(options, folder.toString());
      PartitionStore store = new PartitionStore(engine, folder, options, database, errors);
      errors.belongTo(store);
      return store;
    } catch (RocksDBException e) {
      options.close();
      errors.close();
      throw new StorageException("cannot open the database " + folder, e);
    }
  }

  /** Has damage of this database told from now on, at once when there is some already. */
  void onDamage(Consumer<StorageException> listener) {
    onDamage = listener;
    if (damage.get() != null) {
      listener.accept(damage.get());
    }
  }

  /**
   * Latches a fault, and returns what to throw. What is damaged on disk is this database's own
   * affair; a disk that is full or fails is the whole node's.
   */
  private StorageException broken(StorageException cause) {
    if (cause.kind() != StorageException.Kind.DAMAGED
        && cause.kind() != StorageException.Kind.REFUSED) {
      return engine.damaged(cause);
    }
    if (damage.compareAndSet(null, cause)) {
      LOG.error("{} is damaged; nothing more is read from it or written to it", folder, cause);
      onDamage.accept(cause);
    }
    return cause;
  }

  private void refuseWhenDamaged() {
    engine.refuseWhenDamaged();
    StorageException cause = damage.get();
    if (cause != null) {
      throw new StorageException("refused, for the data is damaged", cause);
    }
  }

  /** Runs on RocksDB's threads. */
  private static final class BackgroundErrors extends AbstractEventListener {
    private PartitionStore store; // guarded by this
    private StorageException early; // guarded by this: an error before there was a store

    BackgroundErrors() {
      super(EnabledEventCallback.ON_BACKGROUND_ERROR);
    }

    @Override
    public synchronized void onBackgroundError(BackgroundErrorReason reason, Status status) {
      StorageException cause = new StorageException("a background " + reason + " failed", status);
      if (store == null) {
        early = cause;
      } else {
        store.broken(cause);
      }
    }

    synchronized void belongTo(PartitionStore owner) {
      store = owner;
      if (early != null) {
        owner.broken(early);
      }
    }
  }

  /**
   * Reads all of the data on disk and checks every block. Damage is latched and told.
   *
   * @param pace told the bytes of each file after it was read; may wait
   */
  public void verify(LongConsumer pace) {
    List<LiveFileMetaData> files;
    if (!tryLease()) {
      return;
    }
    try {
      files = database.getLiveFilesMetaData();
    } finally {
      release();
    }
    for (LiveFileMetaData file : files) {
      Path path = Path.of(file.path(), file.fileName());
      try {
        engine.verifyFile(path);
      } catch (RocksDBException e) {
        if (Files.exists(path)) { // else it was compacted away meanwhile
          broken(new StorageException("cannot verify " + path, e));
          return;
        }
      }
      pace.accept(file.size());
    }
  }

  private void ready() {
    try {
      byte[] row = database.get(anywhere, APPLIED);
      // Opening wrote and fsynced a manifest that names what was found: it is durable.
      applied = row == null ? AppliedRow.EMPTY : AppliedRow.decode(row);
      durable = applied;
    } catch (RocksDBException e) {
      throw new StorageException("cannot read the applied row of " + folder, e);
    }
    engine.opened(this);
  }

  /** How far the data is, in memory or on disk. A field read. */
  public AppliedRow applied() {
    return applied;
  }

  /** The log index up to which the data is certainly on disk. A field read. */
  public long durableIndex() {
    return durable.index();
  }

  /**
   * What stands under a key. One that is cached costs a copy of its value; another in memory two,
   * one out of RocksDB and one out of the record.
   */
  @Override
  public Optional<ValueRecord> get(byte[] key) {
    try {
      return read(anywhere, key);
    } catch (RocksDBException e) {
      throw broken(new StorageException("cannot read a key in " + folder, e));
    }
  }

  /**
   * As {@link #get(byte[])}.
   *
   * @param beforeWaiting called before the disk is read, if it must be
   */
  public Optional<ValueRecord> get(byte[] key, Runnable beforeWaiting) {
    try {
      return read(inMemory, key);
    } catch (RocksDBException e) {
      if (!incomplete(e)) {
        throw broken(new StorageException("cannot read a key in " + folder, e));
      }
    }
    beforeWaiting.run();
    return get(key);
  }

  /** Whether RocksDB did nothing, since it would have had to wait. */
  private static boolean incomplete(RocksDBException e) {
    return e.getStatus() != null && e.getStatus().getCode() == Status.Code.Incomplete;
  }

  private Optional<ValueRecord> read(ReadOptions how, byte[] key) throws RocksDBException {
    lease();
    try {
      RecordCache.Look look = cache.look(key);
      if (look.known()) {
        return look.record();
      }
      Optional<ValueRecord> record = decode(database.get(how, userKey(key)));
      cache.offer(key, record, look.stamp());
      return record;
    } finally {
      release();
    }
  }

  /**
   * What a row of the partition's own holds.
   *
   * @param beforeWaiting called before the disk is read, if it must be
   */
  public Optional<byte[]> row(byte[] key, Runnable beforeWaiting) {
    byte[] place = prefixed(ROW_SPACE, key);
    lease();
    try {
      return Optional.ofNullable(database.get(inMemory, place));
    } catch (RocksDBException e) {
      if (!incomplete(e)) {
        throw broken(new StorageException("cannot read a row in " + folder, e));
      }
    } finally {
      release();
    }
    beforeWaiting.run();
    return row(key);
  }

  /** As the other; may wait for the disk. */
  public Optional<byte[]> row(byte[] key) {
    lease();
    try {
      return Optional.ofNullable(database.get(anywhere, prefixed(ROW_SPACE, key)));
    } catch (RocksDBException e) {
      throw broken(new StorageException("cannot read a row in " + folder, e));
    } finally {
      release();
    }
  }

  /**
   * The same keys for whoever must not take long, an event loop: never waits for the disk ({@code
   * BLOCK_CACHE_TIER}), and reads so much and no more. Throws {@link NotInMemoryException} where
   * memory cannot tell, past the bound, and for every scan. What throws is to be asked again of
   * this store, on a thread that may take its time.
   *
   * @param bytesMax of values, in all; the one that goes past it is read and not given
   */
  public StoredKeys memory(long bytesMax) {
    return new Memory(bytesMax);
  }

  /** For one thread. */
  private final class Memory implements StoredKeys {
    private long bytesLeft;

    Memory(long bytesMax) {
      bytesLeft = bytesMax;
    }

    @Override
    public Optional<ValueRecord> get(byte[] key) {
      Optional<ValueRecord> record;
      try {
        record = read(inMemory, key);
      } catch (RocksDBException e) {
        if (incomplete(e)) {
          throw new NotInMemoryException();
        }
        throw broken(new StorageException("cannot read a key in " + folder, e));
      }
      bytesLeft -= record.map(ValueRecord::encodedBytes).orElse(0);
      if (bytesLeft < 0) {
        throw new NotInMemoryException();
      }
      return record;
    }

    @Override
    public Optional<byte[]> scan(KeyRange range, int keysMax, ScannedKey.Visitor visitor) {
      throw new NotInMemoryException();
    }
  }

  /** All as it is now, in one piece, however many keys are asked for. To be closed. */
  public View view() {
    lease();
    return new View(database.getSnapshot());
  }

  /** The data at one moment. For one thread; keeps the database open until it is closed. */
  public final class View implements StoredKeys, AutoCloseable {
    private final Snapshot snapshot;
    private final ReadOptions options;
    private final AppliedRow row;

    private View(Snapshot snapshot) {
      this.snapshot = snapshot;
      this.options = new ReadOptions().setSnapshot(snapshot);
      try {
        byte[] found = database.get(options, APPLIED);
        row = found == null ? AppliedRow.EMPTY : AppliedRow.decode(found);
      } catch (RocksDBException e) {
        close();
        throw broken(new StorageException("cannot read the applied row of " + folder, e));
      }
    }

    /** The row of that moment. */
    public AppliedRow applied() {
      return row;
    }

    @Override
    public Optional<ValueRecord> get(byte[] key) {
      try {
        return decode(database.get(options, userKey(key)));
      } catch (RocksDBException e) {
        throw broken(new StorageException("cannot read a key in " + folder, e));
      }
    }

    @Override
    public Optional<byte[]> scan(KeyRange range, int keysMax, ScannedKey.Visitor visitor) {
      return PartitionStore.this.scan(options, range, keysMax, visitor);
    }

    @Override
    public void close() {
      options.close();
      database.releaseSnapshot(snapshot);
      snapshot.close();
      release();
    }
  }

  /** As the other; may wait for the disk. */
  public void apply(Writes writes, AppliedRow row) {
    apply(writes, row, () -> {});
  }

  /**
   * Makes changes and the row one: both or neither survive a crash. They are in memory, not yet on
   * disk, when this returns.
   *
   * @param row its index and operation counter are at or past those of the row before
   * @param beforeWaiting called before this waits for the disk, where writes have outrun it
   */
  public void apply(Writes writes, AppliedRow row, Runnable beforeWaiting) {
    AppliedRow before = applied;
    if (row.index() < before.index() || row.operationCounter() < before.operationCounter()) {
      throw new IllegalArgumentException("the applied row goes back: " + before + " to " + row);
    }
    refuseWhenDamaged();
    lease();
    try (WriteBatch batch = new WriteBatch()) {
      if (writes.cleared()) {
        batch.deleteRange(new byte[] {USER_SPACE}, new byte[] {ExpiryIndex.SPACE + 1});
      }
      long earliestMillis = Long.MAX_VALUE;
      for (Map.Entry<ByteBuffer, Writes.Change> change : writes.changes().entrySet()) {
        earliestMillis =
            Math.min(earliestMillis, add(batch, change.getKey().array(), change.getValue()));
      }
      for (Map.Entry<ByteBuffer, Optional<byte[]>> change : writes.rows().entrySet()) {
        byte[] key = prefixed(ROW_SPACE, change.getKey().array());
        if (change.getValue().isPresent()) {
          batch.put(key, change.getValue().get());
        } else {
          batch.delete(key);
        }
      }
      batch.put(APPLIED, row.encode());
      long bytes = batch.getDataSize();
      write(batch, writes, row, beforeWaiting);
      expiry.added(earliestMillis);
      engine.wrote(bytes);
    } catch (RocksDBException e) {
      throw broken(new StorageException("cannot write to " + folder, e));
    } finally {
      release();
    }
  }

  private void write(WriteBatch batch, Writes writes, AppliedRow row, Runnable beforeWaiting)
      throws RocksDBException {
    boolean written = false;
    cache.begin(writes);
    try {
      try {
        database.write(withoutWaiting, batch);
      } catch (RocksDBException e) {
        if (!incomplete(e)) {
          throw e;
        }
        beforeWaiting.run();
        database.write(withoutLog, batch);
      }
      applied = row;
      written = true;
    } finally {
      cache.end(written ? writes : new Writes());
    }
  }

  /** A key's change and that of the index; returns when the key will expire, or a time past all. */
  private static long add(WriteBatch batch, byte[] key, Writes.Change change)
      throws RocksDBException {
    byte[] databaseKey = userKey(key);
    Optional<ValueRecord> record = change.record();
    long stored = change.storedExpiresAtMillis();
    long next = record.map(ValueRecord::expiresAtMillis).orElse(ValueRecord.NEVER);
    if (record.isPresent()) {
      batch.put(databaseKey, record.get().encode());
    } else {
      batch.delete(databaseKey);
    }
    if (stored != next && stored != ValueRecord.NEVER) {
      batch.delete(ExpiryIndex.row(stored, key));
    }
    if (stored != next && next != ValueRecord.NEVER) {
      batch.put(ExpiryIndex.row(next, key), NOTHING);
    }
    return next == ValueRecord.NEVER ? Long.MAX_VALUE : next;
  }

  /**
   * The keys that expire first, in that order, at most so many of them and none later than {@code
   * untilMillis}. As of some moment inside this call.
   */
  public List<byte[]> expiring(long untilMillis, int keysMax) {
    lease();
    try {
      return expiry.first(() -> database.newIterator(anywhere), untilMillis, keysMax);
    } catch (RocksDBException e) {
      throw broken(new StorageException("cannot read what expires in " + folder, e));
    } finally {
      release();
    }
  }

  /** False when certainly no key expires at that time or before. Does not look, and never waits. */
  public boolean mayExpire(long untilMillis) {
    return expiry.mayExpire(untilMillis);
  }

  /** Whether a key expires at that time or before. Costs next to nothing where none does. */
  public boolean anyExpiring(long untilMillis) {
    return mayExpire(untilMillis) && !expiring(untilMillis, 1).isEmpty();
  }

  /**
   * Puts all that was applied before the call on disk, and waits for it.
   *
   * @return the index that is durable now
   */
  public long flush() {
    refuseWhenDamaged();
    lease();
    try {
      AppliedRow row = applied;
      if (!row.equals(durable)) {
        database.flush(flushAndWait);
        synchronized (this) {
          if (row.index() >= durable.index()) {
            durable = row;
          }
        }
      }
      return durable.index();
    } catch (RocksDBException e) {
      throw broken(new StorageException("cannot flush " + folder, e));
    } finally {
      release();
    }
  }

  /** As they were when the call began. The database stays open as long as this runs. */
  @Override
  public Optional<byte[]> scan(KeyRange range, int keysMax, ScannedKey.Visitor visitor) {
    return scan(anywhere, range, keysMax, visitor);
  }

  private Optional<byte[]> scan(
      ReadOptions how, KeyRange range, int keysMax, ScannedKey.Visitor visitor) {
    if (keysMax < 1) {
      throw new IllegalArgumentException("keysMax must be 1 or more: " + keysMax);
    }
    lease();
    try (RocksIterator iterator = database.newIterator(how)) {
      return new StoreScan(iterator, USER_SPACE).run(range, keysMax, visitor);
    } catch (RocksDBException e) {
      throw broken(new StorageException("cannot scan " + folder, e));
    } catch (StorageException damaged) {
      throw broken(damaged);
    } finally {
      release();
    }
  }

  /** About how much the data takes on disk and in write buffers. */
  public long approximateBytes() {
    return property("rocksdb.live-sst-files-size") + property("rocksdb.cur-size-all-mem-tables");
  }

  /** All table files, those that are still read and about to go included. */
  public long diskBytes() {
    return property("rocksdb.total-sst-files-size");
  }

  /** A number that RocksDB keeps of this database; 0 once the store is closed. */
  long number(String property) {
    if (!tryLease()) {
      return 0;
    }
    try {
      return database.getLongProperty(property);
    } catch (RocksDBException e) {
      return 0;
    } finally {
      release();
    }
  }

  /** Bytes that the cache of records takes. */
  long recordCacheBytes() {
    return cache.bytes();
  }

  /** Bytes in the buffer that is being written to; 0 once the store is closed. */
  long writeBufferBytes() {
    return number("rocksdb.cur-size-active-mem-table");
  }

  /** Has the buffer written to disk in the background. */
  void startFlush() {
    if (!tryLease()) {
      return;
    }
    try {
      database.flush(flushLater);
    } catch (RocksDBException e) {
      broken(new StorageException("cannot flush " + folder, e));
    } finally {
      release();
    }
  }

  /**
   * Hard-links the flushed data, as of some moment inside this call, into a new folder, and checks
   * every block of it: damage does not travel.
   */
  void checkpoint(Path target) {
    refuseWhenDamaged();
    lease();
    try (Checkpoint checkpoint = Checkpoint.create(database)) {
      checkpoint.createCheckpoint(target.toString());
      for (Path file : DurableFiles.list(target)) {
        if (file.toString().endsWith(".sst")) {
          engine.verifyFile(file);
        }
      }
    } catch (IOException e) {
      throw new StorageException("cannot make a checkpoint of " + folder, e);
    } catch (RocksDBException e) {
      StorageException cause = new StorageException("cannot make a checkpoint of " + folder, e);
      throw cause.kind() == StorageException.Kind.DAMAGED ? broken(cause) : cause;
    } finally {
      release();
    }
  }

  /** Spares the flush at close: the data is about to be deleted. */
  void forgetUnflushed() {
    lease();
    try {
      database.setDBOptions(MutableDBOptions.builder().setAvoidFlushDuringShutdown(true).build());
    } catch (RocksDBException e) {
      // Then it is flushed: slower, not wrong.
    } finally {
      release();
    }
  }

  /** Refuses new reads; what holds a lease goes on. Once, before {@link #close}. */
  void beginClose() {
    cache.close();
    leases.end();
  }

  /** Waits for the reads that run, flushes, closes. Once. */
  void close() {
    if (!leases.ended()) {
      beginClose();
    }
    leases.awaitNone(
        held -> LOG.warn("{} has waited a minute for {} reads before it can close", folder, held));
    engine.closed(this);
    database.close();
    anywhere.close();
    inMemory.close();
    withoutLog.close();
    withoutWaiting.close();
    flushAndWait.close();
    flushLater.close();
    options.close();
    errors.close();
  }

  /** Keeps the database open until {@link #release}; as {@link Leases#tryTake}. */
  boolean tryLease() {
    return leases.tryTake();
  }

  void release() {
    leases.release();
  }

  Path folder() {
    return folder;
  }

  private void lease() {
    if (!tryLease()) {
      throw new StorageException(
          folder + " is closed or was replaced: ask the partition's folder for its store again");
    }
  }

  private Optional<ValueRecord> decode(byte[] bytes) {
    try {
      return bytes == null ? Optional.empty() : Optional.of(ValueRecord.decode(bytes));
    } catch (StorageException e) {
      throw broken(e);
    }
  }

  private long property(String name) {
    lease();
    try {
      return database.getLongProperty(name);
    } catch (RocksDBException e) {
      throw new StorageException("cannot read " + name + " of " + folder, e);
    } finally {
      release();
    }
  }

  private static byte[] userKey(byte[] key) {
    if (key.length > KEY_BYTES_MAX) {
      throw new IllegalArgumentException(
          "a key has at most %d bytes: %d".formatted(KEY_BYTES_MAX, key.length));
    }
    return prefixed(USER_SPACE, key);
  }

  private static byte[] prefixed(byte space, byte[] key) {
    byte[] bytes = new byte[key.length + 1];
    bytes[0] = space;
    System.arraycopy(key, 0, bytes, 1, key.length);
    return bytes;
  }

  private static byte[] systemKey(String name) {
    byte[] bytes = new byte[name.length() + 1];
    bytes[0] = SYSTEM_SPACE;
    for (int i = 0; i < name.length(); i++) {
      bytes[i + 1] = (byte) name.charAt(i);
    }
    return bytes;
  }
}
