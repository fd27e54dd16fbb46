// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import dev.cairn.client.RecordPage.Entry;
import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.zip.GZIPOutputStream;

/**
 * Where an export is written: a file, or a stream. A file grows beside its place, as {@code
 * NAME.part}, and takes its name once it is whole and on the disk, so what has the name is always
 * whole. What was interrupted is gone on with ({@link ExportPart}).
 *
 * <p>A file whose name ends with .gz is packed: many members of gzip one behind the other, each
 * ended after about 1 MiB, since one that was cut cannot be gone on with. Owned by one thread.
 */
final class ExportFile implements Closeable {
  private static final int MEMBER_BYTES = 1 << 20;
  private static final int BUFFER_BYTES = 256 * 1024;

  private final Optional<Path> file; // its place; none: a stream
  private final FileChannel channel; // of what grows; null: a stream
  private final boolean packed;
  private final OutputStream out;
  private Member member; // null: none is begun, or nothing is packed
  private long records;

  private ExportFile(Optional<Path> file, FileChannel channel, OutputStream out, boolean packed) {
    this.file = file;
    this.channel = channel;
    this.packed = packed;
    this.out = new BufferedOutputStream(out, BUFFER_BYTES);
  }

  /** One on a stream, which is not closed. */
  static ExportFile to(OutputStream stream) {
    return new ExportFile(Optional.empty(), null, stream, false);
  }

  /** What becomes a file once it is whole; locked against another that writes the same. */
  static ExportFile at(Path file) throws IOException {
    Path part = partOf(file);
    FileChannel channel =
        FileChannel.open(
            part, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    try {
      if (channel.tryLock() == null) {
        throw new IOException("another export is writing " + part);
      }
    } catch (OverlappingFileLockException here) {
      channel.close();
      throw new IOException("another export is writing " + part, here);
    } catch (IOException taken) {
      channel.close();
      throw taken;
    }
    return new ExportFile(
        Optional.of(file), channel, Channels.newOutputStream(channel), isPacked(file));
  }

  static Path partOf(Path file) {
    return file.resolveSibling(file.getFileName() + ".part");
  }

  static boolean isPacked(Path file) {
    return file.getFileName().toString().endsWith(".gz");
  }

  /** What an interrupted export left, if it can be gone on with. */
  Optional<ExportPart> part() throws IOException {
    return file.isEmpty() ? Optional.empty() : ExportPart.read(partOf(file.get()), packed);
  }

  /** Begins anew. */
  void begin(RecordLines.Header header) throws IOException {
    if (channel != null) {
      channel.truncate(0);
    }
    RecordLines.write(sink(), header);
  }

  /** Goes on behind what is there. */
  void goOn(ExportPart part) throws IOException {
    channel.truncate(part.bytes());
    channel.position(part.bytes());
    records = part.records();
  }

  void write(Entry entry) throws IOException {
    RecordLines.write(sink(), entry);
    records++;
    if (packed && member.bytes >= MEMBER_BYTES) {
      endMember();
    }
  }

  /** How many records it has. */
  long records() {
    return records;
  }

  /** Nothing is to come: says so in it, and gives a file its name. */
  void end() throws IOException {
    RecordLines.write(sink(), new RecordLines.End(records));
    flush();
    if (file.isPresent()) {
      channel.force(true);
      Files.move(
          partOf(file.get()),
          file.get(),
          StandardCopyOption.ATOMIC_MOVE,
          StandardCopyOption.REPLACE_EXISTING);
    }
  }

  /** Whatever was written can be read. */
  void flush() throws IOException {
    endMember();
    out.flush();
  }

  @Override
  public void close() throws IOException {
    if (channel != null) {
      channel.close();
    }
  }

  private OutputStream sink() throws IOException {
    if (packed && member == null) {
      member = new Member(out);
    }
    return packed ? member : out;
  }

  private void endMember() throws IOException {
    if (member != null) {
      member.end();
      member = null;
    }
  }

  /** One member of gzip; counts what is packed into it. */
  private static final class Member extends GZIPOutputStream {
    private long bytes;

    Member(OutputStream out) throws IOException {
      super(out, BUFFER_BYTES);
    }

    void end() throws IOException {
      finish();
      def.end(); // closing would, and the file with it
    }

    @Override
    public synchronized void write(byte[] buffer, int offset, int length) throws IOException {
      super.write(buffer, offset, length);
      bytes += length;
    }
  }
}
