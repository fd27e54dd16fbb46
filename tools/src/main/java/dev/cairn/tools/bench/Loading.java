// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools.bench;

/** Writes each key once, in order: what {@code --load} does before anything is measured. */
final class Loading implements Work {
  private final long keys;
  private long next;

  Loading(long keys) {
    this.keys = keys;
  }

  @Override
  public boolean isExhausted() {
    return next >= keys;
  }

  @Override
  public void next(InFlight operation) {
    operation.begin(Kind.SET, next++);
  }

  @Override
  public void ended(InFlight operation) {
    // Failures are counted where they are met.
  }
}
