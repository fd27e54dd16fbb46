// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import dev.cairn.server.cluster.NodeReport;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.OptionalLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The room on the disk that holds the data folder, and a ballast file that is kept back for the day
 * on which there is none.
 *
 * <p>Below the low-water mark partitions refuse writes that need room; reads and deletes go on.
 * Whoever else fills the disk may still bring it to nothing. Then even opening a database anew,
 * which writes what its log holds into files, would fail; the ballast is given up for that. It is
 * made again once there is twice the mark and the ballast besides.
 *
 * <p>Thread-safe.
 */
final class DiskRoom {
  static final long LOW_WATER_BYTES_MAX = 1L << 30;
  static final int LOW_WATER_PERCENT = 5;
  private static final long BALLAST_BYTES_MAX = 128L << 20;
  private static final String BALLAST = "ballast";
  private static final int PIECE_BYTES = 1 << 20;
  private static final Logger log = LoggerFactory.getLogger(DiskRoom.class);

  private final Path folder;
  private final long lowWaterBytes;
  private boolean low; // guarded by this
  private volatile NodeReport.Room last = NodeReport.Room.ENOUGH;

  /**
   * Looks at the disk for the first time, and makes the ballast if there is room.
   *
   * @param lowWaterBytes the mark; empty for the default: the lesser of 5 % of the disk and 1 GiB
   */
  static DiskRoom of(Path folder, OptionalLong lowWaterBytes) throws IOException {
    long total = Files.getFileStore(folder).getTotalSpace();
    DiskRoom room =
        new DiskRoom(
            folder,
            lowWaterBytes.orElse(Math.min(LOW_WATER_BYTES_MAX, total / 100 * LOW_WATER_PERCENT)));
    room.look();
    return room;
  }

  private DiskRoom(Path folder, long lowWaterBytes) {
    this.folder = folder;
    this.lowWaterBytes = lowWaterBytes;
  }

  /** What the last look saw. */
  NodeReport.Room room() {
    return last;
  }

  /** Measures. Called about twice a second. */
  synchronized NodeReport.Room look() {
    try {
      long free = Files.getFileStore(folder).getUsableSpace();
      last = new NodeReport.Room(free, lowWaterBytes);
      if (last.low() != low) {
        low = last.low();
        say();
      }
      if (!Files.exists(ballast()) && free > 2 * lowWaterBytes + ballastBytes()) {
        makeBallast();
      }
    } catch (IOException e) {
      log.warn("cannot look how much room there is in {}: {}", folder, e.toString());
    }
    return last;
  }

  private void say() {
    if (low) {
      log.warn(
          "{} MiB are left on the disk of {}, less than {}: writes are refused where they need this"
              + " node. Make room; they are taken again by themselves",
          last.freeBytes() >> 20,
          folder,
          lowWaterBytes >> 20);
    } else {
      log.info("{} MiB are free on the disk of {}: enough again", last.freeBytes() >> 20, folder);
    }
  }

  /** Gives the ballast up, if there is one: what it took can be written now. */
  synchronized boolean releaseBallast() throws IOException {
    boolean released = Files.deleteIfExists(ballast());
    if (released) {
      log.warn("the ballast of {} is given up: {} MiB", folder, ballastBytes() >> 20);
    }
    return released;
  }

  private Path ballast() {
    return folder.resolve(BALLAST);
  }

  private long ballastBytes() {
    return Math.min(BALLAST_BYTES_MAX, lowWaterBytes / 2);
  }

  /** Written, not merely given a length: a file with holes takes no room. */
  private void makeBallast() throws IOException {
    Path unfinished = folder.resolve(BALLAST + ".tmp");
    byte[] piece = new byte[PIECE_BYTES];
    try {
      try (OutputStream out = Files.newOutputStream(unfinished)) {
        for (long left = ballastBytes(); left > 0; left -= piece.length) {
          out.write(piece, 0, (int) Math.min(left, piece.length));
        }
      }
      try (FileChannel file = FileChannel.open(unfinished, StandardOpenOption.WRITE)) {
        file.force(true);
      }
      Files.move(unfinished, ballast());
    } finally {
      Files.deleteIfExists(unfinished);
    }
  }
}
