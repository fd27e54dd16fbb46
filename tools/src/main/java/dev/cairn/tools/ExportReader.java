// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import dev.cairn.client.RecordPage;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;

/**
 * Reads what {@code ./cairn export} wrote ({@link RecordLines} has the grammar), packed with gzip
 * or not. Several exports may stand one behind the other.
 */
final class ExportReader implements Pairs {
  private final PackedLines lines;
  private long records; // since the last header
  private boolean open; // a header came, its end did not
  private Optional<String> wrongEnd = Optional.empty();

  /**
   * Reads the header.
   *
   * @throws IOException if there is none, or one of another version
   */
  ExportReader(InputStream source) throws IOException {
    lines = new PackedLines(source);
    Optional<ByteLines.Line> first = lines.next();
    RecordLines.Line header;
    try {
      header = first.isEmpty() ? null : RecordLines.read(first.get().bytes());
    } catch (IOException noExport) {
      header = null;
    }
    if (!(header instanceof RecordLines.Header begins)) {
      throw new IOException(
          first.isEmpty()
              ? "it is empty: an export has a header at least"
              : "its first line is no header of an export: ./cairn load reads other files");
    }
    begin(begins);
  }

  @Override
  public Optional<Entry> next() throws IOException {
    while (true) {
      Optional<ByteLines.Line> line = lines.next();
      if (line.isEmpty()) {
        return Optional.empty();
      }
      Optional<Entry> entry = entry(line.get());
      if (entry.isPresent()) {
        return entry;
      }
    }
  }

  /** What is to be stored; empty: the line tells of the export only. */
  private Optional<Entry> entry(ByteLines.Line line) throws IOException {
    if (line.tooLong()) {
      return Optional.of(new Malformed(line.number(), PackedLines.tooLong()));
    }
    RecordLines.Line read;
    try {
      read = RecordLines.read(line.bytes());
    } catch (IOException malformed) {
      return Optional.of(new Malformed(line.number(), malformed.getMessage()));
    }
    if (read instanceof RecordLines.Stored stored) {
      records++;
      RecordPage.Entry entry = stored.entry();
      return Optional.of(
          new Pair(line.number(), entry.key(), entry.value(), entry.expiresAtMillis()));
    }
    if (read instanceof RecordLines.Header header) {
      noteEnd();
      begin(header);
    } else if (read instanceof RecordLines.End end) {
      open = false;
      if (end.records() != records) {
        wrongEnd =
            Optional.of("it says that it has " + end.records() + " records, and has " + records);
      }
    }
    return Optional.empty();
  }

  private void begin(RecordLines.Header header) throws IOException {
    if (header.format() != RecordLines.FORMAT) {
      throw new IOException(
          "it has format "
              + header.format()
              + ", this version reads format "
              + RecordLines.FORMAT
              + ": import it by the version that wrote it, or a later one");
    }
    open = true;
    records = 0;
  }

  private void noteEnd() {
    if (open) {
      wrongEnd = Optional.of("it has no end: its export was interrupted, or it was cut");
    }
  }

  @Override
  public Optional<String> endedBadly() {
    noteEnd();
    return wrongEnd;
  }

  @Override
  public long bytesRead() {
    return lines.bytesRead();
  }

  @Override
  public void close() throws IOException {
    lines.close();
  }
}
