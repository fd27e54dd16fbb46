// SPDX-License-Identifier: Apache-2.0
package dev.cairn.state;

import java.util.random.RandomGenerator;

/** Where a database lies, for tests that crash. */
public interface CrashingDatabase {
  /** The database as a process that begins finds it. */
  Database open();

  /** The process is gone, and some of what it had not synced. Its state was closed. */
  void crash(RandomGenerator random);
}
