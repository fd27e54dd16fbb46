// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import java.util.List;
import java.util.Properties;
import java.util.function.Consumer;
import org.rocksdb.AbstractEventListener;
import org.rocksdb.BackgroundErrorReason;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.Cache;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.CompressionType;
import org.rocksdb.DBOptions;
import org.rocksdb.InfoLogLevel;
import org.rocksdb.LRUCache;
import org.rocksdb.Logger;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.Status;
import org.rocksdb.WALRecoveryMode;
import org.rocksdb.WriteOptions;

/**
 * How the log's database is opened: little memory, every write synced, no error overlooked.
 *
 * <p>Entries are written once, read a few times while young, and dropped in ranges: large write
 * buffers let many of them die before they are written a second time, and the block cache is small
 * because JRaft keeps what is not applied yet in memory.
 */
final class LogOptions implements AutoCloseable {
  private static final long WRITE_BUFFER_BYTES = 32L << 20;
  private static final int WRITE_BUFFERS_MAX = 3;
  private static final long WAL_BYTES_MAX = 128L << 20;
  private static final long BLOCK_CACHE_BYTES = 8L << 20;
  private static final long INFO_LOG_BYTES_MAX = 1L << 20;
  private static final long INFO_LOGS_KEPT = 3;

  static {
    RocksDB.loadLibrary();
  }

  final DBOptions database;
  final Options reading = new Options(); // of single files
  final WriteOptions synced = new WriteOptions().setSync(true);
  private final Cache blockCache = new LRUCache(BLOCK_CACHE_BYTES);
  private final ColumnFamilyOptions columnFamily;
  private final LogFigures figures = new LogFigures();
  private AbstractEventListener listener;
  private Logger logger;

  private LogOptions() {
    database = withWalCompression();
    database
        .setParanoidChecks(true)
        .setWalRecoveryMode(WALRecoveryMode.PointInTimeRecovery)
        .setMaxTotalWalSize(WAL_BYTES_MAX)
        .setMaxBackgroundJobs(2)
        .setMaxFileOpeningThreads(1)
        .setMaxBgErrorResumeCount(0);
    columnFamily =
        new ColumnFamilyOptions()
            .setWriteBufferSize(WRITE_BUFFER_BYTES)
            .setMaxWriteBufferNumber(WRITE_BUFFERS_MAX)
            .setCompressionType(CompressionType.LZ4_COMPRESSION)
            .setTableFormatConfig(new BlockBasedTableConfig().setBlockCache(blockCache));
  }

  /** For the node: creates what is missing, and tells of errors in the background. */
  static LogOptions forWriting(Consumer<Status> onBackgroundError) {
    LogOptions options = new LogOptions();
    options.listener =
        new AbstractEventListener(AbstractEventListener.EnabledEventCallback.ON_BACKGROUND_ERROR) {
          @Override
          public void onBackgroundError(BackgroundErrorReason reason, Status status) {
            onBackgroundError.accept(status);
          }
        };
    options
        .database
        .setCreateIfMissing(true)
        .setMaxLogFileSize(INFO_LOG_BYTES_MAX)
        .setKeepLogFileNum(INFO_LOGS_KEPT)
        .setInfoLogLevel(InfoLogLevel.WARN_LEVEL)
        .setStatistics(options.figures.statistics())
        .setListeners(List.of(options.listener));
    return options;
  }

  /** For a reader beside the node: leaves no file behind, RocksDB's own log included. */
  static LogOptions forReading() {
    LogOptions options = new LogOptions();
    options.logger =
        new Logger(InfoLogLevel.FATAL_LEVEL) {
          @Override
          protected void log(InfoLogLevel level, String message) {}
        };
    options.database.setLogger(options.logger);
    return options;
  }

  LogFigures figures() {
    return figures;
  }

  List<ColumnFamilyDescriptor> columnFamilies() {
    return List.of(new ColumnFamilyDescriptor(RocksDB.DEFAULT_COLUMN_FAMILY, columnFamily));
  }

  /** There is no setter for it. */
  private static DBOptions withWalCompression() {
    Properties properties = new Properties();
    properties.setProperty("wal_compression", "kZSTD");
    DBOptions options = DBOptions.getDBOptionsFromProps(properties);
    if (options == null) {
      throw new IllegalStateException("This RocksDB knows no wal_compression");
    }
    return options;
  }

  @Override
  public void close() {
    columnFamily.close();
    database.close();
    synced.close();
    reading.close();
    blockCache.close();
    figures.close();
    if (listener != null) {
      listener.close();
    }
    if (logger != null) {
      logger.close();
    }
  }
}
