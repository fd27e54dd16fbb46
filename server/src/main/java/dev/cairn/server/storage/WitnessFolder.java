// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.storage;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The folder of a replica that keeps no data: a {@link StateFile} with generation 0 and nothing
 * else. Any thread.
 */
public final class WitnessFolder {
  private final StorageEngine engine;
  private final Path folder;
  private StateFile state; // guarded by this

  private WitnessFolder(StorageEngine engine, Path folder, StateFile state) {
    this.engine = engine;
    this.folder = folder;
    this.state = state;
  }

  /** Opens or creates it; refuses another identity's folder, and a full replica's. */
  public static WitnessFolder open(StorageEngine engine, Path folder, PartitionIdentity identity) {
    try {
      DurableFiles.createFolder(folder);
      Optional<StateFile> found = StateFile.load(folder, identity);
      StateFile state = found.orElse(new StateFile(0, identity, null));
      if (state.generation() != 0) {
        throw new StorageException(
            folder
                + " holds a full replica's data and cannot be a witness: remove the replica first,"
                + " or let it be added under the next incarnation");
      }
      if (found.isEmpty()) {
        state.save(folder);
      }
      return new WitnessFolder(engine, folder, state);
    } catch (IOException e) {
      throw new StorageException("cannot open " + folder, e);
    }
  }

  /** The last durable snapshot's meta, opaque here. */
  public synchronized Optional<byte[]> snapshotMeta() {
    return state.snapshotMeta();
  }

  /** Keeps a snapshot's meta; it is on disk when this returns. At most 1 MiB. */
  public synchronized void saveSnapshotMeta(byte[] meta) {
    engine.refuseWhenDamaged();
    StateFile next = new StateFile(0, state.identity(), meta.clone());
    try {
      next.save(folder);
    } catch (IOException e) {
      throw engine.damaged(new StorageException("cannot save the snapshot's meta in " + folder, e));
    }
    state = next;
  }
}
