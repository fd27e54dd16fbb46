// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import com.alipay.sofa.jraft.entity.LogEntry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Function;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;

/**
 * Prints a write-ahead log in readable lines, changing nothing.
 *
 * <p>Works while the node runs: RocksDB opens a database read-only without its lock. It then shows
 * the log as it was at that moment; should the node drop files just then, reading fails and wants
 * to be tried again.
 *
 * <pre>
 *   group c1-p0  incarnation 1  term 3  voted for 127.0.0.1:15000
 *   group c1-p0  index 1  term 1  CONFIGURATION  0 bytes  127.0.0.1:15000,127.0.0.1:15001
 *   group c1-p0  index 2  term 1  DATA  34 bytes  PUT mykey
 * </pre>
 */
public final class LogDump {
  private LogDump() {}

  /** Whether a folder has a log of this form. */
  public static boolean isLog(Path folder) {
    return Files.exists(folder.resolve("CURRENT"));
  }

  /**
   * Prints all groups by name, their entries by index.
   *
   * @param folder as given to {@link SharedLog#open}
   * @param out takes one line after the other; what it throws ends the scan
   * @param payload says in one line what a proposal holds
   * @throws IOException when the log cannot be read, or a row of it is damaged
   * @throws ForeignLogException when it has a format that this release does not know
   */
  public static void print(Path folder, Consumer<String> out, Function<byte[], String> payload)
      throws IOException {
    if (!isLog(folder)) {
      throw new IOException("There is no write-ahead log in " + folder);
    }
    try (LogOptions options = LogOptions.forReading();
        RocksDB database =
            RocksDB.openReadOnly(
                options.database, folder.toString(), options.columnFamilies(), new ArrayList<>())) {
      byte[] format = database.get(LogRows.FORMAT_KEY);
      LogReader.checkFormat(
          folder, format == null || format.length != 4 ? -1 : ByteBuffer.wrap(format).getInt());
      for (Map.Entry<String, Integer> group :
          new TreeMap<>(LogReader.directory(database)).entrySet()) {
        printGroup(database, group.getKey(), group.getValue(), out, payload);
      }
    } catch (RocksDBException | LogDamagedException e) {
      throw new IOException(
          "The write-ahead log in " + folder + " cannot be read: " + e.getMessage(), e);
    }
  }

  private static void printGroup(
      RocksDB database,
      String group,
      int number,
      Consumer<String> out,
      Function<byte[], String> payload)
      throws RocksDBException {
    byte[] markerKey = LogRows.key(LogRows.INCARNATION, number);
    byte[] marker = database.get(markerKey);
    byte[] voteKey = LogRows.key(LogRows.META, number);
    byte[] vote = database.get(voteKey);
    LogRows.Vote read = vote == null ? new LogRows.Vote(0, "") : LogRows.readVote(voteKey, vote);
    out.accept(
        "group "
            + group
            + "  incarnation "
            + (marker == null ? 0 : LogRows.readLong(markerKey, marker))
            + "  term "
            + read.term()
            + "  voted for "
            + read.peer().orElse("nobody"));
    LogReader.scan(
        database,
        LogRows.key(LogRows.ENTRY, number, 0),
        LogRows.end(LogRows.ENTRY, number),
        (key, row) -> out.accept(line(group, LogRows.readEntry(key, row), payload)));
  }

  private static String line(String group, LogEntry entry, Function<byte[], String> payload) {
    StoredEntry stored = LogRows.describe(entry);
    String line =
        "group "
            + group
            + "  index "
            + stored.index()
            + "  term "
            + stored.term()
            + "  "
            + stored.kind()
            + "  "
            + stored.data().length
            + " bytes";
    return switch (stored.kind()) {
      case NO_OP -> line;
      case DATA -> line + "  " + payload.apply(stored.data());
      case CONFIGURATION -> line + "  " + stored.configuration();
    };
  }
}
