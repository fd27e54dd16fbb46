// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.storage;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The folder of a replica that keeps no data: a {@link StateFile} with generation 0 and nothing
 * else.
 */
public final class WitnessFolder {
  private WitnessFolder() {}

  /**
   * Creates it, or looks whether it is there.
   *
   * @throws StorageException when it is of another identity, or a full replica's, or cannot be
   *     written
   */
  public static void open(Path folder, PartitionIdentity identity) {
    try {
      DurableFiles.createFolder(folder);
      Optional<StateFile> found = StateFile.load(folder, identity);
      if (found.isEmpty()) {
        new StateFile(0, identity, null).save(folder);
      } else if (found.get().generation() != 0) {
        throw new StorageException(
            folder
                + " holds a full replica's data and cannot be a witness: remove the replica first,"
                + " or let it be added under the next incarnation");
      }
    } catch (IOException e) {
      throw new StorageException("cannot open " + folder, e);
    }
  }
}
