// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.fault;

import static org.awaitility.Awaitility.await;

import dev.cairn.testkit.NodeProcess;
import dev.cairn.testkit.ProcessCluster;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Faults of disks that need no more than files of ours: what was on one is not there any more, or
 * not as it was. Those of one file are over when the node has noticed it and was taken in again:
 * before that, nothing may be taken from another node, or what both had would be gone.
 */
public final class DiskFaults {
  private static final Duration NOTICED_MAX = Duration.ofSeconds(60);
  private static final int TABLE_BYTES_MIN = 2_000;

  private DiskFaults() {}

  /** All of them. */
  public static List<Fault> all() {
    return List.of(emptied(), cutLog(), flippedLog(), flippedData());
  }

  /**
   * SIGKILL, and the node comes back with an empty disk: it votes nowhere until the cluster has
   * taken it in again.
   */
  public static Fault emptied() {
    return new Fault() {
      @Override
      public String name() {
        return "emptied disk";
      }

      @Override
      public void begin(ProcessCluster cluster, int node) {
        cluster.kill(node);
        cluster.wipe(node);
      }

      @Override
      public void heal(ProcessCluster cluster, int node) {
        cluster.start(node);
      }
    };
  }

  /** SIGKILL, and the log has lost its end: what was fsynced a while ago is gone. */
  public static Fault cutLog() {
    return new LogDamage("cut log tail") {
      @Override
      void edit(RandomAccessFile bytes, LogSegment segment) throws IOException {
        bytes.setLength(segment.middle());
      }
    };
  }

  /** SIGKILL, and one bit of the log is another. */
  public static Fault flippedLog() {
    return new LogDamage("flipped bit in the log") {
      @Override
      void edit(RandomAccessFile bytes, LogSegment segment) throws IOException {
        flip(bytes, segment.middle() + LogSegment.HEADER_BYTES);
      }
    };
  }

  /** The node stops and starts, and one bit of a table of its data is another. */
  public static Fault flippedData() {
    return new Damage("flipped bit in the data", "is rebuilt from another replica") {
      @Override
      void end(ProcessCluster cluster, int node) {
        cluster.stop(node); // which writes all data into tables
      }

      @Override
      Optional<Path> damage(NodeProcess node) {
        Optional<Path> file =
            largest(node.data().resolve("partitions"), ".sst")
                .filter(path -> path.toFile().length() > TABLE_BYTES_MIN);
        file.ifPresent(path -> edit(path, bytes -> flip(bytes, bytes.length() / 4)));
        return file;
      }
    };
  }

  /** One file of a node is not as it was; the node must notice it, and say so. */
  private abstract static class Damage implements Fault {
    private final String name;
    private final String notice;
    private boolean damaged;
    private long noticesBefore;

    Damage(String name, String notice) {
      this.name = name;
      this.notice = notice;
    }

    @Override
    public String name() {
      return name;
    }

    void end(ProcessCluster cluster, int node) {
      cluster.kill(node);
    }

    /** Damages a file of a node that does not run; empty when it has none yet. */
    abstract Optional<Path> damage(NodeProcess node);

    @Override
    public void begin(ProcessCluster cluster, int node) {
      end(cluster, node);
      noticesBefore = notices(cluster, node);
      damaged = damage(cluster.node(node)).isPresent();
    }

    @Override
    public void heal(ProcessCluster cluster, int node) {
      cluster.start(node);
      if (damaged) {
        await(name + " to be noticed by node " + node)
            .atMost(NOTICED_MAX)
            .until(() -> notices(cluster, node) > noticesBefore);
      }
    }

    private long notices(ProcessCluster cluster, int node) {
      return cluster.node(node).log().lines().filter(line -> line.contains(notice)).count();
    }
  }

  /**
   * Damage to a log below its mark. What is above the mark is up to a second old, and a log that
   * lost only that cannot be told from one that a crash cut off.
   */
  private abstract static class LogDamage extends Damage {
    private static final long MARKED_AFTER_MILLIS = 2_500;

    private Optional<LogSegment> segment = Optional.empty();

    LogDamage(String name) {
      super(name, "comes back as a new one");
    }

    /** Damages one of the batches that a segment had when it was looked at. */
    abstract void edit(RandomAccessFile bytes, LogSegment segment) throws IOException;

    @Override
    void end(ProcessCluster cluster, int node) {
      segment = LogSegment.newest(cluster.node(node).data().resolve("store.log"));
      try {
        Thread.sleep(MARKED_AFTER_MILLIS); // the mark passes what is there now
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      super.end(cluster, node);
    }

    /** Nothing when the file was deleted or used again meanwhile. */
    @Override
    Optional<Path> damage(NodeProcess node) {
      Optional<LogSegment> found = segment.filter(LogSegment::isThere);
      found.ifPresent(at -> DiskFaults.edit(at.file(), bytes -> edit(bytes, at)));
      return found.map(LogSegment::file);
    }
  }

  private interface Edit {
    void on(RandomAccessFile bytes) throws IOException;
  }

  private static void edit(Path path, Edit edit) {
    try (RandomAccessFile bytes = new RandomAccessFile(path.toFile(), "rw")) {
      edit.on(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void flip(RandomAccessFile bytes, long offset) throws IOException {
    bytes.seek(offset);
    int old = bytes.read();
    bytes.seek(offset);
    bytes.write(old ^ 1);
  }

  private static Optional<Path> largest(Path folder, String end) {
    try (Stream<Path> files = Files.walk(folder)) {
      return files
          .filter(file -> file.toString().endsWith(end))
          .filter(file -> file.toFile().length() > 0)
          .max(Comparator.comparingLong(file -> file.toFile().length()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
