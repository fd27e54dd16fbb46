// SPDX-License-Identifier: Apache-2.0
package dev.cairn.state;

/** A view of the database that several readers use; the last one closes it. Threads: any. */
final class SharedView {
  private final Database.Live view;
  private int users = 1; // guarded by this

  /** Begins with one user. */
  SharedView(Database.Live view) {
    this.view = view;
  }

  Database.Live view() {
    return view;
  }

  synchronized SharedView share() {
    if (users == 0) {
      throw new IllegalStateException("the view is closed");
    }
    users++;
    return this;
  }

  void release() {
    synchronized (this) {
      if (--users > 0) {
        return;
      }
    }
    view.close();
  }
}
