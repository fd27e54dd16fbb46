// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import dev.cairn.server.cluster.ClusterState;
import dev.cairn.server.cluster.Placement;
import dev.cairn.server.raft.LogLostException;
import dev.cairn.server.replication.LogFolder;
import dev.cairn.server.storage.DurableFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a node does whose log is not what it had acknowledged: it must not vote in its old place, so
 * it comes back as a new node, under a new id, and is taken in as one with an empty disk is.
 *
 * <p>What it had is set aside, not deleted: were a second node to meet the same in the same hour,
 * the two folders might hold the only copies. Once the cluster has taken the node in, it is worth
 * nothing: the controller does that only while each of the node's partitions is led by another, and
 * a leader has all that was acknowledged. Then it is deleted.
 *
 * <pre>
 *   lost-N/    node.yaml, cluster.json, store.log*, partitions: as they were; N counts from 1
 * </pre>
 *
 * <p>{@code node.yaml} goes first. A folder with a {@code lost-N} and without a {@code node.yaml}
 * is one whose process ended midway; {@link #finish} goes on.
 */
final class LostLog {
  private static final Logger log = LoggerFactory.getLogger(LostLog.class);
  private static final String PREFIX = "lost-";

  private LostLog() {}

  /**
   * Sets aside what the node had, where the others can make up for it.
   *
   * @throws StartException when there are too few others, with what a person can do
   */
  static void setAside(Path folder, LogLostException cause) throws StartException, IOException {
    if (!othersHaveIt(folder)) {
      throw new StartException(
          cause.getMessage()
              + " Here it was needed: without this node's vote some of its partitions have no majority, or no"
              + " other copy. Bring the folder "
              + folder
              + " back as it was at its last moment, if there is such a copy. To accept that what only this node had"
              + " is lost, move the folder away and start the node with the same settings on an empty one");
    }
    Path aside = folder.resolve(PREFIX + (lostFolders(folder).size() + 1));
    log.error(
        "{} This node comes back as a new one and gets its data from the others; what it had is set aside in {} until"
            + " they have taken it in",
        cause.getMessage(),
        aside);
    DurableFiles.createFolder(aside);
    move(folder, aside, Path.of(NodeIdentity.FILE));
    finish(folder);
  }

  /** Goes on with what a process that ended midway had begun. */
  static void finish(Path folder) throws IOException {
    List<Path> lost = lostFolders(folder);
    if (lost.isEmpty() || Files.exists(folder.resolve(NodeIdentity.FILE))) {
      return;
    }
    Path aside = lost.get(lost.size() - 1);
    List<Path> names = new ArrayList<>();
    LogFolder.files(Path.of(NodeRuntime.LOG)).forEach(names::add);
    names.add(Path.of(NodeRuntime.CLUSTER));
    names.add(Path.of(NodeRuntime.PARTITIONS));
    for (Path name : names) {
      if (Files.exists(folder.resolve(name)) && !Files.exists(aside.resolve(name))) {
        move(folder, aside, name);
      }
    }
  }

  /** Deletes what was set aside: the node has been taken in. */
  static void forget(Path folder) throws IOException {
    for (Path lost : lostFolders(folder)) {
      DurableFiles.deleteTree(lost);
      log.info("{} is deleted: the others have taken this node in", lost);
    }
  }

  private static void move(Path folder, Path aside, Path name) throws IOException {
    Files.move(folder.resolve(name), aside.resolve(name), StandardCopyOption.ATOMIC_MOVE);
    DurableFiles.syncFolder(aside);
    DurableFiles.syncFolder(folder);
  }

  private static List<Path> lostFolders(Path folder) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries
          .filter(entry -> entry.getFileName().toString().matches(PREFIX + "\\d{1,6}"))
          .sorted(
              Comparator.comparingInt(
                  entry ->
                      Integer.parseInt(entry.getFileName().toString().substring(PREFIX.length()))))
          .toList();
    }
  }

  /** Whether a majority of each of its groups is left without this node. */
  private static boolean othersHaveIt(Path folder) throws StartException, IOException {
    Optional<NodeIdentity> identity = NodeIdentity.load(folder);
    Path file = folder.resolve(NodeRuntime.CLUSTER);
    if (identity.isEmpty() || !Files.exists(file)) {
      return false;
    }
    String self = identity.get().nodeId();
    ClusterState state = ClusterState.decode(Files.readAllBytes(file));
    return state.metaVoters().size() >= 3
        && state.partitions().stream()
            .filter(placement -> placement.voterOn(self).isPresent())
            .allMatch(LostLog::canLoseOne);
  }

  private static boolean canLoseOne(Placement placement) {
    return placement.voters().size() >= 3 && placement.replicas().size() >= 2;
  }
}
