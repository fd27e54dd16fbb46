// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.storage;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One partition's files, and which of them count.
 *
 * <pre>
 *   p-00003/state           which generation, whose, up to which snapshot (see StateFile)
 *          generation-N/    a database; only the one that state names counts
 *          incoming/N/      a database on its way from another replica
 *          checkpoint/N/    hard links on their way to another replica
 * </pre>
 *
 * <p>All but {@code state} and the generation that it names is left over from a crash or a
 * replacement and deleted at open.
 *
 * <p><b>Threads.</b> {@link #store}, {@link #read} and {@link #snapshotMeta} by any, without
 * waiting. The rest by any, one at a time.
 *
 * <p><b>Invariants.</b>
 *
 * <ol>
 *   <li>{@code state} is written last when a folder is created and is the only thing that switches
 *       generations, by one fsynced rename: after a crash the old data or the new counts, whole,
 *       with the snapshot's meta that belongs to it.
 *   <li>A database is closed when no read uses it, and deleted after that.
 *   <li>Data without a state file is never deleted.
 * </ol>
 */
public final class PartitionFolder implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(PartitionFolder.class);
  private static final String GENERATION = "generation-";
  private static final String INCOMING = "incoming";
  private static final String CHECKPOINT = "checkpoint";
  private static final String DELETED = ".deleted";

  /** Where {@link #install} has come to; tests look at the disk there. */
  enum InstallStep {
    SYNCED,
    MOVED,
    OPENED,
    SWITCHED
  }

  private final StorageEngine engine;
  private final Path folder;
  private final Consumer<InstallStep> steps;
  private volatile StateFile state;
  private volatile PartitionStore store;
  private Thread retirement; // closes and deletes the last replaced database; guarded by this
  private long nextNumber = 1; // of incoming and checkpoint folders; guarded by this
  private boolean closed; // guarded by this
  private volatile Consumer<StorageException> onDamage = cause -> {};

  private PartitionFolder(
      StorageEngine engine,
      Path folder,
      StateFile state,
      PartitionStore store,
      Consumer<InstallStep> steps) {
    this.engine = engine;
    this.folder = folder;
    this.state = state;
    this.store = store;
    this.steps = steps;
  }

  /**
   * Opens a partition's folder, or creates it with an empty database.
   *
   * @throws StorageException when the folder belongs to another identity, or is damaged; nothing
   *     was changed then
   */
  public static PartitionFolder open(
      StorageEngine engine, Path folder, PartitionIdentity identity) {
    return open(engine, folder, identity, step -> {});
  }

  static PartitionFolder open(
      StorageEngine engine, Path folder, PartitionIdentity identity, Consumer<InstallStep> steps) {
    try {
      DurableFiles.deleteTree(deletedName(folder));
      DurableFiles.createFolder(folder);
      Optional<StateFile> found = StateFile.load(folder, identity);
      if (found.isEmpty()) {
        return create(engine, folder, identity, steps);
      }
      StateFile state = found.get();
      if (state.generation() == 0) {
        throw new StorageException(
            folder
                + " belongs to a witness, which has no data: let the replica be added under the next"
                + " incarnation");
      }
      Path data = generation(folder, state.generation());
      PartitionStore store = PartitionStore.open(engine, data, identity);
      deleteLeftovers(folder, data);
      return new PartitionFolder(engine, folder, state, store, steps);
    } catch (IOException e) {
      throw new StorageException("cannot open " + folder, e);
    }
  }

  private static PartitionFolder create(
      StorageEngine engine, Path folder, PartitionIdentity identity, Consumer<InstallStep> steps)
      throws IOException {
    Path data = generation(folder, 1);
    for (Path entry : DurableFiles.list(folder)) {
      if (entry.getFileName().toString().startsWith(GENERATION)
          && PartitionStore.holdsData(engine, entry)) {
        throw new StorageException(missingState(folder));
      }
    }
    DurableFiles.deleteTree(data); // a creation that did not come to its end
    DurableFiles.createFolder(data);
    PartitionStore store = PartitionStore.create(engine, data, identity);
    StateFile state = new StateFile(1, identity, null);
    try {
      state.save(folder);
      deleteLeftovers(folder, data);
    } catch (IOException e) {
      store.close();
      throw e;
    }
    return new PartitionFolder(engine, folder, state, store, steps);
  }

  /**
   * Deletes a folder that nobody has open, so that a crash midway leaves none or all of it. One
   * that is not there is no error.
   */
  public static void delete(Path folder) {
    try {
      Path deleted = deletedName(folder);
      DurableFiles.deleteTree(deleted);
      if (Files.exists(folder)) {
        DurableFiles.rename(folder, deleted);
        DurableFiles.deleteTree(deleted);
      }
    } catch (IOException e) {
      throw new StorageException("cannot delete " + folder, e);
    }
  }

  /**
   * The current database. After {@link #install} this is another one, and the old one refuses
   * calls: ask again, or use {@link #read}.
   */
  public PartitionStore store() {
    return store;
  }

  /** Reads from the current database, which stays open until the function returns. */
  public <T> T read(Function<PartitionStore, T> reading) {
    while (true) {
      PartitionStore current = store;
      if (current.database().tryLease()) {
        try {
          return reading.apply(current);
        } finally {
          current.database().release();
        }
      }
      if (current == store) {
        throw new StorageException(folder + " is closed");
      }
    }
  }

  /** Has damage of the data told from now on, by any thread. */
  public void onDamage(Consumer<StorageException> listener) {
    onDamage = listener;
    store.database().onDamage(listener);
  }

  /** The last durable snapshot's meta, opaque here. */
  public Optional<byte[]> snapshotMeta() {
    return state.snapshotMeta();
  }

  /**
   * Keeps a snapshot's meta; it is on disk when this returns. Flush what it covers before.
   *
   * @param meta at most 1 MiB
   */
  public synchronized void saveSnapshotMeta(byte[] meta) {
    refuseWhenClosed();
    switchTo(new StateFile(state.generation(), state.identity(), meta.clone()));
  }

  /** A new empty folder, on the same file system, for a database that is being received. */
  public Path newIncoming() {
    Path incoming = newFolder(INCOMING);
    try {
      DurableFiles.createFolder(incoming);
    } catch (IOException e) {
      throw new StorageException("cannot create " + incoming, e);
    }
    return incoming;
  }

  /** Deletes a folder of {@link #newIncoming} that will not be installed. */
  public void deleteIncoming(Path incoming) {
    deleteInside(INCOMING, incoming);
  }

  /**
   * Replaces the data by a received copy, and the snapshot's meta with it. Reads that run finish on
   * the old data; when this returns, {@link #store} is the new one. When it throws, the old data
   * still counts, unless the engine is damaged.
   *
   * @param incoming from {@link #newIncoming}, with a whole {@link #checkpoint} of this partition
   */
  public synchronized void install(Path incoming, byte[] meta) {
    refuseWhenClosed();
    engine.refuseWhenDamaged();
    requireInside(INCOMING, incoming);
    awaitRetirement();
    long number = state.generation() + 1;
    Path data = generation(folder, number);
    try {
      DurableFiles.syncFolderWithFiles(incoming);
      steps.accept(InstallStep.SYNCED);
      DurableFiles.deleteTree(data);
      DurableFiles.rename(incoming, data);
    } catch (IOException e) {
      throw engine.damaged(new StorageException("cannot put a received copy in " + folder, e));
    }
    steps.accept(InstallStep.MOVED);
    PartitionStore next = PartitionStore.open(engine, data, state.identity());
    next.database().onDamage(onDamage);
    steps.accept(InstallStep.OPENED);
    try {
      switchTo(new StateFile(number, state.identity(), meta.clone()));
    } catch (StorageException e) {
      next.close();
      throw e;
    }
    PartitionStore old = store;
    store = next;
    steps.accept(InstallStep.SWITCHED);
    retire(old);
  }

  /** Hard-links all that was applied so far into a new folder; flushes for it. */
  public Path checkpoint() {
    Path target = newFolder(CHECKPOINT);
    try {
      DurableFiles.createFolder(target.getParent());
    } catch (IOException e) {
      throw new StorageException("cannot create " + target.getParent(), e);
    }
    try {
      read(
          current -> {
            current.database().checkpoint(target);
            return null;
          });
    } catch (StorageException e) {
      deleteCheckpoint(target);
      throw e;
    }
    return target;
  }

  /** Deletes a folder of {@link #checkpoint}. */
  public void deleteCheckpoint(Path checkpoint) {
    deleteInside(CHECKPOINT, checkpoint);
  }

  /** Waits for reads that run, flushes, closes. A second call does nothing. */
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    awaitRetirement();
    store.close();
  }

  private void switchTo(StateFile next) {
    engine.refuseWhenDamaged();
    try {
      next.save(folder);
    } catch (IOException e) {
      throw engine.damaged(new StorageException("cannot save the state of " + folder, e));
    }
    state = next;
  }

  private void retire(PartitionStore old) {
    old.database().forgetUnflushed();
    old.beginClose();
    retirement =
        new Thread(
            () -> {
              old.close();
              try {
                DurableFiles.deleteTree(old.database().folder());
              } catch (IOException e) {
                log.warn(
                    "Cannot delete {}; it is tried again at the next start",
                    old.database().folder(),
                    e);
              }
            },
            "cairn-storage-retire");
    retirement.setDaemon(true);
    retirement.start();
  }

  private void awaitRetirement() {
    boolean interrupted = false;
    while (retirement != null) {
      try {
        retirement.join();
        retirement = null;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private synchronized Path newFolder(String kind) {
    refuseWhenClosed();
    return folder.resolve(kind).resolve(Long.toString(nextNumber++));
  }

  private void deleteInside(String kind, Path path) {
    requireInside(kind, path);
    try {
      DurableFiles.deleteTree(path);
    } catch (IOException e) {
      throw new StorageException("cannot delete " + path, e);
    }
  }

  private void requireInside(String kind, Path path) {
    if (!folder.resolve(kind).equals(path.getParent())) {
      throw new IllegalArgumentException(path + " is not in " + folder.resolve(kind));
    }
  }

  private void refuseWhenClosed() {
    if (closed) {
      throw new StorageException(folder + " is closed");
    }
  }

  private static void deleteLeftovers(Path folder, Path data) throws IOException {
    for (Path entry : DurableFiles.list(folder)) {
      String name = entry.getFileName().toString();
      boolean ours =
          name.startsWith(GENERATION)
              || name.equals(INCOMING)
              || name.equals(CHECKPOINT)
              || name.endsWith(".tmp");
      if (ours && !entry.equals(data)) {
        DurableFiles.deleteTree(entry);
      }
    }
  }

  private static String missingState(Path folder) {
    return folder
        + " holds data but no state file, so nobody can tell which of it counts: put the file"
        + " '"
        + StateFile.NAME
        + "' back, or move the folder away and let the replica be rebuilt";
  }

  private static Path generation(Path folder, long number) {
    return folder.resolve(GENERATION + number);
  }

  private static Path deletedName(Path folder) {
    return folder.resolveSibling(folder.getFileName() + DELETED);
  }
}
