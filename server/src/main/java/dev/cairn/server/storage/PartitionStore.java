// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.storage;

import dev.cairn.state.StateException;
import dev.cairn.state.ValueRecord;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongPredicate;
import org.rocksdb.ReadOptions;
import org.rocksdb.ReadTier;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.Snapshot;
import org.rocksdb.Status;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

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
 *   <li>The database is touched only under a lease ({@link Database}).
 *   <li>A read that fails throws; it is never 'no such key'.
 *   <li>Reads of single keys go through the {@link RecordCache}, and only {@link #apply} changes
 *       the database, inside its begin and end. Scans and views ask the database.
 * </ol>
 */
public final class PartitionStore implements StoredKeys {
  /** The longest key, twice what a client may send. */
  public static final int KEY_BYTES_MAX = 128 << 10;

  private static final byte SYSTEM_SPACE = 0;
  private static final byte USER_SPACE = 1;
  private static final byte ROW_SPACE = 3;
  private static final byte[] APPLIED = systemKey("applied");
  private static final byte[] IDENTITY = systemKey("identity");
  private static final byte[] NOTHING = {};

  private final StorageEngine engine;
  private final Database database;
  private final RecordCache cache;
  private final ReadOptions anywhere = new ReadOptions();
  private final ReadOptions inMemory = new ReadOptions().setReadTier(ReadTier.BLOCK_CACHE_TIER);
  private final WriteOptions withoutLog = new WriteOptions().setDisableWAL(true);
  private final WriteOptions withoutWaiting =
      new WriteOptions().setDisableWAL(true).setNoSlowdown(true);

  private final ExpiryIndex expiry = new ExpiryIndex();
  private volatile AppliedRow applied;
  private volatile AppliedRow durable;

  private PartitionStore(StorageEngine engine, Database database) {
    this.engine = engine;
    this.database = database;
    this.cache = engine.newRecordCache();
  }

  /** Whether a folder holds a database into which anything was ever applied. */
  static boolean holdsData(StorageEngine engine, Path folder) throws IOException {
    if (!Files.exists(folder.resolve("CURRENT"))) {
      return DurableFiles.list(folder).stream().anyMatch(file -> file.toString().endsWith(".sst"));
    }
    PartitionStore store = new PartitionStore(engine, Database.open(engine, folder, false));
    try {
      return store.rocks().get(store.anywhere, APPLIED) != null;
    } catch (RocksDBException e) {
      throw new StorageException("cannot read the database " + folder, e);
    } finally {
      store.close();
    }
  }

  /** Makes an empty database in an empty folder. */
  static PartitionStore create(StorageEngine engine, Path folder, PartitionIdentity identity) {
    PartitionStore store = new PartitionStore(engine, Database.open(engine, folder, true));
    try {
      store.rocks().put(store.withoutLog, IDENTITY, new DatabaseIdentity(identity).encode());
      store.database.flush();
    } catch (RocksDBException e) {
      store.close();
      throw new StorageException("cannot create the database " + folder, e);
    }
    store.ready();
    return store;
  }

  /** Opens a database that must be there, whole, and this partition's. */
  static PartitionStore open(StorageEngine engine, Path folder, PartitionIdentity identity) {
    PartitionStore store = new PartitionStore(engine, Database.open(engine, folder, false));
    try {
      byte[] found = store.rocks().get(store.anywhere, IDENTITY);
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

  /**
   * Reads all of the data on disk and checks every block. Damage is latched and told.
   *
   * @param pace told the bytes of each file after it was read; may wait; false to end here
   */
  public void verify(LongPredicate pace) {
    database.verify(pace);
  }

  private void ready() {
    try {
      byte[] row = rocks().get(anywhere, APPLIED);
      // Opening wrote and fsynced a manifest that names what was found: it is durable.
      applied = row == null ? AppliedRow.EMPTY : AppliedRow.decode(row);
      durable = applied;
    } catch (RocksDBException e) {
      throw new StorageException("cannot read the applied row of " + folder(), e);
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
      throw database.broken(new StorageException("cannot read a key in " + folder(), e));
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
        throw database.broken(new StorageException("cannot read a key in " + folder(), e));
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
    database.lease();
    try {
      RecordCache.Look look = cache.look(key);
      if (look.known()) {
        return look.record();
      }
      Optional<ValueRecord> record = decode(rocks().get(how, userKey(key)));
      cache.offer(key, record, look.stamp());
      return record;
    } finally {
      database.release();
    }
  }

  /**
   * What a row of the partition's own holds.
   *
   * @param beforeWaiting called before the disk is read, if it must be
   */
  public Optional<byte[]> row(byte[] key, Runnable beforeWaiting) {
    byte[] place = prefixed(ROW_SPACE, key);
    database.lease();
    try {
      return Optional.ofNullable(rocks().get(inMemory, place));
    } catch (RocksDBException e) {
      if (!incomplete(e)) {
        throw database.broken(new StorageException("cannot read a row in " + folder(), e));
      }
    } finally {
      database.release();
    }
    beforeWaiting.run();
    return row(key);
  }

  /** As the other; may wait for the disk. */
  public Optional<byte[]> row(byte[] key) {
    database.lease();
    try {
      return Optional.ofNullable(rocks().get(anywhere, prefixed(ROW_SPACE, key)));
    } catch (RocksDBException e) {
      throw database.broken(new StorageException("cannot read a row in " + folder(), e));
    } finally {
      database.release();
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
        throw database.broken(new StorageException("cannot read a key in " + folder(), e));
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
    database.lease();
    return new View(rocks().getSnapshot());
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
        byte[] found = rocks().get(options, APPLIED);
        row = found == null ? AppliedRow.EMPTY : AppliedRow.decode(found);
      } catch (RocksDBException e) {
        close();
        throw database.broken(
            new StorageException("cannot read the applied row of " + folder(), e));
      }
    }

    /** The row of that moment. */
    public AppliedRow applied() {
      return row;
    }

    @Override
    public Optional<ValueRecord> get(byte[] key) {
      try {
        return decode(rocks().get(options, userKey(key)));
      } catch (RocksDBException e) {
        throw database.broken(new StorageException("cannot read a key in " + folder(), e));
      }
    }

    @Override
    public Optional<byte[]> scan(KeyRange range, int keysMax, ScannedKey.Visitor visitor) {
      return PartitionStore.this.scan(options, range, keysMax, visitor);
    }

    @Override
    public void close() {
      options.close();
      rocks().releaseSnapshot(snapshot);
      snapshot.close();
      database.release();
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
    database.refuseWhenDamaged();
    database.lease();
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
      throw database.broken(new StorageException("cannot write to " + folder(), e));
    } finally {
      database.release();
    }
  }

  private void write(WriteBatch batch, Writes writes, AppliedRow row, Runnable beforeWaiting)
      throws RocksDBException {
    boolean written = false;
    cache.begin(writes);
    try {
      try {
        rocks().write(withoutWaiting, batch);
      } catch (RocksDBException e) {
        if (!incomplete(e)) {
          throw e;
        }
        beforeWaiting.run();
        rocks().write(withoutLog, batch);
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
    database.lease();
    try {
      return expiry.first(() -> rocks().newIterator(anywhere), untilMillis, keysMax);
    } catch (RocksDBException e) {
      throw database.broken(new StorageException("cannot read what expires in " + folder(), e));
    } finally {
      database.release();
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

  /** Puts all that was applied so far on disk, and waits for it; the index that is durable now. */
  public long flush() {
    database.refuseWhenDamaged();
    database.lease();
    try {
      AppliedRow row = applied;
      if (!row.equals(durable)) {
        database.flush();
        synchronized (this) {
          if (row.index() >= durable.index()) {
            durable = row;
          }
        }
      }
      return durable.index();
    } catch (RocksDBException e) {
      throw database.broken(new StorageException("cannot flush " + folder(), e));
    } finally {
      database.release();
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
    database.lease();
    try (RocksIterator iterator = rocks().newIterator(how)) {
      return new StoreScan(iterator, USER_SPACE).run(range, keysMax, visitor);
    } catch (RocksDBException e) {
      throw database.broken(new StorageException("cannot scan " + folder(), e));
    } catch (StateException damaged) {
      throw database.broken(new StorageException(damaged.getMessage()));
    } finally {
      database.release();
    }
  }

  /** About how much the data takes on disk and in write buffers. */
  public long approximateBytes() {
    return database.property("rocksdb.live-sst-files-size")
        + database.property("rocksdb.cur-size-all-mem-tables");
  }

  /** All table files, those that are still read and about to go included. */
  public long diskBytes() {
    return database.property("rocksdb.total-sst-files-size");
  }

  /** Bytes that the cache of records takes. */
  long recordCacheBytes() {
    return cache.bytes();
  }

  /** Refuses new reads; what holds a lease goes on. Once, before {@link #close}. */
  void beginClose() {
    cache.close();
    database.beginClose();
  }

  /** Waits for the reads that run, flushes, closes. Once. */
  void close() {
    if (!database.isClosing()) {
      beginClose();
    }
    database.awaitUnused();
    engine.closed(this);
    database.close();
    anywhere.close();
    inMemory.close();
    withoutLog.close();
    withoutWaiting.close();
  }

  private Optional<ValueRecord> decode(byte[] bytes) {
    try {
      return bytes == null ? Optional.empty() : Optional.of(ValueRecord.decode(bytes));
    } catch (StateException e) {
      throw database.broken(new StorageException(e.getMessage()));
    }
  }

  /** The database below: its leases, its health, its files. */
  Database database() {
    return database;
  }

  private RocksDB rocks() {
    return database.rocks();
  }

  private Path folder() {
    return database.folder();
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
