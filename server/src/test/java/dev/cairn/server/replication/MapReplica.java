// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.replication;

import dev.cairn.replication.Codec;
import dev.cairn.server.raft.GroupListener;
import dev.cairn.server.raft.Peer;
import dev.cairn.server.raft.Proposal;
import dev.cairn.server.raft.SnapshotHost;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * A state machine that is a map of log index to entry, and what it was told. What it holds counts
 * as durable once it was saved; {@link #crash} forgets the rest.
 */
final class MapReplica implements GroupListener, SnapshotHost {
  private static final String ROW = "row";

  private final Path folder;
  final AtomicInteger incomings = new AtomicInteger();
  final AtomicInteger checkpointsToFail = new AtomicInteger();
  private final AtomicInteger checkpoints = new AtomicInteger();
  private SortedMap<Long, String> entries = new TreeMap<>(); // guarded by this, as all below
  private Row row = new Row(0, 0, 0);
  private SortedMap<Long, String> savedEntries = new TreeMap<>();
  private Row savedRow = new Row(0, 0, 0);
  private byte[] meta;
  private long told; // of which entry last; none may be left out
  private long leadsIn;
  private List<Peer> voters = List.of();
  private Throwable failure;

  /** A proposal that says what became of it. */
  static final class Asked extends CompletableFuture<String> implements Proposal {
    @Override
    public void refused(String reason) {
      complete("refused");
    }

    @Override
    public void unknown(String reason) {
      complete("unknown");
    }
  }

  MapReplica(Path folder) {
    this.folder = folder;
  }

  synchronized SortedMap<Long, String> entries() {
    return new TreeMap<>(entries);
  }

  synchronized long leadsIn() {
    return leadsIn;
  }

  synchronized List<Peer> voters() {
    return voters;
  }

  synchronized Throwable failure() {
    return failure;
  }

  synchronized void crash() {
    entries = new TreeMap<>(savedEntries);
    row = savedRow;
    told = Math.max(row.index(), meta == null ? 0 : Codec.reference(meta).index());
    leadsIn = 0;
  }

  @Override
  public void apply(Entry entry) {
    synchronized (this) {
      toldUpTo(entry.index());
      if (entry.index() <= row.index()) {
        return;
      }
      entries.put(entry.index(), new String(entry.data(), StandardCharsets.UTF_8));
      row = new Row(entry.index(), entry.term(), row.durableIndex());
    }
    entry.proposal().ifPresent(proposal -> ((Asked) proposal).complete("applied"));
  }

  @Override
  public void applied() {}

  @Override
  public synchronized void leaderStarted(long term) {
    leadsIn = term;
  }

  @Override
  public synchronized void leaderStopped() {
    leadsIn = 0;
  }

  @Override
  public void followingStarted(Peer leader, long term) {}

  @Override
  public void followingStopped() {}

  @Override
  public synchronized void configurationCommitted(Configuration now) {
    toldUpTo(now.index());
    if (!now.isJoint()) {
      voters = now.voters();
    }
  }

  @Override
  public synchronized void passed(long index, long term) {
    toldUpTo(index);
  }

  private void toldUpTo(long index) {
    if (index > told + 1) {
      throw new IllegalStateException("told of entry " + index + " behind " + told);
    }
    told = Math.max(told, index);
  }

  @Override
  public synchronized void save(SnapshotPoint point, Consumer<Optional<String>> done) {
    savedEntries = new TreeMap<>(entries);
    savedRow = new Row(row.index(), row.term(), row.index());
    row = savedRow;
    done.accept(Optional.empty());
  }

  @Override
  public synchronized boolean load(SnapshotPoint point, Optional<Path> received, byte[] received2)
      throws IOException {
    SortedMap<Long, String> loaded = new TreeMap<>();
    try (Stream<Path> files = Files.list(received.orElseThrow())) {
      for (Path file : files.toList()) {
        String name = file.getFileName().toString();
        if (!name.equals(ROW)) {
          loaded.put(Long.parseLong(name), Files.readString(file));
        }
      }
    }
    String[] at = Files.readString(received.get().resolve(ROW)).split(" ");
    long index = Long.parseLong(at[0]);
    entries = loaded;
    told = point.index();
    row = new Row(index, Long.parseLong(at[1]), index);
    savedEntries = new TreeMap<>(entries);
    savedRow = row;
    meta = received2;
    return index <= point.index();
  }

  @Override
  public synchronized void failed(Throwable cause) {
    failure = cause;
  }

  @Override
  public synchronized Optional<byte[]> durableMeta() {
    return Optional.ofNullable(meta);
  }

  @Override
  public synchronized void saveMeta(byte[] saved) {
    meta = saved;
  }

  @Override
  public synchronized Path checkpoint() throws IOException {
    if (checkpointsToFail.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
      throw new IOException("no checkpoint, as the test wants it");
    }
    Path target = folder.resolve("checkpoint-" + checkpoints.incrementAndGet());
    Files.createDirectories(target);
    for (var entry : entries.entrySet()) {
      Files.writeString(target.resolve(Long.toString(entry.getKey())), entry.getValue());
    }
    Files.writeString(target.resolve(ROW), row.index() + " " + row.term());
    return target;
  }

  @Override
  public void deleteCheckpoint(Path checkpoint) throws IOException {
    deleteIncoming(checkpoint);
  }

  @Override
  public Path newIncoming() throws IOException {
    Path target = folder.resolve("incoming-" + incomings.incrementAndGet());
    Files.createDirectories(target);
    return target;
  }

  @Override
  public void deleteIncoming(Path incoming) throws IOException {
    try (Stream<Path> files = Files.list(incoming)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(incoming);
  }

  static void deleteAll(Path root) throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  @Override
  public synchronized Row row() {
    return row;
  }
}
