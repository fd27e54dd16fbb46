// SPDX-License-Identifier: Apache-2.0
package dev.cairn.state.rocks;

import dev.cairn.state.Applied;
import dev.cairn.state.Cursor;
import dev.cairn.state.Database;
import dev.cairn.state.Spaces;
import dev.cairn.state.StateException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.rocksdb.Checkpoint;
import org.rocksdb.FlushOptions;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/**
 * A database on disk: RocksDB without a write-ahead log of its own.
 *
 * <pre>
 *   folder    := current  data-GENERATION/  copies/NUMBER/
 *   current   := "data-GENERATION\n"          replaced whole: it says which one counts
 * </pre>
 *
 * <p>A batch lies in one write buffer whole, however large it is, and buffers reach the disk in the
 * order in which they were written. So whatever is found after a crash is the data exactly as of
 * the row found with it.
 *
 * <p>An install opens the copy beside the present database and switches by one rename. The former
 * one is closed when its last view is, and deleted then.
 */
public final class RocksDatabase implements Database {
  static {
    RocksDB.loadLibrary();
  }

  private static final String CURRENT = "current";
  private static final String DATA = "data-";
  private static final String COPIES = "copies";

  private final Path folder;
  private final Options options;
  private final WriteOptions withoutLog = new WriteOptions().setDisableWAL(true);
  private final FlushOptions andWait = new FlushOptions().setWaitForFlush(true);
  private Generation current;
  private long copies;

  /**
   * A copy in a folder of its own.
   *
   * @param folder with a whole RocksDB database
   */
  public record FolderCopy(Path folder, Applied applied) implements Copy {}

  private RocksDatabase(Path folder, Options options) {
    this.folder = folder;
    this.options = options;
  }

  /**
   * Opens the database of a folder; one that is not there is made.
   *
   * @param options of RocksDB; the caller closes them after the database
   */
  public static RocksDatabase open(Path folder, Options options) {
    RocksDatabase database = new RocksDatabase(folder, options);
    try {
      Files.createDirectories(folder);
      Path named = folder.resolve(CURRENT);
      boolean isNew = !Files.exists(named);
      long number = isNew ? 1 : numberIn(Files.readString(named));
      Path data = folder.resolve(DATA + number);
      DurableFolder.deleteOthers(folder, DATA, data);
      DurableFolder.deleteTree(folder.resolve(COPIES));
      database.current = Generation.open(data, number, options, isNew);
      if (isNew) {
        database.name(number);
      }
      return database;
    } catch (IOException e) {
      throw new StateException("cannot open the database in " + folder, e);
    }
  }

  private static long numberIn(String named) {
    String text = named.strip();
    if (!text.matches(DATA + "\\d{1,18}")) {
      throw new StateException("the file '" + CURRENT + "' of a database is damaged");
    }
    return Long.parseLong(text.substring(DATA.length()));
  }

  private void name(long number) throws IOException {
    DurableFolder.replace(folder.resolve(CURRENT), DATA + number + "\n");
  }

  @Override
  public void write(Batch batch) {
    try (WriteBatch rows = new WriteBatch()) {
      if (batch.clear()) {
        rows.deleteRange(Spaces.clearedFrom(), Spaces.clearedTo());
      }
      Cursor changes = batch.rows();
      while (changes.next()) {
        byte[] value = changes.value();
        if (value == null) {
          rows.delete(changes.key());
        } else {
          rows.put(changes.key(), value);
        }
      }
      rows.put(Spaces.applied(), batch.applied().encode());
      current.rocks().write(withoutLog, rows);
    } catch (RocksDBException e) {
      throw new StateException("cannot write to " + folder, e);
    }
  }

  @Override
  public void sync() {
    try {
      current.rocks().flush(andWait);
    } catch (RocksDBException e) {
      throw new StateException("cannot flush " + folder, e);
    }
  }

  @Override
  public View view() {
    return current.view();
  }

  @Override
  public Copy copy() {
    Path target = folder.resolve(COPIES).resolve(Long.toString(++copies));
    try (Checkpoint checkpoint = Checkpoint.create(current.rocks());
        View view = current.view()) {
      Files.createDirectories(target.getParent());
      checkpoint.createCheckpoint(target.toString()); // flushes what was written
      return new FolderCopy(target, view.applied());
    } catch (RocksDBException | IOException e) {
      throw new StateException("cannot make a copy of " + folder, e);
    }
  }

  /** Puts a copy in place; its folder is used up. */
  @Override
  public void install(Copy copy) {
    if (!(copy instanceof FolderCopy received)) {
      throw new IllegalArgumentException("no copy in a folder: " + copy);
    }
    long number = current.number() + 1;
    Path data = folder.resolve(DATA + number);
    try {
      DurableFolder.syncWithFiles(received.folder());
      DurableFolder.deleteTree(data);
      DurableFolder.rename(received.folder(), data);
      Generation next = Generation.open(data, number, options, false);
      name(number);
      Generation former = current;
      current = next;
      former.retire();
    } catch (IOException e) {
      throw new StateException("cannot put a copy in " + folder, e);
    }
  }

  @Override
  public void close() {
    current.close();
    withoutLog.close();
    andWait.close();
  }
}
