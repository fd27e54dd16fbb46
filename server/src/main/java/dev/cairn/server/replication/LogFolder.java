// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.replication;

import dev.cairn.server.raft.ForeignLogException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;

/**
 * What can be told of a node's log by its files alone, and what lies beside its folder.
 *
 * <pre>
 *   store.log/           the log, or a RocksDB of the former form with its file CURRENT
 *   store.log.damaged    why the log counts as lost, one line; where it was found damaged
 *   store.log.mark       of the former form
 * </pre>
 */
public final class LogFolder {
  private LogFolder() {}

  /**
   * Refuses a log of the former form, which was a RocksDB with a mark beside its folder.
   *
   * @param folder of the log, which need not be there
   * @throws ForeignLogException when it is of that form; it names the way over
   */
  static void refuseFormerForm(Path folder) {
    if (Files.exists(folder.resolve("CURRENT")) || Files.exists(beside(folder, ".mark"))) {
      throw ForeignLogException.ofFormerForm(folder);
    }
  }

  /**
   * Writes down that a log is damaged, for damage that opening it would not meet again: from now on
   * {@link WrittenLog#open} finds it lost.
   *
   * @param folder of the log
   * @param why for whoever starts the node
   * @throws IOException when that cannot be written
   */
  public static void condemn(Path folder, String why) throws IOException {
    Files.writeString(damageNote(folder), why + "\n");
    try (FileChannel parent =
        FileChannel.open(folder.toAbsolutePath().getParent(), StandardOpenOption.READ)) {
      parent.force(true);
    }
  }

  /** Why a log counts as lost, as {@link #condemn} has written it; empty where it has not. */
  static Optional<String> condemned(Path folder) throws IOException {
    Path note = damageNote(folder);
    return Files.exists(note) ? Optional.of(Files.readString(note).strip()) : Optional.empty();
  }

  /** What belongs to the log in a folder, and goes where it goes. Not all of it need be there. */
  public static List<Path> files(Path folder) {
    return List.of(folder, damageNote(folder));
  }

  private static Path damageNote(Path folder) {
    return beside(folder, ".damaged");
  }

  private static Path beside(Path folder, String suffix) {
    return folder.resolveSibling(folder.getFileName() + suffix);
  }
}
