// SPDX-License-Identifier: Apache-2.0
package dev.cairn.state;

/**
 * All that changes the database passes here, one at a time. Each install begins a new generation,
 * and what was begun in an earlier one changes nothing any more. Threads: any.
 */
final class Writer {
  private final Database database;
  private long generation; // guarded by this

  Writer(Database database) {
    this.database = database;
  }

  synchronized long generation() {
    return generation;
  }

  /** False if it is of an earlier generation: then nothing was written. */
  synchronized boolean write(long of, Database.Batch batch) {
    if (of != generation) {
      return false;
    }
    database.write(batch);
    return true;
  }

  /** False if it is of an earlier generation. */
  synchronized boolean sync(long of) {
    if (of != generation) {
      return false;
    }
    database.sync();
    return true;
  }

  synchronized void install(Database.Copy copy) {
    database.install(copy);
    generation++;
  }

  synchronized Database.Copy copy() {
    return database.copy();
  }

  /** All as it is now; null if that is of another generation. */
  synchronized SharedView view(long of) {
    return of == generation ? new SharedView(database.view()) : null;
  }

  synchronized void close() {
    generation++;
    database.close();
  }
}
