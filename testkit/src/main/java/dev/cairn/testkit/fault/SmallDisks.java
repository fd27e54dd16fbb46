// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.fault;

import dev.cairn.testkit.Surroundings;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A file system of its own for each node's disk, in memory and small enough to be filled. Needs
 * Linux and root.
 */
public final class SmallDisks implements Surroundings {
  private static final String FILL = "fill";

  private final int mebibytes;
  private final Map<Integer, Path> mounts = new ConcurrentHashMap<>();
  private boolean closed; // guarded by this

  private SmallDisks(int mebibytes) {
    this.mebibytes = mebibytes;
  }

  /** Disks of that size. */
  public static SmallDisks of(int mebibytes) {
    SmallDisks disks = new SmallDisks(mebibytes);
    AtExit.add(disks);
    return disks;
  }

  @Override
  public synchronized void prepare(int node, Path data, ProcessBuilder builder) {
    if (closed) {
      throw new IllegalStateException("these disks are gone");
    }
    mounts.computeIfAbsent(
        node,
        first -> {
          Path disk = data.getParent();
          try {
            Files.createDirectories(disk);
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
          Tools.run(
              "mount",
              "-t",
              "tmpfs",
              "-o",
              "size=" + mebibytes + "m,mode=700",
              "cairn",
              disk.toString());
          return disk;
        });
  }

  /** How many bytes a node can still write. */
  public long freeBytes(int node) {
    try {
      return Files.getFileStore(mounts.get(node)).getUsableSpace();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Somebody else's file takes all of a node's disk but so much. */
  public void fillUpTo(int node, long leftBytes) {
    byte[] piece = new byte[64 << 10];
    try (OutputStream file = Files.newOutputStream(mounts.get(node).resolve(FILL))) {
      for (long more = freeBytes(node) - leftBytes; more > 0; more -= piece.length) {
        file.write(piece, 0, (int) Math.min(more, piece.length));
      }
    } catch (IOException full) {
      if (!String.valueOf(full.getMessage()).contains("No space left on device")) {
        throw new UncheckedIOException(full);
      }
    }
  }

  /** Somebody removes that file. */
  public void free(int node) {
    try {
      Files.deleteIfExists(mounts.get(node).resolve(FILL));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    mounts.values().forEach(mount -> Tools.run("umount", "-l", mount.toString()));
    mounts.clear();
    AtExit.remove(this);
  }
}
