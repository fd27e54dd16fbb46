// SPDX-License-Identifier: Apache-2.0
package dev.cairn.state;

import dev.cairn.state.rocks.RocksDatabase;
import java.nio.file.Path;
import java.util.random.RandomGenerator;
import org.rocksdb.Options;

/**
 * The database on disk in a folder. RocksDB flushes on its own too, so a crash may leave what was
 * not synced; closing one flushes nothing.
 */
final class RocksFolder implements CrashingDatabase, AutoCloseable {
  private final Path folder;
  private final Options options = new Options().setWriteBufferSize(1 << 20);

  RocksFolder(Path folder) {
    this.folder = folder;
  }

  @Override
  public Database open() {
    return RocksDatabase.open(folder, options);
  }

  @Override
  public void crash(RandomGenerator random) {}

  @Override
  public void close() {
    options.close();
  }
}
