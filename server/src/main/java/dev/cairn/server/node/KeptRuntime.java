// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import dev.cairn.server.cluster.NodeReport;
import dev.cairn.server.raft.LogLostException;
import dev.cairn.server.replication.LogFolder;
import dev.cairn.server.routing.Router;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A node's runtime through the faults of its disk ({@link NodeFault}).
 *
 * <p>The engines below latch at the first fault, for good: a group that has failed stays so, and a
 * database after a failed write knows no more what it holds. So whatever passes is met in one way,
 * the way of every start: all is closed, and opened anew. The client ports stay open meanwhile, and
 * certain refusals go out of them. (Rejected: groups mended one by one, which would be a second way
 * to start, taken once a year.)
 *
 * <ul>
 *   <li>The disk was full: the ballast is given up; once there is room all is opened anew.
 *   <li>The log is damaged, or the folder an older copy ({@link StartNumbers}), found now or at the
 *       start: the node comes back as a new one ({@link LostLog}).
 *   <li>Another process runs with this node's identity ({@link Introduction}): this one ends with
 *       {@link NodeMain#STATUS_NOT_STARTED}.
 *   <li>The disk failed: the process ends with {@link NodeMain#STATUS_DISK_FAILED}.
 * </ul>
 *
 * <p>Threads: faults may come on any and return at once; one thread of its own closes and opens.
 */
final class KeptRuntime implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(KeptRuntime.class);
  private static final long LOOK_EVERY_MILLIS = 500;

  /** A port that was just closed may take a moment to be free. */
  private static final int OPENINGS_MAX = 20;

  private final Opening opening;
  private final Path folder;
  private final DiskRoom room;
  private final IntConsumer end;
  private final SwitchedRouter router;
  private final ScheduledExecutorService repairs =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "node-repair");
            thread.setDaemon(true);
            return thread;
          });
  private final Object steps =
      new Object(); // held while the runtime is opened or closed for a fault
  private int failedOpenings; // the repair thread's
  private NodeRuntime runtime; // guarded by this; null while closed for a fault
  private long run; // guarded by this: which opening of the runtime counts
  private boolean stopped; // guarded by this

  /** Opens a runtime on the folder as it is. */
  interface Opening {
    /** Opens; faults are told to {@code onFault}, more than once perhaps. */
    NodeRuntime open(Consumer<NodeFault> onFault) throws StartException, IOException;
  }

  private KeptRuntime(
      String selfName, Opening opening, Path folder, DiskRoom room, IntConsumer end) {
    this.router = new SwitchedRouter(selfName);
    this.opening = opening;
    this.folder = folder;
    this.room = room;
    this.end = end;
  }

  /**
   * Opens the runtime.
   *
   * @param selfName this node's name
   * @param folder the data folder
   * @param end ends the process with a status; returns in tests only
   * @throws StartException when it cannot be opened and a person has to act
   */
  static KeptRuntime start(
      String selfName, Opening opening, Path folder, DiskRoom room, IntConsumer end)
      throws StartException, IOException {
    KeptRuntime kept = new KeptRuntime(selfName, opening, folder, room, end);
    boolean started = false;
    try {
      kept.open();
      started = true;
    } finally {
      if (!started) {
        kept.repairs.shutdownNow();
      }
    }
    kept.repairs.scheduleWithFixedDelay(
        room::look, LOOK_EVERY_MILLIS, LOOK_EVERY_MILLIS, TimeUnit.MILLISECONDS);
    return kept;
  }

  /** The way to the cluster, whichever runtime is open. */
  Router router() {
    return router;
  }

  /** As {@link NodeRuntime#notReady}. */
  Optional<String> notReady() {
    NodeRuntime open;
    synchronized (this) {
      open = runtime;
    }
    return open == null
        ? Optional.of("a fault of the disk is being dealt with: see the node's log")
        : open.notReady();
  }

  private void open() throws StartException, IOException {
    synchronized (steps) {
      openAlone();
    }
  }

  private void openAlone() throws StartException, IOException {
    long number;
    synchronized (this) {
      number = ++run;
    }
    NodeRuntime opened;
    try {
      opened = opening.open(fault -> met(fault, number));
    } catch (LogLostException e) {
      LostLog.setAside(folder, e);
      opened = opening.open(fault -> met(fault, number));
    }
    synchronized (this) {
      runtime = opened;
      router.serve(opened.router());
    }
  }

  private void met(NodeFault fault, long number) {
    if (fault.kind() == NodeFault.Kind.DISK_FAILED) {
      log.error(
          "the disk of {} failed, or an fsync on it: what is on it now nobody can tell, so this process ends"
              + " with status {}. The other nodes go on. Look at the disk, then start the node again",
          folder,
          NodeMain.STATUS_DISK_FAILED,
          fault.cause());
      end.accept(NodeMain.STATUS_DISK_FAILED);
      return;
    }
    if (fault.kind() == NodeFault.Kind.ROUND_FAILED) {
      log.error(
          "a round of this node's groups failed, which is a bug and no fault of the disk: this process ends with"
              + " status {}. The other nodes go on. Report the bug with what follows, then start the node again",
          NodeMain.STATUS_FAILED,
          fault.cause());
      end.accept(NodeMain.STATUS_FAILED);
      return;
    }
    if (fault.kind() == NodeFault.Kind.OTHER_RUN) {
      log.error("this process ends with status {}: {}", NodeMain.STATUS_NOT_STARTED, cause(fault));
      end.accept(NodeMain.STATUS_NOT_STARTED);
      return;
    }
    synchronized (this) {
      if (stopped || number != run) {
        return;
      }
      run++; // what else this runtime says is of no interest
    }
    log.error("{}: everything is closed, and opened anew", what(fault), fault.cause());
    repairs.execute(() -> repair(fault));
  }

  private static String cause(NodeFault fault) {
    return String.valueOf(fault.cause().getMessage());
  }

  private static String what(NodeFault fault) {
    return switch (fault.kind()) {
      case NO_ROOM -> "the disk is full";
      case LOG_DAMAGED -> "the write-ahead log is damaged";
      case OLDER_COPY -> "the data folder is an older copy";
      case OTHER_RUN -> "another process runs with this node's identity";
      case DISK_FAILED -> "the disk failed";
      case ROUND_FAILED -> "a round of the groups failed";
    };
  }

  private void repair(NodeFault fault) {
    boolean more;
    synchronized (steps) {
      more = closeFor(fault);
    }
    openWhenThereIsRoom(more);
  }

  /** Closes; whether there is more room than the disk shows, for an opening at once. */
  private boolean closeFor(NodeFault fault) {
    NodeRuntime closing;
    synchronized (this) {
      closing = runtime;
      runtime = null;
    }
    router.refuse(what(fault));
    if (closing != null) {
      closing.close();
    }
    try {
      if (fault.kind() == NodeFault.Kind.NO_ROOM) {
        return room.releaseBallast();
      } else {
        LogFolder.condemn(folder.resolve(NodeRuntime.LOG), String.valueOf(fault.cause()));
      }
    } catch (IOException e) {
      log.error("the disk does not let itself be written", e);
    }
    return true; // a damaged log needs none to be set aside
  }

  /**
   * @param tryNow whether to try however little room there is: reads and deletes would go on
   */
  private void openWhenThereIsRoom(boolean tryNow) {
    synchronized (this) {
      if (stopped) {
        return;
      }
    }
    NodeReport.Room now = room.look();
    try {
      if (now.low() && !tryNow) {
        later();
        return;
      }
      open();
      failedOpenings = 0;
      log.info("everything is open again");
    } catch (StartException e) {
      log.error("cannot go on: {}", e.getMessage());
      end.accept(NodeMain.STATUS_NOT_STARTED);
    } catch (IOException | RuntimeException e) {
      if (NodeFault.of(e).kind() == NodeFault.Kind.NO_ROOM) {
        later();
      } else if (++failedOpenings < OPENINGS_MAX) {
        log.warn("cannot be opened anew, trying again: {}", e.toString());
        later();
      } else {
        log.error("cannot be opened anew", e);
        end.accept(NodeMain.STATUS_FAILED);
      }
    }
  }

  private void later() {
    repairs.schedule(() -> openWhenThereIsRoom(false), LOOK_EVERY_MILLIS, TimeUnit.MILLISECONDS);
  }

  /** Hands over what this node leads. */
  void handOver() {
    NodeRuntime open;
    synchronized (this) {
      open = runtime;
    }
    if (open != null) {
      open.handOver();
    }
  }

  @Override
  public void close() {
    NodeRuntime open;
    synchronized (this) {
      stopped = true;
      open = runtime;
      runtime = null;
    }
    repairs.shutdownNow();
    if (open != null) {
      open.close();
    }
  }
}
