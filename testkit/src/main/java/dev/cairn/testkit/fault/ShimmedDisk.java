// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.fault;

import dev.cairn.server.storage.DurableFiles;
import dev.cairn.testkit.ProcessCluster;
import dev.cairn.testkit.Surroundings;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Disks that can lose what was not fsynced, and whose calls can be slow or fail: {@code diskshim.c}
 * between each node and its folder. Needs Linux and gcc, no rights.
 *
 * <p>What it notes lies elsewhere, so that a full disk does not stop it. Removed files are kept
 * beside the data folder ({@code FOLDER.shim}), until their folder was fsynced and the node started
 * again, so a small disk fills sooner.
 */
public final class ShimmedDisk implements Surroundings {
  /** {@code EIO}: the disk cannot read or write a place. */
  public static final int EIO = 5;

  /** {@code ENOSPC}: no space left on device. */
  public static final int ENOSPC = 28;

  private static final int CONTROL_BYTES = 4 * Integer.BYTES + 256;
  private static final String SOURCE = "diskshim.c";

  private final Path library;
  private final Path notes;
  private final Map<Integer, Path> folders = new ConcurrentHashMap<>();
  private final Map<Integer, Control> controls = new ConcurrentHashMap<>();

  /** What the calls of a node are told: errors by number, 0 for none. */
  private record Control(int sync, int syncMillis, int read, int write, String only) {
    static final Control NONE = new Control(0, 0, 0, 0, "");
  }

  private ShimmedDisk(Path library, Path notes) {
    this.library = library;
    this.notes = notes;
  }

  /** Compiles the shim. */
  public static ShimmedDisk build() {
    try (InputStream source = ShimmedDisk.class.getResourceAsStream(SOURCE)) {
      Path folder = Files.createTempDirectory("cairn-shim-");
      Path library = folder.resolve("diskshim.so");
      Files.copy(source, folder.resolve(SOURCE), StandardCopyOption.REPLACE_EXISTING);
      Tools.run(
          List.of(
              "gcc",
              "-O2",
              "-Wall",
              "-Werror",
              "-shared",
              "-fPIC",
              "-o",
              library.toString(),
              folder.resolve(SOURCE).toString(),
              "-ldl",
              "-pthread"));
      Files.delete(folder.resolve(SOURCE));
      Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(folder), "testkit-shim"));
      return new ShimmedDisk(library, folder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void prepare(int node, Path data, ProcessBuilder builder) {
    folders.put(node, data);
    try {
      Files.createDirectories(kept(node));
      Files.createDirectories(state(node));
      ShimJournal.read(state(node), kept(node)).prune(data);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    write(node, controls.getOrDefault(node, Control.NONE));
    Surroundings.preload(builder, library);
    builder.environment().put("CAIRN_SHIM_ROOT", data.toAbsolutePath().toString());
    builder.environment().put("CAIRN_SHIM_STATE", state(node).toString());
    builder.environment().put("CAIRN_SHIM_KEPT", kept(node).toString());
  }

  @Override
  public void wiped(int node) {
    try {
      ShimJournal.forget(state(node), kept(node));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Each fsync of a node takes so much longer. */
  public void slowSyncs(int node, int millis) {
    write(node, new Control(0, millis, 0, 0, ""));
  }

  /**
   * Fsyncs of a node fail.
   *
   * @param only those of files whose path contains this; empty for all
   */
  public void failSyncs(int node, int error, String only) {
    write(node, new Control(error, 0, 0, 0, only));
  }

  /** Reads of a node's files fail, as {@link #failSyncs}. */
  public void failReads(int node, int error, String only) {
    write(node, new Control(0, 0, error, 0, only));
  }

  /** Writes to a node's files fail, as {@link #failSyncs}. */
  public void failWrites(int node, int error, String only) {
    write(node, new Control(0, 0, 0, error, only));
  }

  /** All calls of a node work again. What it lost stays lost. */
  public void heal(int node) {
    write(node, Control.NONE);
  }

  /**
   * The power fails at some nodes, all at once: their processes are gone, and their folders hold
   * what was fsynced. They are not started again.
   */
  public void losePower(ProcessCluster cluster, Collection<Integer> nodes, long seed) {
    cluster.kill(nodes);
    Random random = new Random(seed);
    nodes.forEach(node -> losePower(node, random));
  }

  /** The same at one node, whose process is gone already. */
  void losePower(int node, Random random) {
    Path data = folders.get(node);
    try {
      ShimJournal.read(state(node), kept(node)).goBack(data, random);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void write(int node, Control control) {
    controls.put(node, control);
    byte[] only = control.only().getBytes(StandardCharsets.UTF_8);
    ByteBuffer page = ByteBuffer.allocate(CONTROL_BYTES).order(ByteOrder.nativeOrder());
    page.putInt(control.sync()).putInt(control.syncMillis());
    page.putInt(control.read()).putInt(control.write()).put(only);
    try {
      Path file = state(node).resolve("control");
      // In place: the process has the page mapped. The filter first, then what it is for.
      try (FileChannel channel =
          FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
        channel.write(page.slice(16, CONTROL_BYTES - 16), 16);
        channel.write(page.slice(0, 16), 0);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void delete(Path folder) {
    try {
      DurableFiles.deleteTree(folder);
    } catch (IOException e) {
      System.err.println("cannot delete " + folder + ": " + e.getMessage());
    }
  }

  private Path state(int node) {
    String data = Integer.toHexString(folders.get(node).toString().hashCode());
    return notes.resolve(node + "-" + data).toAbsolutePath();
  }

  private Path kept(int node) {
    Path data = folders.get(node).toAbsolutePath();
    return data.resolveSibling(data.getFileName() + ".shim");
  }
}
