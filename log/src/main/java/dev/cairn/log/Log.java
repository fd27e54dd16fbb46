// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.LongPredicate;
import java.util.random.RandomGenerator;

/**
 * The write-ahead log of all groups of a node. What a node acknowledges to others, it has here
 * first.
 *
 * <p>Whoever appends gets a number. {@link #write} takes what waits, puts it on disk by one write
 * and one sync, and then "durable up to n" holds for all that it took. While the disk works, more
 * comes to wait: batches grow by load. The files are segments of one size, zeroed once and used
 * again, so that a write changes nothing but its blocks. {@link Batch} has the bytes, {@link
 * Recovery} what holds after a crash, {@link Copying} what becomes of entries that outlast their
 * segment.
 *
 * <p>This class has no thread and no clock: each of {@link #write}, {@link #prepare}, {@link #copy}
 * and {@link #mark} is one step, taken by {@link LogThread} or by a simulator.
 *
 * <ol>
 *   <li>An append is durable when {@link #durable} has reached its number: all its changes are
 *       synced, and those of all appends before it. Nothing is visible before it is durable.
 *   <li>Batch n + 1 is written only after batch n was synced.
 *   <li>A segment's epoch is 64 random bits. Its first batch, which carries them, is synced before
 *       its second is written, and every checksum covers them. So what a file held before is never
 *       taken for what it holds now.
 *   <li>No block of an acknowledged batch is written again until the first batch of a later
 *       segment, which no longer counts it, is synced. Each start begins a new segment.
 *   <li>A segment begins with the state of all groups, so nothing but entries keeps it needed. But
 *       that state has no append that is written in part: the oldest segment that counts does not
 *       begin in the middle of one.
 *   <li>An append that does not fit whole into what is left of a batch begins the next one. So
 *       where a crash leaves a part of an append, no batch has that part beside what counts.
 *   <li>After a write or sync that failed nothing is written or acknowledged any more. Where no
 *       file can be made for want of room, nothing was written: what waits goes on to wait.
 * </ol>
 *
 * <p>Thread-safe, but for {@link #write} and {@link #copy}: each belongs to one thread at a time.
 * The lock is never held over a read or write of a file.
 */
public final class Log implements AutoCloseable {
  private static final int SPARES = 2;
  private static final int SMALLEST_WRITE_BYTES = 64 << 10;
  private static final int BATCHES_BETWEEN_COUNTS = 16;

  private final LogFiles files;
  private final LogSettings settings;
  private final RandomGenerator random;
  private final long log;
  private final BatchBuffer buffer = new BatchBuffer();

  private final Object lock = new Object();

  // Guarded by the lock.
  private final Map<Long, GroupState> groups;
  private final Tails tails;
  private final NavigableMap<Long, Segment> chain;
  private final NavigableMap<Long, Segment> copies;
  private final EntryPlaces places;
  private final NavigableMap<String, LogFile> free;

  /** Copied files that a later copy has replaced; they go with the next segment. */
  private final List<Segment> replaced = new ArrayList<>();

  private final Deque<Pending> queue = new ArrayDeque<>();
  private long queuedBytes;

  /** The segment that has the first part of an append that is not whole on disk; 0 for none. */
  private long begunIn;

  private long sequence;
  private long lastFile;
  private boolean noRoom;
  private boolean closed;
  private int strideBlocks;

  // Written under the lock or by the writer, read by all.
  private volatile long durable;
  private volatile long lastNumber;
  private volatile LogException failure;
  private volatile Runnable wake = () -> {};

  // The writer's own.
  private Segment active;
  private int nextBlock;
  private long lastOrdinal;
  private long startedIn; // the segment that the start began
  private int batchesSinceCount;

  private long marked;

  /** An append on its way to the disk. */
  private static final class Pending {
    final long sequence;
    final List<Change> changes;
    final long bytes;
    final long[] places;

    /** What of it is in batches: whole changes, and so much of the next one's payload. */
    int next;

    int offset;

    Pending(long sequence, List<Change> changes, long bytes) {
      this.sequence = sequence;
      this.changes = changes;
      this.bytes = bytes;
      this.places = new long[changes.size()];
    }

    boolean isBegun() {
      return next > 0 || offset > 0;
    }

    boolean isWhole() {
      return next == changes.size();
    }
  }

  /**
   * Opens the log in a folder, or makes a new one. It reads all segments, and begins a new one.
   *
   * @param files closed with the log, or when this fails
   * @param random for epochs; 64 bits that nobody has seen before
   * @throws LogException of kind DAMAGED when the log is less than had been synced, of kind FOREIGN
   *     when the files are not of one log or of another version, of kind NO_ROOM when there is no
   *     room for a new segment
   */
  public static Log open(LogFiles files, LogSettings settings, RandomGenerator random)
      throws IOException {
    try {
      Log log = new Log(files, settings, random, Recovery.of(files));
      if (!log.roll(true)) {
        throw new LogException(
            LogException.Kind.NO_ROOM,
            "no room for a segment of " + settings.segmentBytes() + " bytes");
      }
      synchronized (log.lock) {
        log.boundPositions();
      }
      log.mark();
      return log;
    } catch (IOException | RuntimeException e) {
      files.close();
      throw e;
    }
  }

  private Log(LogFiles files, LogSettings settings, RandomGenerator random, Recovery found)
      throws IOException {
    this.files = files;
    this.settings = settings;
    this.random = random;
    groups = found.groups();
    chain = found.chain();
    copies = found.copies();
    places = new EntryPlaces(groups, chain, copies);
    free = found.free();
    lastNumber = found.lastNumber();
    lastOrdinal = found.lastOrdinal();
    lastFile = found.lastFile();
    active = chain.isEmpty() ? null : chain.lastEntry().getValue();
    tails = new Tails(groups);
    log = found.known() ? found.log() : random.nextLong();
    if (!found.known()) {
      new Mark(log, 0).write(files);
    }
  }

  // ---- For those who append and read ----

  /** Says what is to be called, on the caller's thread, when something was appended. */
  void onAppend(Runnable wake) {
    this.wake = wake;
  }

  /**
   * Takes an append; it waits to be written.
   *
   * @return its number, one more than that of the append before it; {@link #durable} names it
   * @throws IllegalArgumentException when it does not follow from what the log holds
   * @throws LogException of kind NO_ROOM when the disk is full and the append has entries, of kind
   *     BUSY when too much waits, and of the kind of {@link #failure} after that; then nothing was
   *     taken
   */
  public long append(Append append) {
    if (append.changes().isEmpty()) {
      throw new IllegalArgumentException("an append without changes");
    }
    long bytes = 0;
    boolean hasEntries = false;
    for (Change change : append.changes()) {
      bytes += Batch.RECORD_BYTES + change.payload().length;
      hasEntries |= change.isEntry();
    }
    long taken;
    synchronized (lock) {
      checkUsable();
      if (noRoom && hasEntries) {
        throw new LogException(LogException.Kind.NO_ROOM, "the disk of the log is full");
      }
      if (!queue.isEmpty() && queuedBytes + bytes > settings.queueBytesMax()) {
        throw new LogException(
            LogException.Kind.BUSY, queuedBytes + " bytes wait to be written to the log");
      }
      List<Change> changes = tails.take(append.changes(), waiting(append));
      taken = ++sequence;
      queue.addLast(new Pending(taken, changes, bytes));
      queuedBytes += bytes;
    }
    wake.run();
    return taken;
  }

  /** The changes that are not on disk yet; only a compaction has to look at them. */
  private List<Change> waiting(Append append) {
    List<Change> waiting = new ArrayList<>();
    if (append.changes().stream().anyMatch(each -> each.kind() == Change.COMPACT)) {
      queue.forEach(each -> waiting.addAll(each.changes));
    }
    return waiting;
  }

  /** The number of the last append that is on disk, with all before it. A field read. */
  public long durable() {
    return durable;
  }

  /** Bytes of appends that wait to be written or synced. */
  public long queuedBytes() {
    synchronized (lock) {
      return queuedBytes;
    }
  }

  /** Why nothing is written any more; empty while all is well. */
  public Optional<LogException> failure() {
    return Optional.ofNullable(failure);
  }

  /** Whether appends with entries are refused for want of room. */
  public boolean isOutOfRoom() {
    synchronized (lock) {
      return noRoom;
    }
  }

  /** The groups that are on disk, sorted. */
  public Set<Long> groups() {
    synchronized (lock) {
      return new TreeSet<>(groups.keySet());
    }
  }

  /** What of a group is on disk; empty for none. */
  public Optional<Group> group(long group) {
    synchronized (lock) {
      return Optional.ofNullable(groups.get(group)).map(GroupState::view);
    }
  }

  /**
   * The last configuration of a group that is on disk, as the group encodes it; its base's where no
   * entry has one. The same array until another follows; nobody may change it. Empty for no group.
   */
  public Optional<byte[]> configuration(long group) {
    synchronized (lock) {
      return Optional.ofNullable(groups.get(group)).map(GroupState::configuration);
    }
  }

  /**
   * Reads entries that are on disk.
   *
   * @param from index of the first
   * @param bytesMax about how much at once; at least one entry
   * @return consecutive entries; none when the group does not have {@code from}
   * @throws LogException of kind DAMAGED or FAILED when it has it, and it cannot be read; then the
   *     log has failed
   */
  public List<LogEntry> read(long group, long from, long bytesMax) {
    return read(group, from, Long.MAX_VALUE, bytesMax, EntryReader.AHEAD_BYTES);
  }

  List<LogEntry> read(long group, long from, long to, long bytesMax, int aheadBytes) {
    EntryReader reader = new EntryReader(this::next, log, group, bytesMax, aheadBytes);
    EntryReader.Run failed = null;
    long at = from;
    while (true) {
      EntryReader.Run run = run(group, at, to);
      if (run == null || reader.isFull()) {
        return reader.taken();
      }
      Exception problem = null;
      try {
        if (reader.read(run)) {
          at = reader.nextIndex();
          continue;
        }
      } catch (IOException e) {
        problem = e;
      }
      if (run.equals(failed)) {
        throw fail(
            new LogException(
                problem == null ? LogException.Kind.DAMAGED : LogException.Kind.FAILED,
                "entry " + at + " of group " + group + " cannot be read from " + run.segment(),
                problem));
      }
      // It moved meanwhile, or its block was read ahead before it was written.
      failed = run;
      reader.forget();
    }
  }

  private EntryReader.Run run(long group, long index, long to) {
    synchronized (lock) {
      if (failure != null || closed) {
        checkUsable();
      }
      return places.run(group, index, to);
    }
  }

  private Segment next(Segment segment) {
    synchronized (lock) {
      return places.next(segment);
    }
  }

  private void checkUsable() {
    if (failure != null) {
      throw new LogException(
          failure.kind(), "the log has failed: " + failure.getMessage(), failure);
    }
    if (closed) {
      throw new LogException(LogException.Kind.CLOSED, "the log is closed");
    }
  }

  // ---- Steps: writing ----

  /**
   * Writes what waits, as far as one batch takes it, and syncs it.
   *
   * @return whether anything was written; false when nothing waits, there is no room, or the log
   *     has failed
   */
  public boolean write() {
    List<Pending> taken = new ArrayList<>();
    synchronized (lock) {
      if (failure != null || closed) {
        return false;
      }
      long bytes = 0;
      for (Iterator<Pending> each = queue.iterator();
          each.hasNext() && bytes < settings.batchBytesMax(); ) {
        Pending pending = each.next();
        taken.add(pending);
        bytes += pending.bytes;
      }
    }
    try {
      boolean full = leftBytes() < Math.min(settings.batchBytesMax(), SMALLEST_WRITE_BYTES);
      boolean needed = full && !taken.isEmpty();
      if ((needed || releaseWanted()) && !roll(false) && needed) {
        return false; // else what waits has room here
      }
      return !taken.isEmpty() && write(taken);
    } catch (IOException | RuntimeException e) {
      fail(e);
      return false;
    }
  }

  private int leftBytes() {
    return (active.blocks() - nextBlock) * Batch.BLOCK_BYTES;
  }

  private boolean write(List<Pending> taken) throws IOException {
    long number = lastNumber + 1;
    buffer.begin(active.epoch(), number, Math.min(settings.batchBytesMax(), leftBytes()));
    long place = Place.of(active.ordinal(), nextBlock);
    for (Pending pending : taken) {
      boolean fits = buffer.isEmpty() || pending.bytes <= buffer.room();
      if (!fits || !add(pending, place)) {
        break;
      }
    }
    ByteBuffer bytes = buffer.end(0, log, active.ordinal(), nextBlock);
    int blocks = bytes.remaining() / Batch.BLOCK_BYTES;
    active.file().write((long) nextBlock * Batch.BLOCK_BYTES, bytes);
    active.file().sync();
    nextBlock += blocks;
    synchronized (lock) {
      lastNumber = number;
      settle();
    }
    return true;
  }

  /** Adds what is left of an append; false when the batch is full. */
  private boolean add(Pending pending, long place) {
    while (!pending.isWhole()) {
      Change change = pending.changes.get(pending.next);
      boolean last = pending.next + 1 == pending.changes.size();
      int added = buffer.add(change, pending.offset, last);
      if (added < 0) {
        return false;
      }
      if (pending.offset == 0) {
        pending.places[pending.next] = place;
      }
      if (added < change.payload().length) {
        pending.offset = added;
        return false;
      }
      pending.next++;
      pending.offset = 0;
    }
    return true;
  }

  /** Carries out the appends that are whole on disk. */
  private void settle() {
    while (!queue.isEmpty() && queue.peekFirst().isWhole()) {
      Pending pending = queue.pollFirst();
      queuedBytes -= pending.bytes;
      for (int i = 0; i < pending.changes.size(); i++) {
        Change change = pending.changes.get(i);
        if (change.kind() == Change.REMOVE) {
          groups.remove(change.group());
        } else {
          groups
              .computeIfAbsent(change.group(), id -> new GroupState())
              .apply(change, pending.places[i], strideBlocks);
        }
      }
      durable = pending.sequence;
    }
    Pending first = queue.peekFirst();
    begunIn = first == null || !first.isBegun() ? 0 : Place.ordinal(first.places[0]);
    if (++batchesSinceCount >= BATCHES_BETWEEN_COUNTS) {
      batchesSinceCount = 0;
      boundPositions();
    }
  }

  private void boundPositions() {
    long runsMax = Math.max(1, settings.positionBytesMax() / Positions.RUN_BYTES);
    while (runs() > runsMax && strideBlocks < active.blocks()) {
      strideBlocks = Math.max(1, strideBlocks * 2);
      groups.values().forEach(each -> each.positions().thin(strideBlocks));
    }
  }

  private long runs() {
    return groups.values().stream().mapToLong(each -> each.positions().size()).sum();
  }

  // ---- Steps: segments ----

  /**
   * Begins a segment: with the state of all groups, and with what counts of the older files.
   *
   * @param start whether the log was opened just now: what an append had in parts is void
   * @return false when there is no file for it and no room to make one
   */
  private boolean roll(boolean start) throws IOException {
    Map.Entry<String, LogFile> file = takeFree();
    if (file == null) {
      return false;
    }
    long ordinal = lastOrdinal + 1;
    long number = lastNumber + 1;
    long epoch = random.nextLong();
    int bytesMax = settings.segmentBytes() / 2 / Batch.BLOCK_BYTES * Batch.BLOCK_BYTES;
    buffer.begin(epoch, number, bytesMax);
    Recovery.Opening opening;
    boolean fits;
    synchronized (lock) {
      opening = opening(ordinal, start);
      fits = buffer.add(opening.toChange(), 0, true) >= 0;
      for (Map.Entry<Long, GroupState> group : new TreeMap<>(groups).entrySet()) {
        Change change = group.getValue().toChange(group.getKey());
        fits = fits && buffer.add(change, 0, true) == change.payload().length;
      }
    }
    if (!fits) {
      throw new LogException(
          LogException.Kind.FAILED,
          groups.size() + " groups are too many for segments of " + settings.segmentBytes());
    }
    ByteBuffer bytes = buffer.end(Batch.FIRST, log, ordinal, 0);
    int blocks = bytes.remaining() / Batch.BLOCK_BYTES;
    writeInPieces(file.getValue(), bytes);
    file.getValue().sync();
    lastOrdinal = ordinal;
    if (start) {
      startedIn = ordinal;
    }
    active =
        new Segment(
            file.getKey(),
            file.getValue(),
            ordinal,
            0,
            epoch,
            number,
            settings.segmentBytes(),
            0,
            opening.begunIn());
    nextBlock = blocks;
    release(opening);
    return true;
  }

  private void writeInPieces(LogFile file, ByteBuffer bytes) throws IOException {
    int length = bytes.limit();
    for (int at = 0; at < length; at += settings.batchBytesMax()) {
      bytes.limit(Math.min(length, at + settings.batchBytesMax())).position(at);
      file.write(at, bytes);
    }
  }

  /** What a new segment says of the files: which are needed, beside itself. */
  private Recovery.Opening opening(long ordinal, boolean start) {
    long oldest = oldestNeeded(ordinal);
    List<Recovery.Opening.CopiedFile> counted = new ArrayList<>();
    for (long used : usedCopies().headSet(oldest, false)) {
      Segment copy = copies.get(used);
      counted.add(
          new Recovery.Opening.CopiedFile(used, copy.generation(), copy.epoch(), copy.bytes()));
    }
    return new Recovery.Opening(
        oldest, active == null ? 0 : active.ordinal(), start ? 0 : begunIn, start, counted);
  }

  /** The first segment that has entries of which no copy was made, or parts of an append. */
  private long oldestNeeded(long otherwise) {
    long oldest = otherwise;
    for (GroupState group : groups.values()) {
      Positions positions = group.positions();
      for (int run = 0; run < positions.size(); run++) {
        long ordinal = Place.ordinal(positions.place(run));
        if (!copies.containsKey(ordinal)) {
          oldest = Math.min(oldest, ordinal);
          break;
        }
      }
    }
    oldest = begunIn == 0 ? oldest : Math.min(oldest, begunIn);
    Segment first = chain.get(oldest);
    while (first != null && first.begunIn() != 0) {
      oldest = first.begunIn();
      first = chain.get(oldest);
    }
    return oldest;
  }

  private NavigableSet<Long> usedCopies() {
    TreeSet<Long> used = new TreeSet<>();
    for (GroupState group : groups.values()) {
      Positions positions = group.positions();
      for (int run = 0; run < positions.size(); run++) {
        long ordinal = Place.ordinal(positions.place(run));
        if (!copies.containsKey(ordinal)) {
          break;
        }
        used.add(ordinal);
      }
    }
    return used;
  }

  /** Lets go of the files that the newest segment, which is on disk, does not count any more. */
  private void release(Recovery.Opening opening) throws IOException {
    List<Segment> unused = new ArrayList<>();
    List<Segment> odd = new ArrayList<>();
    synchronized (lock) {
      chain.put(active.ordinal(), active);
      lastNumber = active.firstNumber(); // with it, so that no other segment seems to have it
      Map<Long, Segment> released = chain.headMap(opening.oldest());
      for (Segment segment : released.values()) {
        if (segment.bytes() == settings.segmentBytes()) {
          free.put(segment.name(), segment.file());
        } else {
          odd.add(segment);
        }
      }
      released.clear();
      unused.addAll(replaced);
      replaced.clear();
      Set<Long> used = usedCopies();
      copies.values().removeIf(each -> !used.contains(each.ordinal()) && unused.add(each));
    }
    unused.addAll(odd);
    for (Segment segment : unused) {
      segment.file().close();
      files.delete(segment.name());
    }
  }

  /** A file for a new segment; null when there is none and no room to make one. */
  private Map.Entry<String, LogFile> takeFree() throws IOException {
    Map.Entry<String, LogFile> next = pollFree();
    while (next != null && next.getValue().size() != settings.segmentBytes()) {
      next.getValue().close();
      files.delete(next.getKey());
      next = pollFree();
    }
    if (next != null) {
      return next;
    }
    return makeFile() ? pollFree() : null;
  }

  private Map.Entry<String, LogFile> pollFree() {
    synchronized (lock) {
      return free.pollFirstEntry();
    }
  }

  private boolean makeFile() throws IOException {
    String name;
    synchronized (lock) {
      name = Segment.segmentName(++lastFile);
    }
    LogFile file;
    try {
      file = files.create(name, settings.segmentBytes());
    } catch (LogException e) {
      if (e.kind() != LogException.Kind.NO_ROOM) {
        throw e;
      }
      synchronized (lock) {
        noRoom = free.size() < SPARES;
      }
      return false;
    }
    synchronized (lock) {
      free.put(name, file);
      noRoom = noRoom && free.size() < SPARES;
    }
    return true;
  }

  /**
   * Whether a new segment would let older ones go, and only that brings room. Copies count from the
   * next segment on only. So the segment that a start began is left early where there are more than
   * there should be: a node that is started again and again would else pile them up.
   */
  private boolean releaseWanted() {
    synchronized (lock) {
      boolean tooMany =
          active != null
              && active.ordinal() == startedIn
              && chain.size() > settings.segmentsMax()
              && Copying.next(groups, chain, copies, begunIn, settings) == null;
      return (tooMany || (noRoom && free.size() < SPARES && active != null))
          && oldestNeeded(active.ordinal() + 1) > chain.firstKey();
    }
  }

  // ---- Steps: housekeeping ----

  /**
   * Makes a file ahead of its use, so that no write has to wait for it. Without room it is told by
   * {@link #isOutOfRoom}, which ends once there is some.
   *
   * @return whether a file was made
   */
  public boolean prepare() {
    synchronized (lock) {
      if (failure != null || closed || free.size() >= SPARES) {
        noRoom = noRoom && free.size() < SPARES;
        return false;
      }
    }
    try {
      return makeFile();
    } catch (IOException | RuntimeException e) {
      fail(e);
      return false;
    }
  }

  /**
   * Copies what groups still need of the oldest segment, when there are more segments than there
   * should be, or of a copied file of which less than half is needed. The next segment that is
   * begun lets the source go.
   *
   * @return whether anything was copied
   */
  public boolean copy() {
    Copying copying;
    synchronized (lock) {
      if (failure != null || closed) {
        return false;
      }
      copying = Copying.next(groups, chain, copies, begunIn, settings);
    }
    if (copying == null) {
      return false;
    }
    try {
      Segment copy = copying.run(this, files, settings, log, random.nextLong());
      synchronized (lock) {
        copying.moveTo(groups);
        Segment former = copies.put(copy.ordinal(), copy);
        if (former != null) {
          replaced.add(former);
        }
      }
      return true;
    } catch (LogException e) {
      if (e.kind() == LogException.Kind.NO_ROOM) {
        return false;
      }
      fail(e);
      return false;
    } catch (IOException | RuntimeException e) {
      fail(e);
      return false;
    }
  }

  /**
   * Writes down how far the log is on disk, when that has changed.
   *
   * @return whether it was written
   */
  public boolean mark() {
    long number = lastNumber;
    if (failure != null || number == marked) {
      return false;
    }
    try {
      new Mark(log, number).write(files);
      marked = number;
      return true;
    } catch (LogException e) {
      if (e.kind() == LogException.Kind.NO_ROOM) {
        return false;
      }
      fail(e);
      return false;
    } catch (IOException e) {
      fail(e);
      return false;
    }
  }

  /**
   * Reads all that is on disk and counts, while the log is used, and checks that it is as it was
   * written. It ends early when the log is closed or has failed.
   *
   * @param pace told the bytes of each part after it was read; may wait; false to end here
   * @throws LogException of kind DAMAGED when something is not as it was written, of kind FAILED
   *     when it cannot be read; then the log has failed
   */
  public void verify(LongPredicate pace) {
    SegmentCheck check = new SegmentCheck(log, bytes -> pace.test(bytes) && isUsable());
    for (SegmentCheck.Part part : parts()) {
      if (check.isEnded() || !isUsable()) {
        return;
      }
      LogException problem = counts(part.segment()) ? check.problemOf(part) : null;
      if (problem != null && counts(part.segment())) {
        throw fail(problem);
      }
    }
  }

  /** The number that all files of this log have. */
  long id() {
    return log;
  }

  /** All files that count, and how far each is on disk. */
  List<SegmentCheck.Part> parts() {
    List<SegmentCheck.Part> parts = new ArrayList<>();
    synchronized (lock) {
      copies.values().forEach(each -> parts.add(new SegmentCheck.Part(each, 0)));
      replaced.forEach(each -> parts.add(new SegmentCheck.Part(each, 0)));
      for (Segment segment : chain.values()) {
        Map.Entry<Long, Segment> next = chain.higherEntry(segment.ordinal());
        long last = next == null ? lastNumber : next.getValue().firstNumber() - 1;
        parts.add(new SegmentCheck.Part(segment, last));
      }
    }
    return parts;
  }

  /** Whether a file still counts: once it does not, it is written anew or deleted. */
  private boolean counts(Segment segment) {
    synchronized (lock) {
      return isUsable()
          && (segment.equals(chain.get(segment.ordinal()))
              || segment.equals(copies.get(segment.ordinal()))
              || replaced.contains(segment));
    }
  }

  private boolean isUsable() {
    synchronized (lock) {
      return failure == null && !closed;
    }
  }

  private LogException fail(Exception cause) {
    LogException told =
        cause instanceof LogException known
            ? known
            : new LogException(
                LogException.Kind.FAILED,
                "the log cannot be written: " + cause.getMessage(),
                cause);
    synchronized (lock) {
      if (failure == null) {
        failure = told;
      }
      return told;
    }
  }

  /** Marks how far the log is, and closes its files. What waits is not written. */
  @Override
  public void close() throws IOException {
    synchronized (lock) {
      if (closed) {
        return;
      }
      closed = true;
    }
    mark();
    files.close();
  }

  /** For tests: how many files of each kind there are, and how many runs of positions. */
  Map<String, Long> counts() {
    synchronized (lock) {
      Map<String, Long> counts = new HashMap<>();
      counts.put("segments", (long) chain.size());
      counts.put("copies", (long) copies.size());
      counts.put("free", (long) free.size());
      counts.put("runs", runs());
      counts.put("ordinal", active.ordinal());
      return counts;
    }
  }
}
