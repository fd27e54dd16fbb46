// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Where a command reads and writes. Text is UTF-8 whatever the locale.
 *
 * <p>Whoever reads the results may leave before their end, as {@code head -1} does. A {@link
 * PrintStream} says nothing of that, and a command would go on for nobody; so writing throws {@link
 * OutputFailedException}, which ends the command. {@link #tell} is for commands whose work is done
 * by then: their exit status is that of the work.
 *
 * @param out results
 * @param err everything else: errors, progress. Nobody need read it
 */
record Streams(InputStream in, PrintStream out, PrintStream err) {
  /** The results could not be written. {@link #readerLeft} tells why. */
  static final class OutputFailedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    OutputFailedException(IOException cause) {
      super(cause.getMessage(), cause);
    }

    /** Whether nobody reads any more, which is no error; else the disk is full, or the like. */
    boolean readerLeft() {
      return String.valueOf(getMessage()).toLowerCase(java.util.Locale.ROOT).contains("pipe");
    }
  }

  static Streams ofProcess() {
    return new Streams(
        sequential(new FileInputStream(FileDescriptor.in)),
        new PrintStream(
            new Strict(new FileOutputStream(FileDescriptor.out)), true, StandardCharsets.UTF_8),
        new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8));
  }

  /** Prints what was done to whoever still reads it. */
  void tell(String line) {
    try {
      out.println(line);
    } catch (OutputFailedException unread) {
      // What was done stays done.
    }
  }

  /**
   * Whether there is something to read: a file, a FIFO, or what a shell passes as {@code <(...)}.
   */
  static boolean isReadable(Path path) {
    return Files.exists(path) && !Files.isDirectory(path) && Files.isReadable(path);
  }

  /** Opens a file, or a FIFO. */
  static InputStream open(Path path) throws IOException {
    return sequential(new FileInputStream(path.toFile()));
  }

  /**
   * A stream that is only ever read from its beginning to its end. {@link FileInputStream} asks the
   * system where it stands and how far it is to the end, which a pipe does not know.
   */
  private static InputStream sequential(InputStream in) {
    return new InputStream() {
      @Override
      public int read() throws IOException {
        return in.read();
      }

      @Override
      public int read(byte[] buffer, int offset, int length) throws IOException {
        return in.read(buffer, offset, length);
      }

      @Override
      public void close() throws IOException {
        in.close();
      }
    };
  }

  /** Tells of a write that failed in a way that {@link PrintStream} lets pass. */
  static final class Strict extends OutputStream {
    private final OutputStream out;

    Strict(OutputStream out) {
      this.out = out;
    }

    @Override
    public void write(int octet) {
      try {
        out.write(octet);
      } catch (IOException failed) {
        throw new OutputFailedException(failed);
      }
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
      try {
        out.write(bytes, offset, length);
      } catch (IOException failed) {
        throw new OutputFailedException(failed);
      }
    }
  }
}
