// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import dev.cairn.server.peer.EventLoops;
import dev.cairn.server.peer.PeerTransport;
import dev.cairn.server.raft.ForeignLogException;
import dev.cairn.server.raft.JRaftEngine;
import dev.cairn.server.raft.NodeLog;
import dev.cairn.server.raft.RaftEngine;
import dev.cairn.server.raft.SharedLog;
import dev.cairn.server.replication.Shards;
import dev.cairn.server.replication.WrittenLog;
import dev.cairn.server.replication.WrittenLogDump;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Which engine runs this node's groups: JRaft, or in trials the one that is to take its place
 * (docs/design/decisions/0035). Neither reads what the other wrote: a folder of the other is
 * refused.
 *
 * <p>A trial has event loops for the whole node: its shards, its clients and other nodes are served
 * by the same ones. With JRaft each has its own.
 */
final class GroupEngine {
  /** A system property, which no user is told of: {@code true} for a trial. */
  private static final String TRIAL = "cairn.shards";

  private static final int SHARDS = 1;

  private GroupEngine() {}

  /**
   * Makes the loops of a node for a trial, as many as shards; empty with JRaft. They are the
   * caller's to close, after all that uses them.
   */
  static Optional<EventLoops> loops() {
    return Boolean.getBoolean(TRIAL) ? Optional.of(EventLoops.shared(SHARDS)) : Optional.empty();
  }

  /**
   * Opens the node's log.
   *
   * @throws dev.cairn.server.raft.LogLostException when it holds less than it had synced
   * @throws StartException when another release or the other engine wrote it
   * @throws IOException when the folder cannot be used
   */
  static NodeLog openLog(RuntimeSpec spec) throws IOException, StartException {
    Path folder = spec.identity().folder().resolve(NodeRuntime.LOG);
    Consumer<RuntimeException> onFault = damage -> spec.onFault().accept(NodeFault.of(damage));
    try {
      if (spec.loops().isPresent()) {
        return WrittenLog.open(
            folder, spec.identity().self().id(), onFault, spec.figures().metrics());
      }
      if (WrittenLogDump.isLog(folder)) {
        throw ForeignLogException.ofOtherForm(folder);
      }
      return SharedLog.open(folder, onFault::accept, spec.figures().metrics());
    } catch (ForeignLogException e) {
      throw new StartException(e.getMessage(), e);
    }
  }

  /** Starts the engine on a log that {@link #openLog} opened. */
  static RaftEngine start(PeerTransport transport, NodeLog log) {
    return log instanceof WrittenLog written
        ? Shards.start(transport, written)
        : JRaftEngine.start(transport, (SharedLog) log);
  }
}
