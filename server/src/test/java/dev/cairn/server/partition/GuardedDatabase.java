// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import dev.cairn.state.Applied;
import dev.cairn.state.Cursor;
import dev.cairn.state.Database;

/**
 * A database that notices when it is asked by a loop that must not wait, and that can be made to
 * make a mistake.
 */
final class GuardedDatabase implements Database {
  /** What is done wrongly. */
  enum Mistake {
    NONE,
    /** A flush leaves out the row that says which state it is. */
    ROW_LEFT_OUT,
    /** A flush writes the row that it will have at its end, before its data. */
    ROW_AHEAD,
    /** A key that was removed stays on disk. */
    TOMBSTONE_FORGOTTEN,
    /** What a clear takes stays on disk. */
    CLEAR_FORGOTTEN,
    /** Ids of writes are not written. */
    IDS_LEFT_OUT,
    /** The index of what expires is not written. */
    EXPIRY_LEFT_OUT
  }

  private static final byte EXPIRY_SPACE = 2;
  private static final byte OWN_SPACE = 3;

  private final Database database;
  private final Mistake mistake;
  private boolean refuses;

  GuardedDatabase(Database database, Mistake mistake) {
    this.database = database;
    this.mistake = mistake;
  }

  /** Refuses reads while something runs that must not wait for the disk. */
  void refuseReads(boolean refused) {
    refuses = refused;
  }

  @Override
  public void write(Batch batch) {
    boolean clear = batch.clear() && mistake != Mistake.CLEAR_FORGOTTEN;
    Applied row = batch.applied();
    if (mistake == Mistake.ROW_LEFT_OUT) {
      try (Database.View before = database.view()) {
        row = before.applied();
      }
    }
    if (mistake == Mistake.ROW_AHEAD) {
      database.write(new Batch(false, GuardedDatabase::none, row));
    }
    database.write(new Batch(clear, () -> new Changes(batch.rows().get()), row));
  }

  private static Cursor none() {
    return new Cursor() {
      @Override
      public boolean next() {
        return false;
      }

      @Override
      public byte[] key() {
        throw new IllegalStateException();
      }

      @Override
      public byte[] value() {
        throw new IllegalStateException();
      }
    };
  }

  /** The rows of a batch, without those that the mistake leaves out. */
  private final class Changes implements Cursor {
    private final Cursor rows;

    Changes(Cursor rows) {
      this.rows = rows;
    }

    @Override
    public boolean next() {
      boolean there = rows.next();
      while (there && isLeftOut()) {
        there = rows.next();
      }
      return there;
    }

    private boolean isLeftOut() {
      byte space = rows.key()[0];
      return switch (mistake) {
        case TOMBSTONE_FORGOTTEN -> rows.value() == null;
        case IDS_LEFT_OUT -> space == OWN_SPACE;
        case EXPIRY_LEFT_OUT -> space == EXPIRY_SPACE;
        default -> false;
      };
    }

    @Override
    public byte[] key() {
      return rows.key();
    }

    @Override
    public byte[] value() {
      return rows.value();
    }
  }

  @Override
  public Live view() {
    Live view = database.view();
    return new Live() {
      @Override
      public byte[] get(byte[] key) {
        refuse();
        return view.get(key);
      }

      @Override
      public byte[] known(byte[] key) {
        return view.known(key);
      }

      @Override
      public View snapshot() {
        return view.snapshot();
      }

      @Override
      public Cursor rows(byte[] from, byte[] to) {
        refuse();
        return view.rows(from, to);
      }

      @Override
      public Applied applied() {
        return view.applied();
      }

      @Override
      public void close() {
        view.close();
      }
    };
  }

  private void refuse() {
    if (refuses) {
      throw new AssertionError("a loop that must not wait asks the disk");
    }
  }

  @Override
  public void sync() {
    database.sync();
  }

  @Override
  public Copy copy() {
    return database.copy();
  }

  @Override
  public void install(Copy copy) {
    database.install(copy);
  }

  @Override
  public void close() {
    database.close();
  }
}
