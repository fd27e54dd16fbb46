// SPDX-License-Identifier: Apache-2.0
package dev.cairn.state;

import java.util.function.Consumer;

/**
 * Puts a copy in the place of a state. Until {@link #end} all reads see the former one, and nothing
 * is applied.
 *
 * <p>Threads: {@link #carryOut} by any thread, once; {@link #end} by the state's owner, after it.
 */
public final class Install {
  private final Writer writer;
  private final Database.Copy copy;
  private final Consumer<Boolean> end;
  private boolean inPlace;

  Install(Writer writer, Database.Copy copy, Consumer<Boolean> end) {
    this.writer = writer;
    this.copy = copy;
    this.end = end;
  }

  /** The copy comes to be the database, and is durable. What flushes had begun ends. */
  public void carryOut() {
    writer.install(copy);
    inPlace = true;
  }

  /** The state is the copy's; or the former one goes on if that could not be carried out. */
  public void end() {
    end.accept(inPlace);
  }
}
