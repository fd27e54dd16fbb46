// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.fault;

import dev.cairn.testkit.Surroundings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A wall clock for each node, by libfaketime, that can be set while the node runs. The monotonic
 * clock is left alone, as when an operator or NTP sets the time. Needs Linux and libfaketime.
 */
public final class WallClocks implements Surroundings {
  private final Path library;
  private final Map<Integer, Path> files = new ConcurrentHashMap<>();
  private final Map<Integer, Duration> offsets = new ConcurrentHashMap<>();

  private WallClocks(Path library) {
    this.library = library;
  }

  /** Finds libfaketime; right clocks at first. */
  public static WallClocks right() {
    return new WallClocks(Tools.find(Path.of("/usr/lib"), "faketime/libfaketimeMT.so.1"));
  }

  @Override
  public void prepare(int node, Path data, ProcessBuilder builder) {
    // Not on the node's disk: that may be full.
    Path disk = data.getParent();
    files.put(node, disk.resolveSibling(disk.getFileName() + ".clock"));
    set(node, offsets.getOrDefault(node, Duration.ZERO));
    Surroundings.preload(builder, library);
    builder.environment().put("FAKETIME_TIMESTAMP_FILE", files.get(node).toString());
    builder.environment().put("FAKETIME_NO_CACHE", "1");
    builder.environment().put("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    // Its repair of timed waits on the monotonic clock makes a JVM of glibc 2.34 and later hang.
    builder.environment().put("FAKETIME_FORCE_MONOTONIC_FIX", "0");
    builder.environment().put("FAKETIME_DONT_RESET", "1");
  }

  /** Sets a node's clock so far ahead of the right time; negative for behind it. */
  public void set(int node, Duration ahead) {
    offsets.put(node, ahead);
    Path file = files.get(node);
    Path next = file.resolveSibling(file.getFileName() + ".next");
    try {
      Files.writeString(next, "%+d\n".formatted(ahead.toSeconds()));
      Files.move(next, file, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
