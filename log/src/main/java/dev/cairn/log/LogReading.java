// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * A log as it is on disk, read without a change. The node that writes it may be running: then this
 * is the log of one moment.
 *
 * <p>It does not prove that nothing is missing behind the end, which {@link Log#open} does. Where
 * the writer uses a file again meanwhile, reading fails and wants to be tried again. {@link
 * ReadOnlyFolder#openLog} gives one.
 *
 * <p>For one thread.
 */
public final class LogReading implements AutoCloseable {
  private final LogFiles files;
  private final long log;
  private final EntryPlaces places;

  private LogReading(LogFiles files, Recovery found) {
    this.files = files;
    log = found.log();
    places = new EntryPlaces(found.groups(), found.chain(), found.copies());
  }

  /**
   * Reads which groups there are, and where their entries are.
   *
   * @param files closed with this, but not when it fails
   * @throws LogException of kind DAMAGED when it cannot be read, of kind FOREIGN when it is of
   *     another version
   * @throws IOException when a file cannot be read
   */
  static LogReading of(LogFiles files) throws IOException {
    return new LogReading(files, Recovery.forReading(files));
  }

  /** The groups, sorted. */
  public Set<Long> groups() {
    return new TreeSet<>(places.groups().keySet());
  }

  /** What there is of a group; empty for none. */
  public Optional<Group> group(long group) {
    return Optional.ofNullable(places.groups().get(group)).map(GroupState::view);
  }

  /**
   * Reads entries.
   *
   * @param from index of the first
   * @param bytesMax about how much at once; at least one entry
   * @return consecutive entries; none when the group does not have {@code from}
   * @throws LogException of kind DAMAGED when an entry is not where it was
   * @throws IOException when a file cannot be read
   */
  public List<LogEntry> read(long group, long from, long bytesMax) throws IOException {
    EntryReader reader =
        new EntryReader(places::next, log, group, bytesMax, EntryReader.AHEAD_BYTES);
    EntryReader.Run run = places.run(group, from, Long.MAX_VALUE);
    while (run != null && !reader.isFull()) {
      if (!reader.read(run)) {
        throw new LogException(
            LogException.Kind.DAMAGED,
            "entry " + run.from() + " of group " + group + " is not in " + run.segment());
      }
      run = places.run(group, reader.nextIndex(), Long.MAX_VALUE);
    }
    return reader.taken();
  }

  @Override
  public void close() throws IOException {
    files.close();
  }
}
