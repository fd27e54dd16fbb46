// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.clients;

import java.util.List;
import java.util.Map;

/**
 * A client library as its users have it: one client of the client port, and where the library has a
 * cluster mode, one of that, seeded with the client port too.
 */
interface Library extends AutoCloseable {
  /** What docs/guide/clients.md calls it. */
  String name();

  /**
   * A pipeline, a transaction, a time to live and a scan, on the client port as on one Redis. The
   * store is empty before.
   */
  void worksOnTheClientPort();

  /** Whether there is a cluster mode that says of itself where it asks. */
  boolean hasClusterMode();

  /** The same in cluster mode; what there is is counted once, over all nodes. */
  void worksInClusterMode();

  /** Sets and gets keys of all partitions in cluster mode, one after the other. */
  void requests(int count);

  /** What it tells who reads a key that is not its user's: on each port that it asks. */
  List<String> reading(String key);

  /** What it tells who comes as the same user with another password: on each port that it asks. */
  List<String> comingWith(String password);

  /** Begins to work on both ports until {@link #finish}: whatever fails is counted, and gone on. */
  void begin();

  /** How often all keys were written and read, on both ports, without any error. */
  long rounds();

  /** A pattern of the errors that it may meet while a node is lost, as {@link #finish} has them. */
  String expectedErrors();

  /** Ends the work; the kinds of its errors, and how often each came. */
  Map<String, Long> finish();

  @Override
  void close();
}
