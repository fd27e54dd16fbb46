// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Reads a log when it is opened, and tells an end that a crash left from damage.
 *
 * <p>What was being written when the machine stopped may be there in part: a tail. It was never
 * acknowledged and is dropped. What had been synced must be there: where it is not, the log is
 * damaged, and nothing of it may be used.
 *
 * <ol>
 *   <li>Batch n + 1 is written only after batch n was synced. So a sound header of a later batch,
 *       in whatever file, proves that all before it had been on disk. Every block of every segment
 *       is looked at for such a header.
 *   <li>A segment's first batch names the segment before it, the oldest one that counts, and the
 *       copied files that count. The newest segment whose first batch is whole decides. All that it
 *       names must be there whole, up to the first batch of the segment that follows.
 *   <li>Replay begins at the oldest segment's first batch, which has the state of every group, and
 *       takes the entries before it from the copied files. These stand for their segments, in the
 *       order of ordinals, and lose to what the log says later. Each later segment's first batch
 *       must agree with what was replayed.
 *   <li>An append counts once its last record is there. Parts of one that a crash cut off are
 *       dropped at the next start's first batch.
 *   <li>{@link Mark} is a proof beside that: less than it says is damage.
 *   <li>At the end every entry of every group has a place.
 * </ol>
 *
 * What no reader can see is an end that is gone as if it had never been, before the mark says so:
 * the last batch damaged, the newest segment cut off behind a batch, or its file deleted.
 */
final class Recovery {
  private static final int AHEAD_BYTES = 1 << 20;

  private final LogFiles files;
  private final boolean reading;
  private final List<Segment> begun = new ArrayList<>();

  /** Files that hold nothing that counts: they may be used again. */
  private final TreeMap<String, LogFile> free = new TreeMap<>();

  private final Map<Long, GroupState> groups = new HashMap<>();
  private final TreeMap<Long, Segment> chain = new TreeMap<>();
  private final TreeMap<Long, Segment> copies = new TreeMap<>();
  private final Map<Segment, Opening> openings = new HashMap<>();

  private Optional<Mark> mark = Optional.empty();
  private long log;
  private boolean known;
  private long lastNumber;
  private long lastOrdinal;
  private long lastFile;

  /** What is replayed and not yet complete. */
  private final List<Change> append = new ArrayList<>();

  private final List<Long> places = new ArrayList<>();
  private final Parts parts = new Parts(false);

  /**
   * What a segment's first batch says of files.
   *
   * @param oldest ordinal of the first segment that counts
   * @param previous ordinal of the segment before; 0 for none
   * @param begunIn ordinal of the segment in which an append began that goes on in this one; 0 for
   *     none. Replay cannot begin here then: what this one says of groups does not have that
   *     append.
   * @param start whether the log was opened with it
   * @param copies the copied files that count, by ordinal
   */
  record Opening(long oldest, long previous, long begunIn, boolean start, List<CopiedFile> copies) {
    private static final int COPY_BYTES = 3 * Long.BYTES + Integer.BYTES;

    /** One copied file that counts. */
    record CopiedFile(long ordinal, int generation, long epoch, long bytes) {}

    Change toChange() {
      ByteBuffer bytes =
          ByteBuffer.allocate(3 * Long.BYTES + 1 + Integer.BYTES + copies.size() * COPY_BYTES);
      bytes
          .putLong(oldest)
          .putLong(previous)
          .putLong(begunIn)
          .put((byte) (start ? 1 : 0))
          .putInt(copies.size());
      for (CopiedFile copy : copies) {
        bytes.putLong(copy.ordinal).putInt(copy.generation).putLong(copy.epoch).putLong(copy.bytes);
      }
      return new Change(Change.FILES, 0, 0, 0, bytes.array());
    }

    static Opening of(byte[] payload) {
      ByteBuffer bytes = ByteBuffer.wrap(payload);
      long oldest = bytes.getLong();
      long previous = bytes.getLong();
      long begunIn = bytes.getLong();
      boolean start = bytes.get() != 0;
      int count = bytes.getInt();
      List<CopiedFile> copies = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        copies.add(
            new CopiedFile(bytes.getLong(), bytes.getInt(), bytes.getLong(), bytes.getLong()));
      }
      return new Opening(oldest, previous, begunIn, start, copies);
    }
  }

  private Recovery(LogFiles files, boolean reading) {
    this.files = files;
    this.reading = reading;
  }

  /**
   * Reads a log.
   *
   * @throws LogException of kind DAMAGED when it is less than had been synced, of kind FOREIGN when
   *     its files are not of one log or of another version
   */
  static Recovery of(LogFiles files) throws IOException {
    return recovered(new Recovery(files, false));
  }

  /**
   * Reads a log that another process may be writing. It deletes nothing, and does not look for
   * batches behind the end: there may be some by then.
   *
   * @throws LogException as {@link #of}, and also when a file was used again meanwhile
   */
  static Recovery forReading(LogFiles files) throws IOException {
    return recovered(new Recovery(files, true));
  }

  private static Recovery recovered(Recovery recovery) throws IOException {
    try {
      recovery.run();
    } catch (IllegalArgumentException | BufferUnderflowException | NegativeArraySizeException e) {
      throw new LogException(LogException.Kind.DAMAGED, "a record cannot be read", e);
    }
    return recovery;
  }

  // ---- What was found ----

  /** Whether there was a log; its {@link #log} id counts only then. */
  boolean known() {
    return known;
  }

  long log() {
    return log;
  }

  Map<Long, GroupState> groups() {
    return groups;
  }

  NavigableMap<Long, Segment> chain() {
    return chain;
  }

  NavigableMap<Long, Segment> copies() {
    return copies;
  }

  NavigableMap<String, LogFile> free() {
    return free;
  }

  long lastNumber() {
    return lastNumber;
  }

  long lastOrdinal() {
    return lastOrdinal;
  }

  long lastFile() {
    return lastFile;
  }

  // ---- Steps ----

  private void run() throws IOException {
    mark = Mark.read(files);
    mark.ifPresent(each -> identify(each.log(), Mark.NAME));
    Set<String> leftCopies = new HashSet<>();
    for (String name : files.list().stream().sorted().toList()) {
      if (Segment.isSegmentName(name)) {
        openSegment(name);
      } else if (Segment.isCopyName(name)) {
        leftCopies.add(name);
      }
    }
    Segment newest = newest();
    if (newest != null) {
      if (mark.isEmpty()) {
        throw damaged(Mark.NAME + " is missing");
      }
      follow(newest);
      readCopies(newest);
      replay();
    }
    free.values().removeIf(file -> chain.values().stream().anyMatch(each -> each.file() == file));
    if (!reading) {
      lookForLater();
    }
    if (mark.isPresent() && lastNumber < mark.get().number()) {
      throw damaged(
          "it ends at batch " + lastNumber + ", but had been on disk up to " + mark.get().number());
    }
    for (Map.Entry<Long, GroupState> group : groups.entrySet()) {
      String missing = group.getValue().missing();
      if (missing != null) {
        throw damaged("entries " + missing + " of group " + group.getKey() + " are missing");
      }
    }
    copies.values().forEach(each -> leftCopies.remove(each.name()));
    if (!reading) {
      for (String name : leftCopies) {
        files.delete(name);
      }
    }
  }

  private void identify(long id, String name) {
    if (known && id != log) {
      throw new LogException(
          LogException.Kind.FOREIGN, name + " belongs to another log; take it out of the folder");
    }
    log = id;
    known = true;
  }

  private void openSegment(String name) throws IOException {
    lastFile = Math.max(lastFile, Segment.numberIn(name));
    LogFile file = files.open(name);
    free.put(name, file);
    Batch.Header header = new BatchReader(file, Batch.BLOCK_BYTES).header(0);
    if (header == null || header.block() != 0) {
      return;
    }
    if (header.format() != Batch.FORMAT) {
      throw new LogException(
          LogException.Kind.FOREIGN,
          name
              + " has format "
              + header.format()
              + "; this release reads format "
              + Batch.FORMAT
              + ". Start the release that wrote it, or a newer one.");
    }
    if (!header.is(Batch.FIRST) || header.is(Batch.COPY)) {
      return;
    }
    identify(header.log(), name);
    long ordinal = header.ordinal();
    for (Segment other : begun) {
      if (other.ordinal() == ordinal && other.epoch() == header.epoch()) {
        throw new LogException(
            LogException.Kind.FOREIGN,
            name + " and " + other.name() + " are the same segment; take one out of the folder");
      }
    }
    lastOrdinal = Math.max(lastOrdinal, ordinal);
    begun.add(
        new Segment(name, file, ordinal, 0, header.epoch(), header.number(), file.size(), 0, 0));
  }

  /** The newest segment whose first batch is whole; null when there is none. */
  private Segment newest() throws IOException {
    begun.sort(
        Comparator.comparingLong(Segment::firstNumber)
            .thenComparingLong(Segment::ordinal)
            .reversed());
    for (Segment segment : begun) {
      if (opening(segment) != null) {
        return segment;
      }
    }
    return null;
  }

  private Opening opening(Segment segment) throws IOException {
    Opening known = openings.get(segment);
    if (known != null) {
      return known;
    }
    Batch first = firstBatch(new BatchReader(segment.file(), Batch.BLOCK_BYTES));
    if (first == null || first.size() == 0 || first.kind(0) != Change.FILES) {
      return null;
    }
    Opening opening = Opening.of(first.payload(0));
    openings.put(segment, opening);
    return opening;
  }

  private static Batch firstBatch(BatchReader reader) throws IOException {
    Batch.Header header = reader.header(0);
    return header == null ? null : reader.batch(header, 0);
  }

  /** Goes back from the newest segment to the oldest one that counts. */
  private void follow(Segment newest) throws IOException {
    long oldest = opening(newest).oldest();
    Segment segment = newest;
    while (true) {
      Opening opening = opening(segment);
      if (opening == null) {
        throw damaged("the first batch of " + segment + " is damaged");
      }
      chain.put(segment.ordinal(), segment.withBegunIn(opening.begunIn()));
      if (segment.ordinal() == oldest) {
        return;
      }
      segment = before(segment, opening.previous());
    }
  }

  private Segment before(Segment segment, long previous) throws IOException {
    Segment found = null;
    for (Segment each : begun) {
      boolean earlier = each.ordinal() == previous && each.firstNumber() < segment.firstNumber();
      if (earlier && (found == null || opening(each) != null)) {
        found = each;
      }
    }
    if (found == null) {
      throw damaged("segment " + previous + " is missing, which " + segment + " follows");
    }
    return found;
  }

  private void readCopies(Segment newest) throws IOException {
    for (Opening.CopiedFile copied : opening(newest).copies()) {
      String name = Segment.copyName(copied.ordinal(), copied.generation());
      if (!files.list().contains(name)) {
        throw damaged(name + " is missing");
      }
      readCopy(name, copied);
    }
  }

  private void readCopy(String name, Opening.CopiedFile copied) throws IOException {
    long ordinal = copied.ordinal();
    LogFile file = files.open(name);
    Segment copy =
        new Segment(
            name, file, ordinal, copied.generation(), copied.epoch(), 1, copied.bytes(), 0, 0);
    BatchReader reader = new BatchReader(file, AHEAD_BYTES);
    int block = 0;
    long entries = 0;
    for (long number = 1; block < copy.blocks(); number++) {
      Batch batch = reader.batch(copy, log, block, number);
      if (batch == null) {
        throw damaged("batch " + number + " of " + copy + " is damaged");
      }
      for (int i = 0; i < batch.size(); i++) {
        Change change = parts.add(batch, i, Place.of(ordinal, block));
        if (change != null) {
          GroupState group = groups.computeIfAbsent(change.group(), id -> new GroupState());
          group.copied(change, parts.place());
          entries++;
        }
      }
      block += batch.header().blocks();
    }
    parts.clear();
    copies.put(ordinal, copy.withEntries(entries));
  }

  private void replay() throws IOException {
    for (Segment segment : chain.values()) {
      Map.Entry<Long, Segment> next = chain.higherEntry(segment.ordinal());
      long until = next == null ? Long.MAX_VALUE : next.getValue().firstNumber();
      replay(segment, until);
    }
  }

  /** Replays a segment's batches up to the one that the next segment begins with. */
  private void replay(Segment segment, long until) throws IOException {
    BatchReader reader = new BatchReader(segment.file(), AHEAD_BYTES);
    Batch first = firstBatch(reader);
    begin(segment, first);
    lastNumber = segment.firstNumber();
    int block = first.header().blocks();
    while (lastNumber + 1 < until) {
      Batch batch = reader.batch(segment, log, block, lastNumber + 1);
      if (batch == null) {
        if (until < Long.MAX_VALUE) {
          throw damaged("batch " + (lastNumber + 1) + " of " + segment + " is damaged");
        }
        return;
      }
      take(batch, Place.of(segment.ordinal(), block));
      lastNumber++;
      block += batch.header().blocks();
    }
  }

  private void begin(Segment segment, Batch first) {
    boolean oldest = segment.ordinal() == chain.firstKey();
    if (Opening.of(first.payload(0)).start()) {
      append.clear();
      places.clear();
      parts.clear();
    }
    Set<Long> named = new HashSet<>();
    for (int i = 1; i < first.size(); i++) {
      Change change =
          new Change(
              first.kind(i), first.group(i), first.term(i), first.index(i), first.payload(i));
      named.add(change.group());
      if (oldest) {
        groups.computeIfAbsent(change.group(), id -> new GroupState()).begin(change);
      } else if (!groups.containsKey(change.group())
          || !groups.get(change.group()).agreesWith(change)) {
        throw damaged(segment + " contradicts what was before it, of group " + change.group());
      }
    }
    if (oldest) {
      groups.keySet().retainAll(named);
    } else if (groups.size() != named.size()) {
      throw damaged(segment + " names other groups than were before it");
    }
  }

  private void take(Batch batch, long place) {
    for (int i = 0; i < batch.size(); i++) {
      Change change = parts.add(batch, i, place);
      if (change == null) {
        continue;
      }
      append.add(change);
      places.add(parts.place());
      if (batch.endsAppend(i)) {
        complete();
      }
    }
  }

  private void complete() {
    for (int i = 0; i < append.size(); i++) {
      Change change = append.get(i);
      if (change.kind() == Change.REMOVE) {
        groups.remove(change.group());
      } else {
        groups
            .computeIfAbsent(change.group(), id -> new GroupState())
            .apply(change, places.get(i), 0);
      }
    }
    append.clear();
    places.clear();
  }

  /** Looks at every block that does not count for the proof that something behind the end was. */
  private void lookForLater() throws IOException {
    for (Map.Entry<String, LogFile> each : free.entrySet()) {
      lookForLater(each.getKey(), each.getValue());
    }
    if (!chain.isEmpty()) {
      Segment newest = chain.lastEntry().getValue();
      lookForLater(newest.name(), newest.file());
    }
  }

  private void lookForLater(String name, LogFile file) throws IOException {
    BatchReader reader = new BatchReader(file, AHEAD_BYTES);
    int blocks = Batch.blocksOf(file.size());
    for (int block = 0; block < blocks; block++) {
      Batch.Header header = reader.header(block);
      if (header != null
          && header.log() == log
          && header.block() == block
          && header.number() > lastNumber + 1) {
        throw damaged(
            "batch "
                + header.number()
                + " is in "
                + name
                + ", but the one before it, "
                + (lastNumber + 1)
                + ", is not whole");
      }
    }
  }

  static LogException damaged(String what) {
    return new LogException(
        LogException.Kind.DAMAGED,
        "The log is damaged: "
            + what
            + ". Entries and votes that this node acknowledged are lost, so it must not vote with"
            + " what is left.");
  }
}
