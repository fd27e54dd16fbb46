// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.storage;

import dev.cairn.server.metrics.Metrics;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.Cache;
import org.rocksdb.CompressionType;
import org.rocksdb.Env;
import org.rocksdb.InfoLogLevel;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;
import org.rocksdb.Priority;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.SstFileReader;
import org.rocksdb.TablePropertiesCollectorFactory;
import org.rocksdb.WriteBufferManager;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the databases of one node share: memory, threads, options, and the latch of damage.
 *
 * <p><b>Memory.</b> One cache of {@code cacheBytes + writeBufferBytes}: write buffers are charged
 * to it, so that the sum is the bound and room that writers leave serves readers. A flush fills a
 * buffer and has it written at once, so buffers are empty most of the time. Each database has a
 * {@link RecordCache} besides, in the heap.
 *
 * <p><b>Threads.</b> Background work runs on RocksDB's pool, one for the process. Everything here
 * may be called from any thread.
 *
 * <p><b>Invariants.</b>
 *
 * <ol>
 *   <li>A disk that is full or fails is latched once and never cleared: an fsync that failed must
 *       not be tried again, for the kernel may have dropped the pages. {@code onDamage} is told
 *       exactly once. (Damaged data is its database's own affair: {@link Generation}.)
 *   <li>After it, nothing is written or flushed through this engine. A new one, opened when the
 *       cause is gone, starts from what is on disk.
 * </ol>
 */
public final class StorageEngine implements AutoCloseable {
  static {
    RocksDB.loadLibrary();
  }

  private static final Logger log = LoggerFactory.getLogger(StorageEngine.class);
  private static final int OPEN_FILES_MAX = 512; // a database
  private static final int DELETIONS_STRETCH = 1_024; // rows side by side
  private static final double DELETIONS_SHARE = 0.5;

  private final EngineConfig config;
  private final Consumer<StorageException> onDamage;
  private final AtomicReference<StorageException> damage = new AtomicReference<>();
  private final Set<Generation> open = ConcurrentHashMap.newKeySet();
  private final Cache cache;
  private final WriteBufferManager writeBuffers;
  private final BloomFilter filter;

  /**
   * A delete frees nothing by itself: it is a mark above what it deletes, and both stay on disk
   * until they are compacted, which nothing asks for where nothing else is written. So a table that
   * is half such marks, or has as many on one stretch of keys, is compacted soon, in the
   * background.
   */
  private final TablePropertiesCollectorFactory deletions;

  private final DatabaseFigures figures = new DatabaseFigures();
  private final Options template;

  private StorageEngine(EngineConfig config, Consumer<StorageException> onDamage, Metrics metrics) {
    this.config = config;
    this.onDamage = onDamage;
    this.cache = new LRUCache(config.cacheBytes() + config.writeBufferBytes());
    this.writeBuffers = new WriteBufferManager(config.writeBufferBytes(), cache);
    this.filter = new BloomFilter(10);
    this.deletions =
        TablePropertiesCollectorFactory.NewCompactOnDeletionCollectorFactory(
            DELETIONS_STRETCH, DELETIONS_STRETCH / 2, DELETIONS_SHARE);
    this.template = template();
    figures.tell(metrics, this::memoryUsedBytes, this::sum, this::recordCacheBytes);
  }

  /**
   * Opens what is shared; no file is touched.
   *
   * @param onDamage told once, on any thread, RocksDB's own too; must return at once
   */
  public static StorageEngine open(
      EngineConfig config, Consumer<StorageException> onDamage, Metrics metrics) {
    return new StorageEngine(config, onDamage, metrics);
  }

  /**
   * What was found to be broken, if anything was: this node's data must not be written any more.
   */
  public Optional<StorageException> damage() {
    return Optional.ofNullable(damage.get());
  }

  /** How much all replicas of the node may hold unflushed in the heap, in bytes. */
  public long unflushedBytesMax() {
    return config.writeBufferBytes();
  }

  /** How much of the cache and the write budget is in use. */
  public long memoryUsedBytes() {
    return cache.isOwningHandle() ? cache.getUsage() : 0;
  }

  private double recordCacheBytes() {
    return open.stream().mapToDouble(Generation::recordCacheBytes).sum();
  }

  private double sum(String property) {
    return open.stream().mapToDouble(each -> each.number(property)).sum();
  }

  /** Lets go of what is shared. Close every {@link PartitionFolder} first. */
  @Override
  public void close() {
    if (!open.isEmpty()) {
      log.warn("The storage engine was closed while {} databases were open", open.size());
    }
    // What a database still uses is counted by RocksDB itself and lives until that one is closed.
    template.close();
    deletions.close();
    figures.close();
    filter.close();
    writeBuffers.close();
    cache.close();
  }

  /** Options for one more database; the caller closes them after it. */
  Options options() {
    return new Options(template);
  }

  /** The cache of one more database's records. */
  RecordCache newRecordCache() {
    return new RecordCache(
        config.recordCacheBytes(), figures.recordCacheHits(), figures.recordCacheMisses());
  }

  /** Checks every block of a table file. */
  void verifyFile(Path file) throws RocksDBException {
    try (SstFileReader reader = new SstFileReader(template)) {
      reader.open(file.toString());
      reader.verifyChecksum();
    }
  }

  /** The databases that are open now. */
  public List<Generation> generations() {
    return List.copyOf(open);
  }

  void opened(Generation generation) {
    open.add(generation);
  }

  void closed(Generation generation) {
    open.remove(generation);
  }

  /** Latches a fault of the whole disk and returns it, to be thrown. */
  public StorageException damaged(StorageException cause) {
    if (damage.compareAndSet(null, cause)) {
      log.error("The data is damaged or its disk fails; nothing more is written to it", cause);
      try {
        onDamage.accept(cause);
      } catch (RuntimeException e) {
        log.error("Damage was not heard", e);
      }
    }
    return cause;
  }

  void refuseWhenDamaged() {
    StorageException cause = damage.get();
    if (cause != null) {
      throw new StorageException("refused, for the storage is damaged", cause);
    }
  }

  private Options template() {
    long bufferBytes = Math.max(256 << 10, config.writeBufferBytes() / 4);
    Env env = Env.getDefault();
    env.setBackgroundThreads(Math.max(1, config.threads() / 4), Priority.HIGH);
    env.setBackgroundThreads(config.threads() - Math.max(1, config.threads() / 4), Priority.LOW);
    Options options = new Options();
    options.setTablePropertiesCollectorFactory(List.of(deletions));
    return options
        .setCreateIfMissing(false)
        .setEnv(env)
        .setMaxBackgroundJobs(config.threads())
        .setMaxBgErrorResumeCount(0)
        .setParanoidChecks(true)
        .setStatistics(figures.statistics())
        .setWriteBufferManager(writeBuffers)
        .setWriteBufferSize(bufferBytes)
        .setMaxWriteBufferNumber(3)
        .setArenaBlockSize(Math.min(256 << 10, bufferBytes / 8))
        .setMaxOpenFiles(OPEN_FILES_MAX)
        .setMaxFileOpeningThreads(2)
        .setMaxBytesForLevelBase(bufferBytes * 4)
        .setTargetFileSizeBase(Math.max(2 << 20, bufferBytes))
        .setCompressionType(CompressionType.LZ4_COMPRESSION)
        .setBottommostCompressionType(CompressionType.ZSTD_COMPRESSION)
        .setTableFormatConfig(
            new BlockBasedTableConfig()
                .setBlockCache(cache)
                .setBlockSize(8 << 10)
                .setFilterPolicy(filter)
                .setCacheIndexAndFilterBlocks(true)
                .setCacheIndexAndFilterBlocksWithHighPriority(true)
                .setPinL0FilterAndIndexBlocksInCache(true))
        .setStatsDumpPeriodSec(0)
        .setStatsPersistPeriodSec(0)
        .setInfoLogLevel(InfoLogLevel.WARN_LEVEL)
        .setKeepLogFileNum(2)
        .setMaxLogFileSize(1 << 20);
  }
}
