// SPDX-License-Identifier: Apache-2.0
package dev.cairn.client;

import java.time.Duration;

/**
 * Told when a call turns from one node to another. Called on the client's own threads, in the order
 * of events of one call; must return soon and must not throw.
 */
public interface ClientListener {
  /** Does nothing. */
  ClientListener NONE = new ClientListener() {};

  /** A node could not be reached; the call goes on with another. */
  default void unavailable(Address node, Address next) {}

  /** A node did not answer in time; the call goes on with another. */
  default void timeout(Address node, Duration waited, Address next) {}
}
