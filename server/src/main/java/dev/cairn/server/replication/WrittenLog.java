// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.replication;

import dev.cairn.consensus.Configuration;
import dev.cairn.consensus.SnapshotReference;
import dev.cairn.log.Append;
import dev.cairn.log.Base;
import dev.cairn.log.FolderFiles;
import dev.cairn.log.Group;
import dev.cairn.log.Log;
import dev.cairn.log.LogEntry;
import dev.cairn.log.LogException;
import dev.cairn.log.LogFiles;
import dev.cairn.log.LogSettings;
import dev.cairn.log.LogThread;
import dev.cairn.replication.Codec;
import dev.cairn.server.metrics.Metric;
import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.peer.CurrentLoop;
import dev.cairn.server.raft.ForeignLogException;
import dev.cairn.server.raft.LogDamagedException;
import dev.cairn.server.raft.LogLostException;
import dev.cairn.server.raft.NodeLog;
import dev.cairn.server.raft.Peer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.LongPredicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The node's write-ahead log on its disk, with the threads that run it.
 *
 * <p>Invariants: {@link Log}'s. A fault is told once, and after it nothing is acknowledged any
 * more. Whoever waits for the disk is answered: that it is written, that the log has failed or is
 * closed, or that there has been no room for {@link #ROOM_MILLIS_MAX}.
 *
 * <p>Thread-safe.
 */
public final class WrittenLog implements NodeLog {
  private static final Logger LOG = LoggerFactory.getLogger(WrittenLog.class);
  private static final long ROOM_MILLIS_MAX = 2_000;
  private static final long LOOK_MILLIS = 100;

  /** How much of a group's log is read to tell how long all of it is, at each of its places. */
  private static final long SAMPLE_BYTES = 256 << 10;

  private static final int SAMPLES = 3;

  private static final byte[] NONE = {};

  private final Path folder;
  private final String nodeId;
  private final Log log;
  private final LogThread thread;
  private final Consumer<RuntimeException> onFault;
  private final List<Runnable> durableListeners = new CopyOnWriteArrayList<>();
  private final Map<Long, AtomicLong> bytes = new ConcurrentHashMap<>();
  private final Map<String, Seen> transitions = new ConcurrentHashMap<>();
  private final AtomicBoolean faulty = new AtomicBoolean();
  private final Metrics.Latency commits;
  private final Metrics.Count elections;
  private final Object progress = new Object();
  private boolean closed; // guarded by progress

  /** A group's configuration, by its array, and whether it is joint. */
  private record Seen(long group, byte[] configuration, boolean joint) {}

  private WrittenLog(
      Path folder, String nodeId, Log log, Consumer<RuntimeException> onFault, Metrics metrics) {
    this.commits = metrics.latency(Metric.LOG_COMMIT_DURATION);
    this.elections = metrics.counter(Metric.ELECTIONS);
    metrics.gauge(Metric.LOG_DAMAGED, () -> isFaulty() ? 1 : 0);
    this.folder = folder;
    this.nodeId = nodeId;
    this.log = log;
    this.onFault = onFault;
    this.thread =
        new LogThread(
            log,
            new LogThread.Listener() {
              @Override
              public void durable(long sequence) {
                wakeUp();
              }

              @Override
              public void wrote(long nanos) {
                commits.record(nanos);
              }

              @Override
              public void failed(LogException cause) {
                fault(cause);
              }
            });
  }

  /**
   * Opens the log in a folder, or makes a new one.
   *
   * @param folder created when missing
   * @param nodeId of this node, which is in all markers
   * @param onFault told once, a {@link LogDamagedException} or a {@link RoundFailedException}; must
   *     neither block nor close this
   * @param metrics told how long writes take, of elections, and of a fault
   * @throws LogLostException when it holds less than it had synced, or cannot be read
   * @throws ForeignLogException when the folder has a log of the former form or another version;
   *     then nothing was changed
   * @throws IOException when the folder cannot be used
   */
  public static WrittenLog open(
      Path folder, String nodeId, Consumer<RuntimeException> onFault, Metrics metrics)
      throws IOException {
    LogFolder.refuseFormerForm(folder);
    Optional<String> condemned = LogFolder.condemned(folder);
    if (condemned.isPresent()) {
      throw lost(folder, "was found damaged: " + condemned.get(), null);
    }
    try {
      Files.createDirectories(folder);
      LogSettings settings = LogSettings.ofDisk(Files.getFileStore(folder).getTotalSpace());
      return open(folder, nodeId, FolderFiles.open(folder), settings, onFault, metrics);
    } catch (LogException e) {
      throw switch (e.kind()) {
        case DAMAGED -> lost(folder, "is damaged (" + e.getMessage() + ")", e);
        case FOREIGN ->
            throw new ForeignLogException(
                "The write-ahead log in " + folder + ": " + e.getMessage());
        case NO_ROOM -> new IOException("No space left on device for the log in " + folder, e);
        default -> new IOException("the log in " + folder + ": " + e.getMessage(), e);
      };
    }
  }

  /** With other files and bounds, for tests. */
  static WrittenLog open(
      Path folder,
      String nodeId,
      LogFiles files,
      LogSettings settings,
      Consumer<RuntimeException> onFault,
      Metrics metrics)
      throws IOException {
    Log log = Log.open(new MeasuredFiles(files, metrics), settings, new SecureRandom());
    return new WrittenLog(folder, nodeId, log, onFault, metrics);
  }

  private static LogLostException lost(Path folder, String what, Throwable cause) {
    return new LogLostException(
        "The write-ahead log in "
            + folder
            + " "
            + what
            + ": entries and votes that this node had acknowledged are lost, so it must not vote"
            + " with what is left.",
        cause);
  }

  private void wakeUp() {
    durableListeners.forEach(Runnable::run);
    synchronized (progress) {
      progress.notifyAll();
    }
  }

  /** Stops all that is acknowledged by this log. That its owner has closed it is no fault. */
  void fault(LogException cause) {
    if (cause.kind() != LogException.Kind.CLOSED && faulty.compareAndSet(false, true)) {
      LOG.error("the write-ahead log in {} has failed", folder, cause);
      onFault.accept(damage(cause.getMessage(), cause));
    }
    synchronized (progress) {
      progress.notifyAll();
    }
  }

  /** Stops all that is acknowledged by this log, since what is written cannot be trusted. */
  void fault(RoundFailedException bug) {
    if (faulty.compareAndSet(false, true)) {
      LOG.error("what is to be written to {} cannot be trusted", folder, bug);
      onFault.accept(bug);
    }
  }

  boolean isFaulty() {
    return faulty.get();
  }

  private static LogDamagedException damage(String message, LogException cause) {
    LogDamagedException.Kind kind =
        switch (cause.kind()) {
          case NO_ROOM -> LogDamagedException.Kind.NO_ROOM;
          case DAMAGED -> LogDamagedException.Kind.DAMAGED;
          case FAILED, FOREIGN, BUSY, CLOSED -> LogDamagedException.Kind.FAILED;
        };
    return new LogDamagedException(kind, message, cause);
  }

  /** This node stands for election in one of its groups. */
  void stands() {
    elections.increment();
  }

  /** The log itself. */
  Log log() {
    return log;
  }

  /** Tells whenever more is on disk; called on the log's thread, must not wait. */
  void onDurable(Runnable listener) {
    durableListeners.add(listener);
  }

  // ---- What the node asks ----

  @Override
  public long incarnation(String group) {
    return log.group(GroupNumbers.of(group))
        .filter(each -> each.marker().length > 0)
        .map(each -> Codec.peer(each.marker()).incarnation())
        .orElse(0L);
  }

  /**
   * Refuses a log that has nothing of a group that this node had: its folder was deleted.
   *
   * @throws LogLostException when the group has no marker
   */
  public void requireGroup(String group) throws LogLostException {
    if (incarnation(group) == 0) {
      throw lost(folder, "is gone", null);
    }
  }

  @Override
  public void writeIncarnation(String group, long incarnation) {
    long number = GroupNumbers.of(group);
    byte[] marker = Codec.bytesOf(new dev.cairn.consensus.Peer(nodeId, incarnation));
    awaitWritten(new Append().remove(number).marker(number, marker));
    bytes.remove(number);
  }

  /** Writes down with which members a group begins; it has nothing yet. */
  void found(long group, Configuration configuration) {
    awaitWritten(new Append().reset(group, new Base(0, 0, 0, Codec.bytesOf(configuration))));
  }

  /** Appends, and waits until that is on disk. */
  private void awaitWritten(Append append) {
    CurrentLoop.willWait();
    long untilNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(ROOM_MILLIS_MAX);
    try {
      long sequence = taken(append, untilNanos);
      synchronized (progress) {
        while (log.durable() < sequence) {
          refuseWaiting(untilNanos);
          progress.wait(LOOK_MILLIS);
        }
      }
    } catch (LogException e) {
      if (e.kind() == LogException.Kind.CLOSED) {
        throw new IllegalStateException("the write-ahead log is closed", e);
      }
      fault(e);
      throw damage("the write-ahead log cannot be written: " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while the log was written", e);
    }
  }

  /** Its number, once there is no more before it than the log holds. */
  private long taken(Append append, long untilNanos) throws InterruptedException {
    while (true) {
      try {
        return log.append(append);
      } catch (LogException e) {
        if (e.kind() != LogException.Kind.BUSY) {
          throw e;
        }
      }
      synchronized (progress) {
        refuseWaiting(untilNanos);
        progress.wait(LOOK_MILLIS);
      }
    }
  }

  /** The caller holds the lock of progress. */
  private void refuseWaiting(long untilNanos) {
    if (log.failure().isPresent()) {
      throw log.failure().get();
    }
    if (closed) {
      throw new LogException(LogException.Kind.CLOSED, "the log is closed");
    }
    if (log.isOutOfRoom() && System.nanoTime() - untilNanos > 0) {
      throw new LogException(LogException.Kind.NO_ROOM, "the disk of the log is full");
    }
  }

  @Override
  public long firstIndex(String group) {
    return log.group(GroupNumbers.of(group)).map(each -> each.base().index() + 1).orElse(1L);
  }

  @Override
  public long lastIndex(String group) {
    return log.group(GroupNumbers.of(group)).map(Group::last).orElse(0L);
  }

  @Override
  public OptionalLong termAt(String group, long index) {
    Group found = log.group(GroupNumbers.of(group)).orElse(null);
    if (found == null || index <= found.base().index() || index > found.last()) {
      return OptionalLong.empty();
    }
    long term = -1;
    for (Group.TermRun run : found.terms()) {
      if (run.first() <= index) {
        term = run.term();
      }
    }
    return OptionalLong.of(term);
  }

  @Override
  public long entryBytes(String group) {
    AtomicLong counted = bytes.get(GroupNumbers.of(group));
    return counted == null ? 0 : counted.get();
  }

  /**
   * Looks how long a group's log is, before more is counted: of a long one an estimate, by entries
   * at three places.
   */
  void opened(String group) {
    long number = GroupNumbers.of(group);
    try {
      log.group(number)
          .ifPresent(found -> bytes.put(number, new AtomicLong(measured(number, found))));
    } catch (LogException e) {
      LOG.debug("group={} cannot be measured; the log's threads tell why", group, e);
    }
  }

  private long measured(long number, Group found) {
    long entries = found.last() - found.base().index();
    long read = 0;
    long readBytes = 0;
    long next = found.base().index() + 1;
    for (int i = 0; i < SAMPLES && next <= found.last(); i++) {
      long from = Math.max(next, found.base().index() + 1 + entries * i / SAMPLES);
      List<LogEntry> sample = log.read(number, from, SAMPLE_BYTES);
      if (sample.isEmpty()) {
        break;
      }
      for (LogEntry entry : sample) {
        readBytes += UnappliedEntries.ENTRY_BYTES + entry.data().length;
      }
      read += sample.size();
      next = from + sample.size();
    }
    return read == 0 ? 0 : (long) ((double) readBytes / read * entries);
  }

  /** Bytes of entries were appended, or let go of where that is negative. */
  void count(long group, long more) {
    bytes
        .computeIfAbsent(group, each -> new AtomicLong())
        .updateAndGet(now -> Math.max(0, now + more));
  }

  /** Asked twice for each confirmation of reads: a configuration is decoded when it changes. */
  @Override
  public boolean votersInTransition(String group) {
    Seen seen = transitions.get(group);
    long number = seen == null ? GroupNumbers.of(group) : seen.group();
    byte[] now = log.configuration(number).orElse(NONE);
    if (seen == null || seen.configuration() != now) {
      seen = new Seen(number, now, now.length > 0 && Codec.configuration(now).isJoint());
      transitions.put(group, seen);
    }
    return seen.joint();
  }

  @Override
  public Set<Peer> voters(String group) {
    return log.group(GroupNumbers.of(group))
        .map(each -> configuration(each, Long.MAX_VALUE).configuration())
        .filter(each -> !each.isJoint())
        .map(each -> Set.copyOf(Members.voters(each)))
        .orElse(Set.of());
  }

  /**
   * The configuration that holds at an index by what is on disk, and where its entry stands.
   *
   * @param index of an entry that the log has or its base
   */
  static SnapshotReference configuration(Group group, long index) {
    Map.Entry<Long, byte[]> entry = group.configurations().floorEntry(index);
    if (entry != null) {
      return new SnapshotReference(index, 0, Codec.configuration(entry.getValue()), entry.getKey());
    }
    Base base = group.base();
    Configuration configuration =
        base.configuration().length == 0
            ? Configuration.NONE
            : Codec.configuration(base.configuration());
    return new SnapshotReference(index, 0, configuration, base.configurationIndex());
  }

  @Override
  public void verify(LongPredicate pace) {
    try {
      log.verify(pace);
    } catch (LogException e) {
      fault(e);
    }
  }

  @Override
  public void close() {
    try {
      thread.close();
    } catch (IOException e) {
      LOG.warn("the write-ahead log in {} could not be closed", folder, e);
    }
    synchronized (progress) {
      closed = true;
      progress.notifyAll();
    }
  }
}
