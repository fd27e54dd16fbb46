// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.fault;

import dev.cairn.testkit.Surroundings;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Surroundings that would stay on the machine: when this process is told to end (Ctrl-C, SIGTERM)
 * before they were closed, they are closed then. Nothing helps against SIGKILL.
 */
final class AtExit {
  private static final Set<Surroundings> OPEN = ConcurrentHashMap.newKeySet();

  static {
    Runtime.getRuntime()
        .addShutdownHook(new Thread(() -> OPEN.forEach(AtExit::close), "testkit-surroundings"));
  }

  private AtExit() {}

  /** To be closed at exit, unless it was before. */
  static void add(Surroundings surroundings) {
    OPEN.add(surroundings);
  }

  /** Closed now. */
  static void remove(Surroundings surroundings) {
    OPEN.remove(surroundings);
  }

  private static void close(Surroundings surroundings) {
    try {
      surroundings.close();
    } catch (RuntimeException e) {
      System.err.println("could not be undone: " + e.getMessage());
    }
  }
}
