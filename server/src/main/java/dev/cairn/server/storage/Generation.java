// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.storage;

import dev.cairn.state.Applied;
import dev.cairn.state.Cursor;
import dev.cairn.state.Database.Batch;
import dev.cairn.state.Database.Live;
import dev.cairn.state.Database.View;
import dev.cairn.state.Spaces;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.LongPredicate;
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
import org.rocksdb.Snapshot;
import org.rocksdb.Status;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One generation of a partition's data: a RocksDB database without a write-ahead log of its own,
 * for the replicated log is that. What its rows are is {@link dev.cairn.state.Spaces}' affair; one
 * more says whose they are:
 *
 * <pre>
 *   "identity" in space 0  -&gt; DatabaseIdentity
 * </pre>
 *
 * <p><b>Threads.</b> {@link #write} and {@link #flush} by one at a time; all else by any.
 *
 * <p><b>Invariants.</b>
 *
 * <ol>
 *   <li>The native handle is touched only under a lease, and closed only when no lease is left and
 *       none can be had: a closed one would kill the process.
 *   <li>Damage is latched once, and each listener told, twice perhaps if it comes just then; after
 *       it, whoever asks first ({@link #refuseWhenDamaged}) writes nothing more.
 *   <li>A batch lies in one write buffer whole, however large it is, and buffers reach the disk in
 *       the order in which they were written. So whatever is found after a crash is the data
 *       exactly as of the applied row found with it.
 *   <li>A read that fails throws; it is never 'no such row'.
 *   <li>The {@link RecordCache} has what stands in the database now. Only {@link #write} changes
 *       that, inside the cache's begin and end; what is read is offered with the stamp from before
 *       the read.
 * </ol>
 */
public final class Generation {
  private static final Logger log = LoggerFactory.getLogger(Generation.class);

  private static final byte[] IDENTITY = "\0identity".getBytes(StandardCharsets.US_ASCII);

  private final StorageEngine engine;
  private final Path folder;
  private final Options options;
  private final RocksDB rocks;
  private final BackgroundErrors errors;
  private final FlushOptions flushAndWait = new FlushOptions().setWaitForFlush(true);
  private final ReadOptions anywhere = new ReadOptions();
  private final ReadOptions inMemory = new ReadOptions().setReadTier(ReadTier.BLOCK_CACHE_TIER);
  private final WriteOptions withoutLog = new WriteOptions().setDisableWAL(true);
  private final RecordCache cache;
  private final Leases leases = new Leases();
  private final AtomicReference<StorageException> damage = new AtomicReference<>();
  private volatile Consumer<StorageException> onDamage = cause -> {};

  private Generation(
      StorageEngine engine, Path folder, Options options, RocksDB rocks, BackgroundErrors errors) {
    this.engine = engine;
    this.folder = folder;
    this.options = options;
    this.rocks = rocks;
    this.errors = errors;
    this.cache = engine.newRecordCache();
  }

  // ---- Its beginning ----

  private static Generation open(StorageEngine engine, Path folder, boolean create) {
    BackgroundErrors errors = new BackgroundErrors();
    Options options = engine.options().setCreateIfMissing(create).setListeners(List.of(errors));
    try {
      RocksDB rocks = RocksDB.open(options, folder.toString());
      Generation generation = new Generation(engine, folder, options, rocks, errors);
      errors.belongTo(generation);
      return generation;
    } catch (RocksDBException e) {
      options.close();
      errors.close();
      throw new StorageException("cannot open the database " + folder, e);
    }
  }

  /** Makes an empty database in an empty folder. */
  static Generation create(StorageEngine engine, Path folder, PartitionIdentity identity) {
    Generation generation = open(engine, folder, true);
    try {
      generation.rocks.put(
          generation.withoutLog, IDENTITY, new DatabaseIdentity(identity).encode());
      generation.rocks.flush(generation.flushAndWait);
    } catch (RocksDBException e) {
      generation.close();
      throw new StorageException("cannot create the database " + folder, e);
    }
    engine.opened(generation);
    return generation;
  }

  /** Opens a database that must be there, whole, and this partition's. */
  static Generation open(StorageEngine engine, Path folder, PartitionIdentity identity) {
    Generation generation = open(engine, folder, false);
    try {
      byte[] found = generation.rocks.get(IDENTITY);
      if (found == null) {
        throw new StorageException(folder + " is no database of a Cairn partition");
      }
      DatabaseIdentity.decode(found, folder).check(identity, folder);
      engine.opened(generation);
      return generation;
    } catch (RocksDBException e) {
      generation.close();
      throw new StorageException("cannot read the database " + folder, e);
    } catch (StorageException e) {
      generation.close();
      throw e;
    }
  }

  /** Whether a folder holds a database into which anything was ever applied. */
  static boolean holdsData(StorageEngine engine, Path folder) throws IOException {
    if (!Files.exists(folder.resolve("CURRENT"))) {
      return DurableFiles.list(folder).stream().anyMatch(file -> file.toString().endsWith(".sst"));
    }
    Generation generation = open(engine, folder, false);
    try {
      return generation.rocks.get(Spaces.applied()) != null;
    } catch (RocksDBException e) {
      throw new StorageException("cannot read the database " + folder, e);
    } finally {
      generation.close();
    }
  }

  Path folder() {
    return folder;
  }

  // ---- Who uses it ----

  /** The handle; only for whoever holds a lease, or is the only one who knows of it yet. */
  RocksDB rocks() {
    return rocks;
  }

  /** Keeps the database open until {@link #release}; as {@link Leases#tryTake}. */
  boolean tryLease() {
    return leases.tryTake();
  }

  /** As {@link #tryLease}, or throws. */
  void lease() {
    if (!tryLease()) {
      throw new StorageException(folder + " is closed or was replaced");
    }
  }

  void release() {
    leases.release();
  }

  // ---- Its health ----

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
  StorageException broken(StorageException cause) {
    if (cause.kind() != StorageException.Kind.DAMAGED
        && cause.kind() != StorageException.Kind.REFUSED) {
      return engine.damaged(cause);
    }
    if (damage.compareAndSet(null, cause)) {
      log.error("{} is damaged; nothing more is read from it or written to it", folder, cause);
      onDamage.accept(cause);
    }
    return cause;
  }

  void refuseWhenDamaged() {
    engine.refuseWhenDamaged();
    StorageException cause = damage.get();
    if (cause != null) {
      throw new StorageException("refused, for the data is damaged", cause);
    }
  }

  /** Runs on RocksDB's threads. */
  private static final class BackgroundErrors extends AbstractEventListener {
    private Generation generation; // guarded by this
    private StorageException early; // guarded by this: an error before there was a database

    BackgroundErrors() {
      super(EnabledEventCallback.ON_BACKGROUND_ERROR);
    }

    @Override
    public synchronized void onBackgroundError(BackgroundErrorReason reason, Status status) {
      StorageException cause = new StorageException("a background " + reason + " failed", status);
      if (generation == null) {
        early = cause;
      } else {
        generation.broken(cause);
      }
    }

    synchronized void belongTo(Generation owner) {
      generation = owner;
      if (early != null) {
        owner.broken(early);
      }
    }
  }

  /**
   * Reads all of the data on disk and checks every block. Damage is latched and told.
   *
   * @param pace told the bytes of each file after it was read; may wait; false to end here
   */
  public void verify(LongPredicate pace) {
    List<LiveFileMetaData> files;
    if (!tryLease()) {
      return;
    }
    try {
      files = rocks.getLiveFilesMetaData();
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
      if (!pace.test(file.size())) {
        return;
      }
    }
  }

  // ---- Its rows ----

  /** Writes a batch; it is in memory, not yet on disk, when this returns. */
  void write(Batch batch) {
    refuseWhenDamaged();
    lease();
    try (WriteBatch rows = new WriteBatch()) {
      if (batch.clear()) {
        rows.deleteRange(Spaces.clearedFrom(), Spaces.clearedTo());
      }
      Cursor changes = batch.rows().get();
      while (changes.next()) {
        byte[] value = changes.value();
        if (value == null) {
          rows.delete(changes.key());
        } else {
          rows.put(changes.key(), value);
        }
      }
      rows.put(Spaces.applied(), batch.applied().encode());
      boolean written = false;
      cache.begin(batch);
      try {
        rocks.write(withoutLog, rows);
        written = true;
      } finally {
        cache.end(written ? Optional.of(batch) : Optional.empty());
      }
    } catch (RocksDBException e) {
      throw broken(new StorageException("cannot write to " + folder, e));
    } finally {
      release();
    }
  }

  /** Puts all that was written before the call on disk, and waits for it. */
  void flush() {
    refuseWhenDamaged();
    lease();
    try {
      rocks.flush(flushAndWait);
    } catch (RocksDBException e) {
      throw broken(new StorageException("cannot flush " + folder, e));
    } finally {
      release();
    }
  }

  /** All rows, each as it was written last; keeps the database open until it is closed. */
  Live view() {
    lease();
    return new LiveView();
  }

  private final class LiveView implements Live {
    @Override
    public byte[] get(byte[] row) {
      try {
        return read(anywhere, row);
      } catch (RocksDBException e) {
        throw cannotRead(e);
      }
    }

    @Override
    public byte[] known(byte[] row) {
      if (Spaces.isUser(row)) {
        byte[] cached = cache.look(row);
        if (cached != null) {
          return cached;
        }
      }
      try {
        byte[] found = read(inMemory, row);
        return found == null ? ABSENT : found;
      } catch (RocksDBException e) {
        if (e.getStatus() != null && e.getStatus().getCode() == Status.Code.Incomplete) {
          return null; // it would have had to wait
        }
        throw cannotRead(e);
      }
    }

    private byte[] read(ReadOptions how, byte[] row) throws RocksDBException {
      if (!Spaces.isUser(row)) {
        return rocks.get(how, row);
      }
      long stamp = cache.stamp();
      byte[] found = rocks.get(how, row);
      cache.offer(row, found, stamp);
      return found;
    }

    @Override
    public View snapshot() {
      lease();
      return new SnapshotView();
    }

    @Override
    public Applied applied() {
      return Applied.decode(get(Spaces.applied()));
    }

    @Override
    public Cursor rows(byte[] from, byte[] to) {
      return new RocksCursor(Generation.this::cannotRead, rocks.newIterator(anywhere), from, to);
    }

    @Override
    public void close() {
      release();
    }
  }

  private final class SnapshotView implements View {
    private final Snapshot snapshot = rocks.getSnapshot();
    private final ReadOptions options = new ReadOptions().setSnapshot(snapshot);

    @Override
    public byte[] get(byte[] row) {
      try {
        return rocks.get(options, row);
      } catch (RocksDBException e) {
        throw cannotRead(e);
      }
    }

    @Override
    public Applied applied() {
      return Applied.decode(get(Spaces.applied()));
    }

    @Override
    public Cursor rows(byte[] from, byte[] to) {
      return new RocksCursor(Generation.this::cannotRead, rocks.newIterator(options), from, to);
    }

    @Override
    public void close() {
      options.close();
      rocks.releaseSnapshot(snapshot);
      snapshot.close();
      release();
    }
  }

  private StorageException cannotRead(RocksDBException cause) {
    return broken(new StorageException("cannot read a row in " + folder, cause));
  }

  // ---- Its files ----

  /**
   * Hard-links the flushed data, as of some moment inside this call, into a new folder, and checks
   * every block of it: damage does not travel.
   */
  void checkpoint(Path target) {
    refuseWhenDamaged();
    lease();
    try (Checkpoint checkpoint = Checkpoint.create(rocks)) {
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

  /** A number that RocksDB keeps of this database; 0 once it is closed. */
  long number(String property) {
    if (!tryLease()) {
      return 0;
    }
    try {
      return rocks.getLongProperty(property);
    } catch (RocksDBException e) {
      return 0;
    } finally {
      release();
    }
  }

  /**
   * A number that RocksDB keeps of this database.
   *
   * @throws StorageException once it is closed
   */
  long property(String name) {
    lease();
    try {
      return rocks.getLongProperty(name);
    } catch (RocksDBException e) {
      throw new StorageException("cannot read " + name + " of " + folder, e);
    } finally {
      release();
    }
  }

  /** Bytes that the cache of records takes. */
  long recordCacheBytes() {
    return cache.bytes();
  }

  // ---- Its end ----

  /** Refuses new leases, but to those who hold one. Once, before {@link #close}. */
  void beginClose() {
    cache.close();
    leases.end();
  }

  /** Waits for those who use it, and closes; what was not flushed is in the log. Once. */
  void close() {
    if (!leases.ended()) {
      beginClose();
    }
    leases.awaitNone(
        held -> log.warn("{} has waited a minute for {} reads before it can close", folder, held));
    engine.closed(this);
    try {
      rocks.setDBOptions(MutableDBOptions.builder().setAvoidFlushDuringShutdown(true).build());
    } catch (RocksDBException e) {
      // Then it is flushed: slower, not wrong.
    }
    rocks.close();
    anywhere.close();
    inMemory.close();
    withoutLog.close();
    flushAndWait.close();
    options.close();
    errors.close();
  }
}
