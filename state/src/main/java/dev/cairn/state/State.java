// SPDX-License-Identifier: Apache-2.0
package dev.cairn.state;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The state of one partition's replica: what the entries of its log, applied in order, came to.
 *
 * <p>The log is what makes a write durable. So an operation changes memory only, and the {@link
 * Database} is written behind, in the order of keys, by a {@link Flush} now and then. After a crash
 * the state is as of the last flush that is there, and the log is applied from its {@link #applied}
 * row on.
 *
 * <p>An owner applies entries: {@link #begin}, operations, {@link #end}. A write's effect is what
 * these leave. Keys, values and their expiry are here; what an operation means is its own affair.
 *
 * <p>Threads: all methods are for the owner, one thread at a time. What waits for the disk is done
 * elsewhere: the steps of a {@link Flush} and an {@link Install}, {@link #copy}, a {@link View}. A
 * read by the owner may wait too, where memory does not know the key.
 *
 * <p>Invariants:
 *
 * <ol>
 *   <li>What is applied depends on the entry and the state alone.
 *   <li>An entry at or below the applied row is skipped: its effect is there. Data, ids of writes,
 *       expiry index and row change in one batch of the database, which is whole or not there.
 *   <li>A read sees all that was applied and nothing else, however far a flush or install is. A
 *       {@link View} stays at one applied index.
 *   <li>A flush that was begun before an install changes nothing after it, in memory or on disk.
 *   <li>{@link #durableIndex} never runs ahead of the disk.
 *   <li>A key is gone exactly when partition time has reached its {@code expiresAtMillis}. Each
 *       change takes the next number of the counter, which becomes the key's version.
 *   <li>No key in the data expires before {@code firstExpiryMillis}: what expires is looked for
 *       from there on.
 *   <li>{@code keys} counts what stands in the data: a key that has expired counts until it is
 *       removed, by a {@link #sweep} or by a write in its place.
 * </ol>
 */
public final class State {
  private final Database database;
  private final Writer writer;
  private final Layers layers;
  private final RequestIds ids;
  private long generation;
  private Applied applied;
  private long durableIndex;
  private long firstExpiryMillis;
  private boolean flushing;
  private boolean installing;

  // Of the entry that is being applied.
  private boolean applying;
  private long index;
  private long term;
  private long counter;
  private long keys;
  private long timeMillis;

  private State(Database database, SharedView base, long hashSeed, RequestIds.Bounds idBounds) {
    this.database = database;
    this.writer = new Writer(database);
    this.layers = new Layers(base, hashSeed);
    this.ids = new RequestIds(layers.ownRows(), idBounds);
    takeOn(base.view().applied());
  }

  /**
   * Opens the state that a database holds.
   *
   * @param database is this state's from now on; what it holds is durable
   * @param hashSeed of the tables in memory; nothing that can be seen depends on it
   */
  public static State open(Database database, long hashSeed, RequestIds.Bounds idBounds) {
    SharedView base = new SharedView(database.view());
    try {
      return new State(database, base, hashSeed, idBounds);
    } catch (RuntimeException e) {
      base.release(); // else the database could not be closed
      throw e;
    }
  }

  private void takeOn(Applied row) {
    applied = row;
    durableIndex = row.index();
    counter = row.counter();
    keys = row.keys();
    timeMillis = row.timeMillis();
    firstExpiryMillis = 0;
  }

  // ---- How far it is ----

  /** What was applied, whole entries only. */
  public Applied applied() {
    return applied;
  }

  /** Up to which entry the state is durable without the log. */
  public long durableIndex() {
    return durableIndex;
  }

  /** What is in memory because it is not flushed, in bytes. */
  public long unflushedBytes() {
    return layers.bytes();
  }

  // ---- Applying ----

  /**
   * An entry begins.
   *
   * @param entryTimeMillis the partition time that it brings; one that lies back changes nothing
   * @return false for an entry that was applied already: it is to be left out
   */
  public boolean begin(long entryIndex, long entryTerm, long entryTimeMillis) {
    if (entryIndex <= applied.index()) {
      return false;
    }
    if (installing || applying || entryIndex != applied.index() + 1) {
      throw new IllegalStateException(
          "entry %d cannot be applied behind %d%s"
              .formatted(entryIndex, applied.index(), installing ? ", while a copy comes" : ""));
    }
    applying = true;
    index = entryIndex;
    term = entryTerm;
    timeMillis = Math.max(timeMillis, entryTimeMillis);
    return true;
  }

  /** The entry that began is applied. */
  public void end() {
    end(applied.configurationIndex(), applied.configuration());
  }

  private void end(long configurationIndex, byte[] configuration) {
    requireApplying();
    ids.endEntry(timeMillis);
    applied =
        new Applied(index, term, counter, keys, timeMillis, configurationIndex, configuration);
    applying = false;
    layers.endEntry(applied);
  }

  /** Applies an entry that changes no data. */
  public void pass(long entryIndex, long entryTerm) {
    if (begin(entryIndex, entryTerm, 0)) {
      end();
    }
  }

  /** Applies an entry that says who belongs to the group. */
  public void configure(long entryIndex, long entryTerm, byte[] configuration) {
    if (begin(entryIndex, entryTerm, 0)) {
      end(entryIndex, configuration);
    }
  }

  private void requireApplying() {
    if (!applying) {
      throw new IllegalStateException("no entry is being applied");
    }
  }

  /** Partition time, with what the entry that is being applied brought. */
  public long timeMillis() {
    return timeMillis;
  }

  /** How many keys stand in the data. */
  public long keys() {
    return keys;
  }

  /** What stands under a key whose time is not up. May wait for the disk. */
  public Optional<ValueRecord> get(byte[] key) {
    return stored(key).filter(value -> !value.isOver(timeMillis));
  }

  /** What stands under a key, its time up or not. May wait for the disk. */
  public Optional<ValueRecord> stored(byte[] key) {
    return storedIn(Spaces.user(key));
  }

  /**
   * As {@link #stored}, but where memory does not know the key: then what another way tells. Not
   * while an entry is applied.
   */
  public Optional<ValueRecord> stored(byte[] key, Supplier<Optional<ValueRecord>> unknown) {
    requireBetweenEntries();
    byte[] found = layers.inMemory(Spaces.user(key));
    return found == null ? unknown.get() : Look.recordOf(found);
  }

  /** Walks over keys as they stand now, as {@link View#scan}. May wait for the disk. */
  public Optional<byte[]> scan(byte[] from, byte[] to, int keysMax, View.Visitor visitor) {
    return View.scan(layers::rows, from, to, keysMax, visitor);
  }

  /**
   * Stores a value; one whose time is up already is removed instead.
   *
   * @param expiresAtMillis partition time, or {@link ValueRecord#NEVER}
   * @return whether a key stood there whose time was up
   */
  public boolean put(byte[] key, byte[] value, long expiresAtMillis) {
    requireApplying();
    byte[] row = Spaces.user(key);
    Optional<ValueRecord> before = storedIn(row);
    boolean expired = before.filter(standing -> standing.isOver(timeMillis)).isPresent();
    counter++;
    ValueRecord record = new ValueRecord(counter, expiresAtMillis, value);
    if (record.isOver(timeMillis)) {
      before.ifPresent(standing -> remove(row, key, standing));
      return expired;
    }
    long expiredBefore = before.map(ValueRecord::expiresAtMillis).orElse(ValueRecord.NEVER);
    if (expiredBefore != expiresAtMillis) {
      removeExpiry(expiredBefore, key);
      if (expiresAtMillis != ValueRecord.NEVER) {
        layers.put(Spaces.expiry(expiresAtMillis, key), new byte[0]);
        firstExpiryMillis = Math.min(firstExpiryMillis, expiresAtMillis);
      }
    }
    layers.put(row, record.encode());
    keys += before.isPresent() ? 0 : 1;
    return expired;
  }

  /** Removes a key; whether it was there. */
  public boolean delete(byte[] key) {
    requireApplying();
    byte[] row = Spaces.user(key);
    Optional<ValueRecord> before = storedIn(row).filter(value -> !value.isOver(timeMillis));
    before.ifPresent(
        standing -> {
          counter++;
          remove(row, key, standing);
        });
    return before.isPresent();
  }

  /** Removes all keys; what is known of ids stays. */
  public void clear() {
    requireApplying();
    counter++;
    keys = 0;
    firstExpiryMillis = Long.MAX_VALUE;
    layers.clear();
  }

  /** Removes keys whose time is up, the earliest first; how many. */
  public int sweep(int keysMax) {
    requireApplying();
    List<byte[]> due = new ArrayList<>();
    try (Cursor rows = expiring(timeMillis)) {
      while (due.size() < keysMax && rows.next()) {
        due.add(Spaces.expiringKey(rows.key()));
        firstExpiryMillis = Spaces.expiresAtMillis(rows.key());
      }
    }
    if (due.size() < keysMax) {
      firstExpiryMillis = Math.max(firstExpiryMillis, timeMillis + 1);
    }
    for (byte[] key : due) {
      byte[] row = Spaces.user(key);
      ValueRecord standing =
          storedIn(row)
              .filter(value -> value.isOver(timeMillis))
              .orElseThrow(() -> new StateException("the index of expiries names no such key"));
      counter++;
      remove(row, key, standing);
    }
    return due.size();
  }

  /** False when certainly no key expires at that time or before. Does not look. */
  public boolean mayExpire(long untilMillis) {
    return firstExpiryMillis <= untilMillis;
  }

  /** Whether a key expires at that time or before. May wait for the disk, if one may. */
  public boolean anyExpires(long untilMillis) {
    if (!mayExpire(untilMillis)) {
      return false;
    }
    try (Cursor rows = expiring(Long.MAX_VALUE - 1)) {
      firstExpiryMillis = rows.next() ? Spaces.expiresAtMillis(rows.key()) : Long.MAX_VALUE;
    }
    return mayExpire(untilMillis);
  }

  private Cursor expiring(long untilMillis) {
    byte[] none = {};
    long endMillis = Math.max(firstExpiryMillis, untilMillis + 1);
    return layers.rows(Spaces.expiry(firstExpiryMillis, none), Spaces.expiry(endMillis, none));
  }

  private Optional<ValueRecord> storedIn(byte[] row) {
    return Optional.ofNullable(layers.get(row)).map(ValueRecord::decode);
  }

  private void remove(byte[] row, byte[] key, ValueRecord standing) {
    removeExpiry(standing.expiresAtMillis(), key);
    layers.remove(row);
    keys--;
  }

  private void removeExpiry(long expiresAtMillis, byte[] key) {
    if (expiresAtMillis != ValueRecord.NEVER) {
      layers.remove(Spaces.expiry(expiresAtMillis, key));
    }
  }

  // ---- Reading ahead ----

  /**
   * Begins to read what entries will ask for and memory does not know; empty where it knows all.
   * Then applying them does not wait, but for what they do not name (a {@link #sweep}, a {@link
   * #scan}) and for ids that go because answers take much room.
   */
  public Optional<Fetch> beginFetch(Wanted wanted) {
    List<byte[]> rows = new ArrayList<>();
    wanted.keys().forEach(key -> addUnknown(Spaces.user(key), rows));
    wanted.ids().forEach(id -> addUnknown(RequestIds.rowOf(id), rows));
    RequestIds.Going going =
        ids.going(wanted.ids().size(), wanted.entries(), Math.max(timeMillis, wanted.timeMillis()));
    if (rows.isEmpty() && going.walk(key -> layers.inMemory(Spaces.own(key)))) {
      return Optional.empty();
    }
    return Optional.of(new Fetch(layers, layers.shareBase(), rows, going));
  }

  private void addUnknown(byte[] row, List<byte[]> rows) {
    if (!layers.knows(row)) {
      rows.add(row);
    }
  }

  // ---- Ids of writes ----

  /** What a write of the entry that is being applied is answered without being applied, if so. */
  public RequestIds.Recalled recall(RequestId id) {
    requireApplying();
    return ids.recall(id, timeMillis);
  }

  /** Keeps the answer of a write that the current entry has just applied. */
  public void remember(RequestId id, byte[] answer) {
    requireApplying();
    ids.remember(id, answer);
  }

  /** How many ids are kept. */
  public long idsKept() {
    return ids.count();
  }

  // ---- Reading elsewhere ----

  /**
   * A look at a key, which is carried out elsewhere; to be asked. Not while an entry is applied.
   */
  public Look look(byte[] key) {
    requireBetweenEntries();
    byte[] row = Spaces.user(key);
    byte[] inMemory = layers.inMemory(row);
    return new Look(inMemory, inMemory == null ? layers.shareBase() : null, row);
  }

  /** All as it is now. To be closed. */
  public View view() {
    requireBetweenEntries();
    return new View(layers.tables(), layers.snapshotOfBase(), applied);
  }

  private void requireBetweenEntries() {
    if (applying) {
      throw new IllegalStateException("entry " + index + " is being applied");
    }
  }

  // ---- Flushing ----

  /** Begins to write what was applied; empty if all is durable or a flush is under way. */
  public Optional<Flush> beginFlush() {
    requireBetweenEntries();
    if (flushing || applied.index() == durableIndex) {
      return Optional.empty();
    }
    flushing = true;
    return Optional.of(new Flush(writer, generation, layers.beginFlush(applied), this::endFlush));
  }

  private void endFlush(Flush flush) {
    if (flush.generation() != generation) {
      return; // a copy took the place of all that it wrote
    }
    SharedView view = flush.isSynced() ? writer.view(generation) : null;
    if (view != null) { // else a copy is in place, and its install is about to end
      durableIndex = flush.applied().index();
      layers.endFlush(view);
      flushing = false;
    }
  }

  // ---- Copies ----

  /** A copy of what is durable. Threads: any. */
  public Database.Copy copy() {
    return writer.copy();
  }

  /** Begins to put a copy in the place of all; nothing is applied until it has ended. */
  public Install beginInstall(Database.Copy copy) {
    requireBetweenEntries();
    if (installing || copy.applied().index() <= applied.index()) {
      throw new IllegalStateException(
          "a copy of %s cannot take the place of %s%s"
              .formatted(copy.applied(), applied, installing ? ", while another comes" : ""));
    }
    installing = true;
    return new Install(writer, copy, this::endInstall);
  }

  private void endInstall(boolean inPlace) {
    installing = false;
    if (!inPlace) {
      return;
    }
    generation = writer.generation();
    SharedView view = writer.view(generation);
    layers.replace(view);
    takeOn(view.view().applied());
    ids.load();
    flushing = false;
  }

  /** Lets go of all; what is not flushed is in the log. No step may be under way. */
  public void close() {
    layers.close();
    writer.close();
  }

  /** The database below, for whoever watches over it. */
  public Database database() {
    return database;
  }
}
