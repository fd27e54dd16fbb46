// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.fault;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What {@code diskshim.c} wrote down of one node's folder: what of it would be on disk if the power
 * failed now. The grammar stands there. Read while the node's process is not running.
 */
final class ShimJournal {
  private static final String NOTHING = "-";

  /** As little as a disk writes at once. */
  private static final int SECTOR_BYTES = 512;

  private final Path file;
  private final Path kept;
  private final Path before;

  /** Bytes that are on disk for certain, by inode. */
  private final Map<Long, Long> lengths = new HashMap<>();

  /** Names that were changed and may be as before, oldest first. */
  private final List<Change> changes = new ArrayList<>();

  /** Writes before those bytes that may not be on disk, oldest first. */
  private final List<Overwrite> overwrites = new ArrayList<>();

  private final List<String> unmodelled = new ArrayList<>();

  /**
   * A change of a name whose folder was not fsynced since.
   *
   * @param kind C, M, R or U
   * @param from what a moved file was called before
   * @param path the name
   * @param kept what the name stood for before, by number; "-" for nothing
   */
  private record Change(char kind, String from, String path, String kept) {
    String line() {
      return switch (kind) {
        case 'R' -> "R " + from + "\t" + path + "\t" + kept;
        case 'U' -> "U " + path + "\t" + kept;
        default -> kind + " " + path;
      };
    }
  }

  /**
   * Bytes that took the place of others in a file that was not fsynced since.
   *
   * @param place where the others are in the file {@code before}
   */
  private record Overwrite(long inode, long number, long offset, int count, long place) {
    static Overwrite of(String[] words) {
      return new Overwrite(
          Long.parseLong(words[0]),
          Long.parseLong(words[1]),
          Long.parseLong(words[2]),
          Integer.parseInt(words[3]),
          Long.parseLong(words[4]));
    }

    String line() {
      return "W " + inode + " " + number + " " + offset + " " + count + " " + place;
    }
  }

  private ShimJournal(Path state, Path kept) {
    before = state.resolve("before");
    file = state.resolve("journal");
    this.kept = kept;
  }

  static ShimJournal read(Path state, Path kept) throws IOException {
    ShimJournal journal = new ShimJournal(state, kept);
    if (Files.exists(journal.file)) {
      for (String line : Files.readAllLines(journal.file, StandardCharsets.UTF_8)) {
        journal.take(line);
      }
    }
    return journal;
  }

  /** Of a folder that is no more, nothing can come back. */
  static void forget(Path state, Path kept) throws IOException {
    ShimJournal journal = new ShimJournal(state, kept);
    journal.begin();
  }

  private void begin() throws IOException {
    Files.deleteIfExists(file);
    Files.deleteIfExists(before);
    for (Path path : files(kept)) {
      Files.delete(path);
    }
  }

  private void take(String line) {
    String rest = line.substring(2);
    String[] columns = rest.split("\t", -1);
    switch (line.charAt(0)) {
      case 'N' -> {
        lengths.put(number(rest), 0L);
        onDisk(number(rest), Long.MAX_VALUE); // of what stood there nothing is left
      }
      case 'S' -> lengths.put(number(rest), Long.parseLong(rest.substring(rest.indexOf(' ') + 1)));
      case 'C', 'M' -> changes.add(new Change(line.charAt(0), "", rest, NOTHING));
      case 'R' -> changes.add(new Change('R', columns[0], columns[1], columns[2]));
      case 'U' -> changes.add(new Change('U', "", columns[0], columns[1]));
      case 'D' ->
          changes.removeIf(change -> Path.of(change.path()).getParent().equals(Path.of(rest)));
      case 'W' -> overwrites.add(Overwrite.of(rest.split(" ")));
      case 'F' -> onDisk(number(rest), Long.parseLong(rest.substring(rest.indexOf(' ') + 1)));
      case 'X' -> unmodelled.add(rest);
      default -> throw new IllegalStateException("the shim wrote '" + line + "'");
    }
  }

  private void onDisk(long inode, long upTo) {
    overwrites.removeIf(each -> each.inode() == inode && each.number() <= upTo);
  }

  private static long number(String text) {
    return Long.parseLong(text.substring(0, text.indexOf(' ')));
  }

  /** Drops what does not matter any more, before another run of the node goes on with it. */
  void prune(Path data) throws IOException {
    Set<Long> inodes = new HashSet<>();
    for (Path root : List.of(data, kept)) {
      for (Path path : files(root)) {
        inodes.add(inode(path));
      }
    }
    List<String> lines = new ArrayList<>();
    lengths.forEach(
        (inode, length) -> {
          if (inodes.contains(inode)) {
            lines.add("S " + inode + " " + length);
          }
        });
    changes.forEach(change -> lines.add(change.line()));
    overwrites.stream()
        .filter(each -> inodes.contains(each.inode()))
        .forEach(each -> lines.add(each.line()));
    unmodelled.forEach(line -> lines.add("X " + line));
    Path next = file.resolveSibling("journal.next");
    Files.write(next, lines);
    Files.move(next, file, StandardCopyOption.REPLACE_EXISTING);
    Set<String> needed = new HashSet<>();
    changes.forEach(change -> needed.add(change.kept()));
    for (Path path : files(kept)) {
      if (!needed.contains(path.getFileName().toString())) {
        Files.delete(path);
      }
    }
  }

  /**
   * Makes the folder what its disk would hold after a power failure: names as at their folder's
   * last fsync, files as at their own. Of what came since, a disk keeps what it likes: some files
   * keep a part of what is behind, some keep sectors that were written anew.
   */
  void goBack(Path data, Random random) throws IOException {
    for (String line : unmodelled) {
      Path path = Path.of(line.substring(line.indexOf(' ') + 1));
      // What was damaged by a test is repaired by its owner, and set aside: then it is no loss.
      if (Files.exists(path) && inode(path) == number(line)) {
        throw new IllegalStateException("cut before its fsynced length: " + line);
      }
    }
    putBytesBack(data, random);
    Deque<Change> latestFirst = new ArrayDeque<>();
    changes.forEach(latestFirst::push);
    for (Change change : latestFirst) {
      undo(change);
    }
    for (Path path : files(data)) {
      Long length = lengths.get(inode(path));
      long size = Files.size(path);
      if (length != null && length >= 0 && size > length) {
        long torn = random.nextBoolean() ? 0 : random.nextLong(size - length + 1);
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
          channel.truncate(length + torn);
        }
      }
    }
    begin();
  }

  private void undo(Change change) throws IOException {
    Path path = Path.of(change.path());
    switch (change.kind()) {
      case 'C' -> Files.deleteIfExists(path);
      case 'M' -> deleteTree(path);
      case 'R' -> {
        Path from = Path.of(change.from());
        if (Files.exists(path) && !Files.exists(from)) {
          Files.createDirectories(from.getParent());
          Files.move(path, from);
          putBack(change, path);
        }
      }
      case 'U' -> {
        if (!Files.exists(path)) {
          putBack(change, path);
        }
      }
      default -> throw new IllegalStateException(change.line());
    }
  }

  private void putBytesBack(Path data, Random random) throws IOException {
    if (overwrites.isEmpty()) {
      return;
    }
    Map<Long, Path> paths = new HashMap<>();
    for (Path root : List.of(kept, data)) {
      for (Path path : files(root)) {
        paths.put(inode(path), path);
      }
    }
    Map<Long, List<Overwrite>> byFile =
        overwrites.stream().collect(Collectors.groupingBy(Overwrite::inode));
    try (FileChannel old = FileChannel.open(before, StandardOpenOption.READ)) {
      for (Map.Entry<Long, List<Overwrite>> each : byFile.entrySet()) {
        if (paths.containsKey(each.getKey())) {
          putBytesBack(paths.get(each.getKey()), each.getValue(), old, random);
        }
      }
    }
  }

  /** Latest first; a sector that the disk has kept stays as it was when it was kept. */
  private static void putBytesBack(
      Path path, List<Overwrite> oldestFirst, FileChannel old, Random random) throws IOException {
    boolean torn = random.nextBoolean();
    Set<Long> keptSectors = new HashSet<>();
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
      for (int i = oldestFirst.size() - 1; i >= 0; i--) {
        Overwrite each = oldestFirst.get(i);
        for (int done = 0; done < each.count(); ) {
          long at = each.offset() + done;
          int part = (int) Math.min(each.count() - done, SECTOR_BYTES - at % SECTOR_BYTES);
          if (torn && random.nextBoolean()) {
            keptSectors.add(at / SECTOR_BYTES);
          }
          if (!keptSectors.contains(at / SECTOR_BYTES)) {
            ByteBuffer bytes = ByteBuffer.allocate(part);
            if (old.read(bytes, each.place() + done) != part) {
              throw new IllegalStateException("old bytes are missing: " + each);
            }
            channel.write(bytes.flip(), at);
          }
          done += part;
        }
      }
    }
  }

  private void putBack(Change change, Path path) throws IOException {
    if (!change.kept().equals(NOTHING)) {
      Files.createDirectories(path.getParent());
      Files.createLink(path, kept.resolve(change.kept()));
    }
  }

  private static void deleteTree(Path root) throws IOException {
    if (Files.exists(root)) {
      try (Stream<Path> paths = Files.walk(root)) {
        for (Path path : paths.sorted((a, b) -> b.compareTo(a)).toList()) {
          Files.delete(path);
        }
      }
    }
  }

  private static List<Path> files(Path root) throws IOException {
    try (Stream<Path> paths = Files.walk(root)) {
      return paths.filter(Files::isRegularFile).toList();
    } catch (NoSuchFileException nothing) {
      return List.of();
    }
  }

  private static long inode(Path path) throws IOException {
    return (Long) Files.getAttribute(path, "unix:ino");
  }
}
