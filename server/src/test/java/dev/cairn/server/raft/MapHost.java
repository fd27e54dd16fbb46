// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/** Data that is a map of log index to entry; what it holds counts as durable. */
final class MapHost implements SnapshotHost {
  private final Path folder;
  private final boolean holdsData;
  final AtomicInteger checkpoints = new AtomicInteger();
  final AtomicInteger incomings = new AtomicInteger();
  volatile Runnable onIncoming = () -> {};
  private SortedMap<Long, byte[]> entries = new TreeMap<>(); // guarded by this
  private long applied; // guarded by this
  private volatile byte[] meta;

  MapHost(Path folder, boolean holdsData) {
    this.folder = folder;
    this.holdsData = holdsData;
  }

  synchronized void apply(long index, byte[] data) {
    if (index > applied) {
      entries.put(index, data);
      applied = index;
    }
  }

  synchronized SortedMap<Long, byte[]> entries() {
    return new TreeMap<>(entries);
  }

  synchronized long applied() {
    return applied;
  }

  /** Takes a received folder over. */
  synchronized void install(Path received, byte[] receivedMeta) throws IOException {
    SortedMap<Long, byte[]> loaded = new TreeMap<>();
    try (Stream<Path> files = Files.list(received)) {
      for (Path file : files.toList()) {
        String name = file.getFileName().toString();
        if (name.startsWith("entry-")) {
          loaded.put(Long.parseLong(name.substring(6)), Files.readAllBytes(file));
        }
      }
    }
    applied = Long.parseLong(Files.readString(received.resolve("applied")));
    entries = loaded;
    meta = receivedMeta;
    delete(received);
  }

  @Override
  public Optional<byte[]> durableMeta() {
    return Optional.ofNullable(meta);
  }

  @Override
  public void saveMeta(byte[] meta) {
    this.meta = meta;
  }

  @Override
  public synchronized Path checkpoint() throws IOException {
    Path target = folder.resolve("checkpoint").resolve("c" + checkpoints.incrementAndGet());
    Files.createDirectories(target);
    for (var entry : entries.entrySet()) {
      Files.write(target.resolve("entry-" + entry.getKey()), entry.getValue());
    }
    Files.writeString(target.resolve("applied"), Long.toString(applied));
    Files.createFile(target.resolve("empty.log"));
    return target;
  }

  @Override
  public void deleteCheckpoint(Path checkpoint) throws IOException {
    delete(checkpoint);
  }

  @Override
  public Path newIncoming() throws IOException {
    Path target = folder.resolve("incoming").resolve("i" + incomings.incrementAndGet());
    Files.createDirectories(target);
    onIncoming.run();
    return target;
  }

  @Override
  public void deleteIncoming(Path incoming) throws IOException {
    delete(incoming);
  }

  @Override
  public boolean holdsData() {
    return holdsData;
  }

  @Override
  public Row row() {
    return new Row(0, 0, 0);
  }

  /** The checkpoints that were not deleted. */
  Path checkpointFolder() {
    return folder.resolve("checkpoint");
  }

  Path incomingFolder() {
    return folder.resolve("incoming");
  }

  static void delete(Path root) throws IOException {
    if (Files.exists(root)) {
      try (Stream<Path> files = Files.walk(root)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.deleteIfExists(file);
        }
      }
    }
  }
}
