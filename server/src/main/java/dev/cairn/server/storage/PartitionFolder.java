// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.storage;

import dev.cairn.state.Applied;
import dev.cairn.state.Database;
import dev.cairn.state.StateException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;
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
 * replacement and deleted at open. A {@link dev.cairn.state.State} writes into it, and reads its
 * views.
 *
 * <p><b>Threads.</b> {@link #view}, {@link #snapshotMeta} and what tells of sizes by any, without
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
public final class PartitionFolder implements Database {
  private static final Logger log = LoggerFactory.getLogger(PartitionFolder.class);
  private static final String GENERATION_NAME = "generation-";
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
  private volatile Generation current;
  private Thread retirement; // closes and deletes the last replaced database; guarded by this
  private long nextNumber = 1; // of incoming and checkpoint folders; guarded by this
  private boolean closed; // guarded by this
  private volatile Consumer<StorageException> onDamage = cause -> {};

  private PartitionFolder(
      StorageEngine engine,
      Path folder,
      StateFile state,
      Generation current,
      Consumer<InstallStep> steps) {
    this.engine = engine;
    this.folder = folder;
    this.state = state;
    this.current = current;
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
      Generation current = Generation.open(engine, data, identity);
      deleteLeftovers(folder, data);
      return new PartitionFolder(engine, folder, state, current, steps);
    } catch (IOException e) {
      throw new StorageException("cannot open " + folder, e);
    }
  }

  private static PartitionFolder create(
      StorageEngine engine, Path folder, PartitionIdentity identity, Consumer<InstallStep> steps)
      throws IOException {
    Path data = generation(folder, 1);
    for (Path entry : DurableFiles.list(folder)) {
      if (entry.getFileName().toString().startsWith(GENERATION_NAME)
          && Generation.holdsData(engine, entry)) {
        throw new StorageException(missingState(folder));
      }
    }
    DurableFiles.deleteTree(data); // a creation that did not come to its end
    DurableFiles.createFolder(data);
    Generation current = Generation.create(engine, data, identity);
    StateFile state = new StateFile(1, identity, null);
    try {
      state.save(folder);
      deleteLeftovers(folder, data);
    } catch (IOException e) {
      current.close();
      throw e;
    }
    return new PartitionFolder(engine, folder, state, current, steps);
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
   * A copy of a partition's data that was received.
   *
   * @param folder from {@link #newIncoming}, with a whole {@link #checkpoint} of this partition; it
   *     is used up
   * @param meta the snapshot's, opaque here
   * @param applied what it covers at least; its own row says what it is
   */
  public record Received(Path folder, byte[] meta, Applied applied) implements Copy {}

  // ---- The database ----

  @Override
  public void write(Batch batch) {
    current.write(batch);
  }

  @Override
  public void sync() {
    current.flush();
  }

  @Override
  public Live view() {
    while (true) {
      Generation now = current;
      if (now.tryLease()) {
        try {
          return now.view();
        } finally {
          now.release();
        }
      }
      if (now == current) {
        throw new StorageException(folder + " is closed");
      }
    }
  }

  /** The data in a folder of {@link #newIncoming}, as {@link #checkpoint} makes it. */
  @Override
  public Copy copy() {
    try (View view = view()) { // before the copy, which covers it so
      Path checkpoint = checkpoint();
      Path incoming = newFolder(INCOMING);
      DurableFiles.createFolder(incoming.getParent());
      DurableFiles.rename(checkpoint, incoming);
      return new Received(incoming, new byte[0], view.applied());
    } catch (IOException e) {
      throw new StorageException("cannot make a copy of " + folder, e);
    }
  }

  /** Latches what a row was found to be, and returns what to throw. */
  public StorageException damaged(StateException cause) {
    return current.broken(new StorageException(cause.getMessage(), StorageException.Kind.DAMAGED));
  }

  /** About how much the data takes on disk and in write buffers. */
  public long approximateBytes() {
    return current.number("rocksdb.live-sst-files-size")
        + current.number("rocksdb.cur-size-all-mem-tables");
  }

  /** All table files, those that are still read and about to go included. */
  public long diskBytes() {
    return current.number("rocksdb.total-sst-files-size");
  }

  // ---- Snapshots ----

  /** Has damage of the data told from now on, by any thread. */
  public void onDamage(Consumer<StorageException> listener) {
    onDamage = listener;
    current.onDamage(listener);
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
   * Replaces the data by a received copy, and the snapshot's meta with it. Views that are there
   * stay as they were; when this returns, new ones are of the copy. When it throws, the old data
   * still counts, unless the engine is damaged.
   *
   * @param copy a {@link Received}
   */
  @Override
  public synchronized void install(Copy copy) {
    if (!(copy instanceof Received received)) {
      throw new IllegalArgumentException("no copy that was received: " + copy);
    }
    Path incoming = received.folder();
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
    Generation next = Generation.open(engine, data, state.identity());
    next.onDamage(onDamage);
    steps.accept(InstallStep.OPENED);
    try {
      switchTo(new StateFile(number, state.identity(), received.meta().clone()));
    } catch (StorageException e) {
      next.close();
      throw e;
    }
    Generation old = current;
    current = next;
    steps.accept(InstallStep.SWITCHED);
    retire(old);
  }

  /**
   * Hard-links the data into a new folder, and checks it: what was written when this began, or
   * more.
   */
  public Path checkpoint() {
    Path target = newFolder(CHECKPOINT);
    try {
      DurableFiles.createFolder(target.getParent());
    } catch (IOException e) {
      throw new StorageException("cannot create " + target.getParent(), e);
    }
    try {
      current.checkpoint(target);
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

  /**
   * Waits for views that are open, closes; what was not synced is in the log. A second call does
   * nothing.
   */
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    awaitRetirement();
    current.close();
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

  private void retire(Generation old) {
    old.beginClose();
    retirement =
        new Thread(
            () -> {
              old.close();
              try {
                DurableFiles.deleteTree(old.folder());
              } catch (IOException e) {
                log.warn("Cannot delete {}; it is tried again at the next start", old.folder(), e);
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
          name.startsWith(GENERATION_NAME)
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
    return folder.resolve(GENERATION_NAME + number);
  }

  private static Path deletedName(Path folder) {
    return folder.resolveSibling(folder.getFileName() + DELETED);
  }
}
