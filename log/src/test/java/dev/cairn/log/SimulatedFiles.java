// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.random.RandomGenerator;

/**
 * A folder in memory. It can stop at any step, and then has of the writes that were not synced any
 * subset of sectors, each whole or in part; it can refuse, fail and be full.
 *
 * <p>One thread has it.
 */
public final class SimulatedFiles implements LogFiles {
  /** What a disk writes at once, as far as one may rely on it; it can be torn all the same. */
  private static final int SECTOR_BYTES = 512;

  /** The machine stops. An Error, so that no code under test handles it. */
  public static final class Crash extends Error {
    Crash(String during) {
      super(during);
    }
  }

  /** A write that is not synced. */
  private record Write(int position, byte[] bytes) {}

  /** The bytes of a file: as they would be read now, and as they are on disk. */
  private static final class Content {
    byte[] now;
    byte[] durable;
    final List<Write> unsynced = new ArrayList<>();

    Content(byte[] bytes) {
      now = bytes.clone();
      durable = bytes.clone();
    }
  }

  /** Told of each write before it is done. */
  interface Watcher {
    void write(String name, long position, byte[] bytes);
  }

  private final TreeMap<String, Content> contents = new TreeMap<>();
  private final RandomGenerator random;

  /** Whether a write is on disk when it returns. */
  public boolean direct;

  /** The number of the step at which the machine stops. */
  public long crashAt = Long.MAX_VALUE;

  /** The number of the step that fails. */
  public long failAt = Long.MAX_VALUE;

  /** How many bytes all files may have. */
  public long room = Long.MAX_VALUE;

  /** Fails every read while it is set. */
  boolean unreadable;

  /** Called before each read. */
  Runnable beforeRead = () -> {};

  /** Called after each read. */
  Runnable afterRead = () -> {};

  Watcher watcher = (name, position, bytes) -> {};
  private long steps;
  private boolean stopped;

  /** An empty folder. */
  public SimulatedFiles(RandomGenerator random) {
    this.random = random;
  }

  /** How many steps the disk has done. */
  public long steps() {
    return steps;
  }

  /** What is there after the machine stopped. */
  public SimulatedFiles afterCrash() {
    SimulatedFiles after = new SimulatedFiles(random);
    after.direct = direct;
    after.room = room;
    contents.forEach(
        (name, content) -> {
          byte[] bytes = content.durable.clone();
          double kept = random.nextInt(3) / 2.0;
          for (Write write : content.unsynced) {
            bytes = tear(bytes, write, kept);
          }
          after.contents.put(name, new Content(bytes));
        });
    return after;
  }

  private byte[] tear(byte[] bytes, Write write, double kept) {
    int end = write.position + write.bytes.length;
    byte[] torn = bytes.length < end && random.nextBoolean() ? Arrays.copyOf(bytes, end) : bytes;
    for (int at = 0; at < write.bytes.length; at += SECTOR_BYTES) {
      int length = Math.min(SECTOR_BYTES, write.bytes.length - at);
      if (random.nextInt(8) == 0) {
        length = random.nextInt(length + 1);
      } else if (random.nextDouble() >= kept) {
        continue;
      }
      length = Math.min(length, torn.length - write.position - at);
      if (length > 0) {
        System.arraycopy(write.bytes, at, torn, write.position + at, length);
      }
    }
    return torn;
  }

  /** A copy of what would be read now, with all of it on disk. */
  public SimulatedFiles copy() {
    SimulatedFiles copy = new SimulatedFiles(random);
    contents.forEach((name, content) -> copy.contents.put(name, new Content(content.now)));
    return copy;
  }

  /** The bytes of a file as they would be read now; who changes them damages it. */
  public byte[] bytes(String name) {
    return contents.get(name).now;
  }

  /** Puts bytes in the place of a file, or makes it. */
  public void put(String name, byte[] bytes) {
    contents.put(name, new Content(bytes));
  }

  /** Takes a file away. */
  public void remove(String name) {
    contents.remove(name);
  }

  /** Counts a step; true when the machine stops in it. */
  private boolean step(String what) throws IOException {
    if (stopped) {
      throw new Crash("after the crash: " + what);
    }
    steps++;
    if (steps == failAt) {
      throw new IOException("the simulated disk fails: " + what);
    }
    stopped = steps == crashAt;
    return stopped;
  }

  /** How many bytes all files have. */
  public long used() {
    return contents.values().stream().mapToLong(each -> each.now.length).sum();
  }

  private void room(long more) {
    if (room - more < used()) {
      throw new LogException(LogException.Kind.NO_ROOM, "the simulated disk is full");
    }
  }

  @Override
  public List<String> list() {
    return List.copyOf(contents.keySet());
  }

  @Override
  public LogFile create(String name, long bytes) throws IOException {
    if (contents.containsKey(name)) {
      throw new IOException(name + " exists");
    }
    room(bytes);
    boolean stops = step("create " + name);
    if (!stops || random.nextBoolean()) {
      int length = stops ? random.nextInt((int) bytes + 1) : (int) bytes;
      contents.put(name, new Content(new byte[length]));
    }
    if (stops) {
      throw new Crash("create " + name);
    }
    return open(name);
  }

  @Override
  public LogFile open(String name) throws IOException {
    if (!contents.containsKey(name)) {
      throw new NoSuchFileException(name);
    }
    return new SimulatedFile(name, contents.get(name));
  }

  @Override
  public void delete(String name) throws IOException {
    boolean stops = step("delete " + name);
    if (!stops || random.nextBoolean()) {
      contents.remove(name);
    }
    if (stops) {
      throw new Crash("delete " + name);
    }
  }

  @Override
  public void replace(String name, byte[] bytes) throws IOException {
    if (!contents.containsKey(name)) {
      room(bytes.length);
    }
    boolean stops = step("replace " + name);
    if (!stops || random.nextBoolean()) {
      contents.put(name, new Content(bytes));
    }
    if (stops) {
      throw new Crash("replace " + name);
    }
  }

  @Override
  public Optional<byte[]> read(String name) {
    return Optional.ofNullable(contents.get(name)).map(each -> each.now.clone());
  }

  @Override
  public void close() {}

  /** One file. */
  private final class SimulatedFile implements LogFile {
    private final String name;
    private final Content content;
    private boolean closed;

    SimulatedFile(String name, Content content) {
      this.name = name;
      this.content = content;
    }

    @Override
    public long size() {
      return content.now.length;
    }

    @Override
    public int read(long position, ByteBuffer into) throws IOException {
      beforeRead.run();
      if (closed || unreadable) {
        throw new IOException("cannot read " + name);
      }
      check(position, into);
      int length = (int) Math.max(0, Math.min(into.remaining(), content.now.length - position));
      into.put(content.now, (int) Math.min(position, content.now.length), length);
      afterRead.run();
      return length;
    }

    @Override
    public void write(long position, ByteBuffer from) throws IOException {
      check(position, from);
      byte[] bytes = new byte[from.remaining()];
      from.get(bytes);
      watcher.write(name, position, bytes);
      if (position + bytes.length > content.now.length) {
        room(position + bytes.length - content.now.length);
      }
      boolean stops = step("write " + name);
      content.now = written(content.now, (int) position, bytes);
      content.unsynced.add(new Write((int) position, bytes));
      if (stops) {
        throw new Crash("write " + name);
      }
      if (direct) {
        settle();
      }
    }

    private void check(long position, ByteBuffer buffer) {
      boolean aligned =
          position % Batch.BLOCK_BYTES == 0
              && buffer.remaining() % Batch.BLOCK_BYTES == 0
              && buffer.isDirect()
              && buffer.alignmentOffset(buffer.position(), Batch.BLOCK_BYTES) == 0;
      if (!aligned) {
        throw new AssertionError("not aligned: " + position + ", " + buffer);
      }
    }

    private void settle() {
      for (Write write : content.unsynced) {
        content.durable = written(content.durable, write.position, write.bytes);
      }
      content.unsynced.clear();
    }

    private byte[] written(byte[] before, int position, byte[] bytes) {
      int end = position + bytes.length;
      byte[] after = end > before.length ? Arrays.copyOf(before, end) : before;
      System.arraycopy(bytes, 0, after, position, bytes.length);
      return after;
    }

    @Override
    public void sync() throws IOException {
      if (step("sync " + name)) {
        throw new Crash("sync " + name);
      }
      settle();
    }

    @Override
    public void close() {
      closed = true;
    }
  }
}
