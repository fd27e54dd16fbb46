// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.replication;

import dev.cairn.log.LogFile;
import dev.cairn.log.LogFiles;
import dev.cairn.server.metrics.Metric;
import dev.cairn.server.metrics.Metrics;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;

/**
 * The log's folder, which tells how often and for how long the disk syncs.
 *
 * <p>A write counts with the sync that follows it: past the page cache both are one. Each file is
 * written by one thread at a time; otherwise thread-safe as the files within.
 */
final class MeasuredFiles implements LogFiles {
  private static final double NANOS_PER_SECOND = 1e9;
  private final LogFiles files;
  private final LongAdder syncs = new LongAdder();
  private final LongAdder nanos = new LongAdder();

  MeasuredFiles(LogFiles files, Metrics metrics) {
    this.files = files;
    metrics.timed(Metric.LOG_FSYNC_DURATION, syncs::sum, () -> nanos.sum() / NANOS_PER_SECOND);
  }

  @Override
  public List<String> list() throws IOException {
    return files.list();
  }

  @Override
  public LogFile create(String name, long bytes) throws IOException {
    return new MeasuredFile(files.create(name, bytes));
  }

  @Override
  public LogFile open(String name) throws IOException {
    return new MeasuredFile(files.open(name));
  }

  @Override
  public void delete(String name) throws IOException {
    files.delete(name);
  }

  @Override
  public void replace(String name, byte[] bytes) throws IOException {
    files.replace(name, bytes);
  }

  @Override
  public Optional<byte[]> read(String name) throws IOException {
    return files.read(name);
  }

  @Override
  public void close() throws IOException {
    files.close();
  }

  /** One file. */
  private final class MeasuredFile implements LogFile {
    private final LogFile file;

    MeasuredFile(LogFile file) {
      this.file = file;
    }

    @Override
    public long size() throws IOException {
      return file.size();
    }

    @Override
    public int read(long position, ByteBuffer into) throws IOException {
      return file.read(position, into);
    }

    @Override
    public void write(long position, ByteBuffer from) throws IOException {
      long begun = System.nanoTime();
      file.write(position, from);
      nanos.add(System.nanoTime() - begun);
    }

    @Override
    public void sync() throws IOException {
      long begun = System.nanoTime();
      file.sync();
      nanos.add(System.nanoTime() - begun);
      syncs.increment();
    }

    @Override
    public void close() throws IOException {
      file.close();
    }
  }
}
