// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools.bench;

/** What to do next. */
interface Work {
  /** Whether there is nothing more to do. */
  boolean isExhausted();

  /** Makes this the next operation: its kind and its key. */
  void next(InFlight operation);

  /** This operation has ended, well or not. */
  void ended(InFlight operation);
}
