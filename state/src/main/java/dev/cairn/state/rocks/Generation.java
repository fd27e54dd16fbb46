// SPDX-License-Identifier: Apache-2.0
package dev.cairn.state.rocks;

import dev.cairn.state.Applied;
import dev.cairn.state.Cursor;
import dev.cairn.state.Database;
import dev.cairn.state.Spaces;
import dev.cairn.state.StateException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.rocksdb.MutableDBOptions;
import org.rocksdb.Options;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.Snapshot;

/**
 * One RocksDB of a {@link RocksDatabase}, from its opening until nobody uses it any more: a closed
 * native handle would kill the process. Threads: any.
 */
final class Generation {
  private final Path folder;
  private final long number;
  private final RocksDB rocks;
  private int users = 1; // guarded by this: the database itself, and each view
  private boolean retired; // guarded by this

  private Generation(Path folder, long number, RocksDB rocks) {
    this.folder = folder;
    this.number = number;
    this.rocks = rocks;
  }

  static Generation open(Path folder, long number, Options options, boolean create) {
    try (Options own = new Options(options)) {
      own.setCreateIfMissing(create);
      return new Generation(folder, number, RocksDB.open(own, folder.toString()));
    } catch (RocksDBException e) {
      throw new StateException("cannot open the database " + folder, e);
    }
  }

  long number() {
    return number;
  }

  RocksDB rocks() {
    return rocks;
  }

  /** Another one took its place: it goes with its last view, and its files too. */
  void retire() {
    synchronized (this) {
      retired = true;
    }
    close();
  }

  /** Ends one use; what was written and not synced is in the log, so it is not kept. */
  void close() {
    synchronized (this) {
      if (--users > 0) {
        return;
      }
    }
    try {
      rocks.setDBOptions(MutableDBOptions.builder().setAvoidFlushDuringShutdown(true).build());
      rocks.close();
      if (isRetired()) {
        DurableFolder.deleteTree(folder);
      }
    } catch (RocksDBException | IOException e) {
      throw new StateException("cannot close " + folder, e);
    }
  }

  private synchronized boolean isRetired() {
    return retired;
  }

  Database.View view() {
    synchronized (this) {
      if (users == 0) {
        throw new StateException(folder + " is closed");
      }
      users++;
    }
    return new RocksView();
  }

  private final class RocksView implements Database.View {
    private final Snapshot snapshot = rocks.getSnapshot();
    private final ReadOptions reading = new ReadOptions().setSnapshot(snapshot);

    @Override
    public byte[] get(byte[] key) {
      try {
        return rocks.get(reading, key);
      } catch (RocksDBException e) {
        throw new StateException("cannot read a row in " + folder, e);
      }
    }

    @Override
    public Applied applied() {
      return Applied.decode(get(Spaces.applied()));
    }

    @Override
    public Cursor rows(byte[] from, byte[] to) {
      RocksIterator iterator = rocks.newIterator(reading);
      iterator.seek(from);
      return new RocksCursor(iterator, to);
    }

    @Override
    public void close() {
      reading.close();
      rocks.releaseSnapshot(snapshot);
      snapshot.close();
      Generation.this.close();
    }
  }

  /** Stands on the row that comes next until that is asked for. */
  private final class RocksCursor implements Cursor {
    private final RocksIterator iterator;
    private final byte[] to;
    private boolean begun;

    RocksCursor(RocksIterator iterator, byte[] to) {
      this.iterator = iterator;
      this.to = to;
    }

    @Override
    public boolean next() {
      if (begun && iterator.isValid()) {
        iterator.next();
      }
      begun = true;
      if (iterator.isValid()) {
        return Arrays.compareUnsigned(iterator.key(), to) < 0;
      }
      try {
        iterator.status();
      } catch (RocksDBException e) {
        throw new StateException("cannot read rows in " + folder, e);
      }
      return false;
    }

    @Override
    public byte[] key() {
      return iterator.key();
    }

    @Override
    public byte[] value() {
      return iterator.value();
    }

    @Override
    public void close() {
      iterator.close();
    }
  }
}
