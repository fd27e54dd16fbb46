// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.replication;

import dev.cairn.log.LogException;
import dev.cairn.replication.Codec;
import dev.cairn.server.peer.PeerTransport;
import dev.cairn.server.raft.SnapshotHost;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.LongFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Copies of groups' data between nodes: those that this node's groups fetch, and what others fetch
 * of this node's data.
 *
 * <p>Threads: any. Invariants:
 *
 * <ol>
 *   <li>Nothing is left of a copy that is told as failed. One that counts as fetched is its
 *       receiver's to delete.
 *   <li>A checkpoint is deleted by the group that made it, also when that has ended meanwhile.
 * </ol>
 */
final class GroupCopies implements CopySource {
  private static final Logger LOG = LoggerFactory.getLogger(GroupCopies.class);

  private final PeerTransport transport;
  private final Executor readers;
  private final LongFunction<Optional<Machine>> machines;
  private final Map<Path, Machine> given = new ConcurrentHashMap<>();

  /**
   * Copies of this node's groups.
   *
   * @param readers make folders
   * @param machines the state machines of groups that take part
   */
  GroupCopies(PeerTransport transport, Executor readers, LongFunction<Optional<Machine>> machines) {
    this.transport = transport;
    this.readers = readers;
    this.machines = machines;
  }

  // ---- What this node fetches ----

  /**
   * Begins to fetch a copy from another node; see {@link GroupSnapshots.Copies}.
   *
   * @param into who makes room for it; empty for a group that keeps its whole log, which needs none
   */
  void fetch(
      String node,
      long group,
      long least,
      Optional<SnapshotHost> into,
      Consumer<CopyFetch.Result> done) {
    readers.execute(
        () -> {
          SnapshotHost host;
          Path folder;
          try {
            host = into.orElseThrow(() -> new IllegalStateException("the group keeps its log"));
            folder = host.newIncoming();
          } catch (IOException e) {
            done.accept(new CopyFetch.Failed(CopyFetch.kindOf(e), e.toString()));
            return;
          } catch (RuntimeException e) {
            done.accept(new CopyFetch.Failed(CopyFetch.Kind.PASSING, e.toString()));
            return;
          }
          CopyFetch.start(
              transport, node, group, folder, result -> tell(result, least, host, folder, done));
        });
  }

  private static void tell(
      CopyFetch.Result result,
      long least,
      SnapshotHost host,
      Path folder,
      Consumer<CopyFetch.Result> done) {
    CopyFetch.Result checked = checked(result, least);
    if (checked instanceof CopyFetch.Failed) {
      try {
        host.deleteIncoming(folder);
      } catch (IOException | RuntimeException e) {
        LOG.warn("Cannot delete {}; it is tried again at the next start", folder, e);
      }
    }
    done.accept(checked);
  }

  /** A copy that does not say what it is, or is less than was offered, is none. */
  private static CopyFetch.Result checked(CopyFetch.Result result, long least) {
    if (result instanceof CopyFetch.Fetched copy) {
      try {
        if (Codec.reference(copy.meta()).index() < least) {
          return new CopyFetch.Failed(CopyFetch.Kind.PASSING, "the copy ends before " + least);
        }
      } catch (LogException e) {
        return new CopyFetch.Failed(CopyFetch.Kind.PASSING, e.getMessage());
      }
    }
    return result;
  }

  // ---- What others fetch ----

  @Override
  public Offered open(long group) throws IOException {
    Machine asked =
        machines
            .apply(group)
            .orElseThrow(() -> new IOException("group " + group + " is not open here"));
    Offered offered = asked.offer();
    given.put(offered.checkpoint(), asked);
    return offered;
  }

  @Override
  public void close(Path checkpoint) {
    Machine of = given.remove(checkpoint);
    if (of == null) {
      throw new IllegalArgumentException(checkpoint + " is no checkpoint that is given");
    }
    try {
      of.endOffer(checkpoint);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
