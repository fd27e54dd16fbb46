// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.storage;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
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
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.Status;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One RocksDB database of a partition, from its opening to its close: who uses it, whether it is
 * damaged, its files. What stands in it is {@link PartitionStore}'s affair.
 *
 * <p><b>Threads.</b> Any.
 *
 * <p><b>Invariants.</b>
 *
 * <ol>
 *   <li>The native handle is touched only under a lease, and closed only when no lease is left and
 *       none can be had: a closed one would kill the process.
 *   <li>Damage is latched once, and each listener told, twice perhaps if it comes just then; after
 *       it, whoever asks first ({@link #refuseWhenDamaged}) writes nothing more.
 * </ol>
 */
final class Database {
  private static final Logger log = LoggerFactory.getLogger(Database.class);

  private final StorageEngine engine;
  private final Path folder;
  private final Options options;
  private final RocksDB rocks;
  private final BackgroundErrors errors;
  private final FlushOptions flushAndWait = new FlushOptions().setWaitForFlush(true);
  private final FlushOptions flushLater =
      new FlushOptions().setWaitForFlush(false).setAllowWriteStall(true);
  private final Leases leases = new Leases();
  private final AtomicReference<StorageException> damage = new AtomicReference<>();
  private volatile Consumer<StorageException> onDamage = cause -> {};

  private Database(
      StorageEngine engine, Path folder, Options options, RocksDB rocks, BackgroundErrors errors) {
    this.engine = engine;
    this.folder = folder;
    this.options = options;
    this.rocks = rocks;
    this.errors = errors;
  }

  /**
   * Opens a database.
   *
   * @param create whether one that is not there is made
   */
  static Database open(StorageEngine engine, Path folder, boolean create) {
    BackgroundErrors errors = new BackgroundErrors();
    Options options = engine.options().setCreateIfMissing(create).setListeners(List.of(errors));
    try {
      RocksDB rocks = RocksDB.open(options, folder.toString());
      Database database = new Database(engine, folder, options, rocks, errors);
      errors.belongTo(database);
      return database;
    } catch (RocksDBException e) {
      options.close();
      errors.close();
      throw new StorageException("cannot open the database " + folder, e);
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
      throw new StorageException(
          folder + " is closed or was replaced: ask the partition's folder for its store again");
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
    private Database database; // guarded by this
    private StorageException early; // guarded by this: an error before there was a database

    BackgroundErrors() {
      super(EnabledEventCallback.ON_BACKGROUND_ERROR);
    }

    @Override
    public synchronized void onBackgroundError(BackgroundErrorReason reason, Status status) {
      StorageException cause = new StorageException("a background " + reason + " failed", status);
      if (database == null) {
        early = cause;
      } else {
        database.broken(cause);
      }
    }

    synchronized void belongTo(Database owner) {
      database = owner;
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
  void verify(LongPredicate pace) {
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

  // ---- Its files ----

  /** Puts all that was written before the call on disk, and waits for it. Under a lease. */
  void flush() throws RocksDBException {
    rocks.flush(flushAndWait);
  }

  /** Has the buffer written to disk in the background. */
  void startFlush() {
    if (!tryLease()) {
      return;
    }
    try {
      rocks.flush(flushLater);
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

  /** Spares the flush at close: the data is about to be deleted. */
  void forgetUnflushed() {
    lease();
    try {
      rocks.setDBOptions(MutableDBOptions.builder().setAvoidFlushDuringShutdown(true).build());
    } catch (RocksDBException e) {
      // Then it is flushed: slower, not wrong.
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

  /** Bytes in the buffer that is being written to; 0 once it is closed. */
  long writeBufferBytes() {
    return number("rocksdb.cur-size-active-mem-table");
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

  // ---- Its end ----

  /** Refuses new leases, but to those who hold one. Once, before {@link #awaitUnused}. */
  void beginClose() {
    leases.end();
  }

  /** Whether {@link #beginClose} was called. */
  boolean isClosing() {
    return leases.ended();
  }

  /** Waits for those who use it. */
  void awaitUnused() {
    leases.awaitNone(
        held -> log.warn("{} has waited a minute for {} reads before it can close", folder, held));
  }

  /** Flushes, closes. Once, when nobody uses it. */
  void close() {
    rocks.close();
    flushAndWait.close();
    flushLater.close();
    options.close();
    errors.close();
  }
}
