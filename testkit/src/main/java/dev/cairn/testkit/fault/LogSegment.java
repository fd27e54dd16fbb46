// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.fault;

import java.io.EOFException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A segment of a node's write-ahead log, as it was when somebody looked. {@code
 * docs/design/decisions/0032} has the bytes.
 *
 * @param epoch of this use of the file
 * @param batches where its batches begin, the first at 0; at least one
 */
record LogSegment(Path file, long epoch, List<Long> batches) {
  /** Of a batch; its first record stands behind it. */
  static final int HEADER_BYTES = 64;

  private static final int BLOCK_BYTES = 4_096;
  private static final int MAGIC = 0x434C4F47; // "CLOG"
  private static final int EPOCH_AT = 16;
  private static final int NUMBER_AT = 32;
  private static final int BYTES_AT = 44;

  /** The latest segment of a log that may be in use; empty while there is none. */
  static Optional<LogSegment> newest(Path log) {
    try (Stream<Path> files = Files.list(log)) {
      return files
          .filter(file -> file.getFileName().toString().startsWith("segment-"))
          .flatMap(file -> read(file).stream())
          .max(Comparator.comparingLong(LogSegment::firstNumber));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Whether the file is still used as it was. */
  boolean isThere() {
    return read(file).filter(now -> now.epoch == epoch).isPresent();
  }

  /** Where the batch in the middle begins. */
  long middle() {
    return batches.get(batches.size() / 2);
  }

  private long firstNumber() {
    try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "r")) {
      return longAt(bytes, NUMBER_AT);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Optional<LogSegment> read(Path file) {
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "r")) {
      long epoch = longAt(bytes, EPOCH_AT);
      List<Long> batches = new ArrayList<>();
      long at = 0;
      long number = longAt(bytes, NUMBER_AT);
      while (at + HEADER_BYTES <= bytes.length()
          && intAt(bytes, at) == MAGIC
          && longAt(bytes, at + EPOCH_AT) == epoch
          && longAt(bytes, at + NUMBER_AT) == number) {
        batches.add(at);
        int length = intAt(bytes, at + BYTES_AT);
        at += (length + BLOCK_BYTES - 1L) / BLOCK_BYTES * BLOCK_BYTES;
        number++;
      }
      return batches.isEmpty()
          ? Optional.empty()
          : Optional.of(new LogSegment(file, epoch, batches));
    } catch (EOFException full) {
      return Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static long longAt(RandomAccessFile bytes, long offset) throws IOException {
    bytes.seek(offset);
    return bytes.readLong();
  }

  private static int intAt(RandomAccessFile bytes, long offset) throws IOException {
    bytes.seek(offset);
    return bytes.readInt();
  }
}
