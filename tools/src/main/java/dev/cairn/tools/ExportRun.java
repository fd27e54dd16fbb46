// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import dev.cairn.client.CairnClient;
import dev.cairn.client.CairnException;
import dev.cairn.client.RecordPage.Entry;
import dev.cairn.protocol.Topology;
import java.io.IOException;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * One run of {@code export}: reads records in the order of their keys and writes them, shows how
 * far it is, and says how to go on where it was interrupted.
 *
 * <p>Threads: one runs it; the hook of the process' end asks it to stop, and waits for that.
 */
final class ExportRun {
  /** What the pages of all partitions may hold together, and each of them at least and at most. */
  private static final int PAGES_BYTES_MAX = 64 << 20;

  private static final int PAGE_BYTES_MIN = 4 << 10;
  private static final int PAGE_BYTES_MAX = 256 << 10;
  private static final long STOP_SECONDS_MAX = 10;

  private final Streams streams;
  private final CairnClient client;
  private final ExportFile target;
  private final byte[] prefix;
  private final byte[] after;
  private final boolean anew;
  private volatile boolean stopping;
  private final AtomicLong written = new AtomicLong(); // in this run
  private byte[] lastKey; // null: nothing is written
  private String file = "";

  /**
   * A run that has not begun.
   *
   * @param prefix of the keys
   * @param after the key past which it begins; empty: at the first
   * @param anew whether what an interrupted run left counts for nothing
   */
  ExportRun(
      Streams streams,
      CairnClient client,
      ExportFile target,
      byte[] prefix,
      byte[] after,
      boolean anew) {
    this.streams = streams;
    this.client = client;
    this.target = target;
    this.prefix = prefix;
    this.after = after;
    this.anew = anew;
  }

  /**
   * Writes all there is; the exit status.
   *
   * @param name of the file; empty: a stream
   */
  int run(String name, Topology topology) throws IOException {
    file = name;
    Optional<byte[]> start =
        begin(new RecordLines.Header(RecordLines.FORMAT, topology.clusterId(), prefix));
    if (start.isEmpty()) {
      return ExitStatus.ERROR;
    }
    CountDownLatch ended = new CountDownLatch(1);
    Thread onInterrupt = new Thread(() -> interrupted(ended), "cairn-export-interrupt");
    Runtime.getRuntime().addShutdownHook(onInterrupt);
    try {
      return written(topology, start.get());
    } finally {
      ended.countDown();
      try {
        Runtime.getRuntime().removeShutdownHook(onInterrupt);
      } catch (IllegalStateException interruptedAlready) {
        // The process ends with 130.
      }
    }
  }

  /** Where to begin reading; empty: what is there belongs to another export. */
  private Optional<byte[]> begin(RecordLines.Header header) throws IOException {
    Optional<ExportPart> part = anew ? Optional.empty() : target.part();
    if (part.isEmpty()) {
      target.begin(header);
      return Optional.of(start(after));
    }
    if (!RecordLines.same(part.get().header(), header)) {
      streams
          .err()
          .println(
              file
                  + ".part holds the beginning of another export ("
                  + RecordLines.describe(part.get().header())
                  + "; now "
                  + RecordLines.describe(header)
                  + "): run that again, or say --anew to begin this one.");
      return Optional.empty();
    }
    target.goOn(part.get());
    lastKey = part.get().lastKey().orElse(null);
    streams
        .err()
        .printf(
            Locale.ROOT, "Going on behind the %,d records of %s.part.%n", target.records(), file);
    return Optional.of(start(lastKey == null ? new byte[0] : lastKey));
  }

  /** The first key with the prefix that may come past another; of an empty one, the first. */
  private byte[] start(byte[] past) {
    byte[] next = past.length == 0 ? past : Arrays.copyOf(past, past.length + 1);
    return Arrays.compareUnsigned(next, prefix) < 0 ? prefix : next;
  }

  private int written(Topology topology, byte[] start) {
    long startNanos = System.nanoTime();
    try (LoadProgress progress =
        new LoadProgress(
            streams.err(), TerminalCheck.error(), "exported", written::get, () -> -1)) {
      progress.start();
      write(topology, start);
      if (!stopping) {
        target.end();
      }
    } catch (CairnException | IOException | Streams.OutputFailedException failed) {
      return failed(failed);
    }
    if (stopping) {
      return ExitStatus.ERROR; // the hook says the rest
    }
    double seconds = (System.nanoTime() - startNanos) / 1e9;
    streams
        .err()
        .printf(
            Locale.ROOT,
            "Exported %,d records in %.1f s (%,.0f/s).%n",
            target.records(),
            seconds,
            written.get() / Math.max(0.001, seconds));
    return ExitStatus.DONE;
  }

  private void write(Topology topology, byte[] start) throws IOException {
    int partitions = topology.partitions().size();
    int pageBytes =
        Math.max(PAGE_BYTES_MIN, Math.min(PAGE_BYTES_MAX, PAGES_BYTES_MAX / partitions));
    byte[] end = end(prefix);
    OrderedRecords records =
        new OrderedRecords(
            (partition, from) ->
                client.page(topology.partitions().get(partition), from, end, pageBytes),
            partitions,
            start);
    Optional<Entry> record = records.next();
    while (record.isPresent() && !stopping) {
      target.write(record.get());
      lastKey = record.get().key();
      written.incrementAndGet();
      record = records.next();
    }
    target.flush();
  }

  /** The first key past those that begin with these bytes; empty: there is none. */
  static byte[] end(byte[] prefix) {
    int length = prefix.length;
    while (length > 0 && prefix[length - 1] == (byte) 0xff) {
      length--;
    }
    byte[] end = Arrays.copyOf(prefix, length);
    if (length > 0) {
      end[length - 1]++;
    }
    return end;
  }

  /** What was written stays, and can be gone on with. */
  private int failed(Exception failure) {
    if (failure instanceof Streams.OutputFailedException output && output.readerLeft()) {
      return ExitStatus.OUTPUT_CLOSED;
    }
    try {
      target.flush();
    } catch (IOException | Streams.OutputFailedException full) {
      // The next run finds what is whole.
    }
    streams.err().println("Stopped: " + failure.getMessage() + ". " + goOn());
    return ExitStatus.NOT_FOUND;
  }

  /** Ctrl-C: ends the record that is being written, then says how to go on. */
  private void interrupted(CountDownLatch ended) {
    stopping = true;
    try {
      ended.await(STOP_SECONDS_MAX, TimeUnit.SECONDS);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
    streams.err().println();
    streams.err().printf(Locale.ROOT, "Interrupted after %,d records. %s%n", written.get(), goOn());
  }

  private String goOn() {
    if (!file.isEmpty()) {
      return "To go on, run the same command again.";
    }
    return lastKey == null
        ? "To begin again, run the same command."
        : "To go on, run the same command with --after '" + Printed.value(lastKey) + "'.";
  }
}
