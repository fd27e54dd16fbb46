// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import dev.cairn.client.Security;
import java.nio.file.Path;

/**
 * What a node's process is put into, beside what every cluster gives it: another network, another
 * disk, another clock. A cluster may have several at once. It closes them when its nodes have
 * ended, before it removes its folders.
 */
public interface Surroundings extends AutoCloseable {
  /** The address under which this machine and the other nodes reach a node. */
  default String host(int node) {
    return "127.0.0.1";
  }

  /** Whether {@link #host} is for it to say. */
  default boolean givesHosts() {
    return false;
  }

  /**
   * Called before each start of a node's process.
   *
   * @param data its data folder, which may not be there yet; the only one in a folder that stands
   *     for the node's disk
   * @param builder its command and environment, to be changed
   */
  void prepare(int node, Path data, ProcessBuilder builder);

  /** How whoever tests connects to a node's client port. */
  default Security security() {
    return Security.NONE;
  }

  /** Called when the data folder of a node that does not run was removed. */
  default void wiped(int node) {}

  @Override
  default void close() {}

  /** Adds a library to those that the process loads first. */
  static void preload(ProcessBuilder builder, Path library) {
    builder
        .environment()
        .merge("LD_PRELOAD", library.toString(), (others, next) -> others + ":" + next);
  }
}
