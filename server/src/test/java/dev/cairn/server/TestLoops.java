// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server;

import dev.cairn.server.peer.EventLoops;

/** One loop for all tests of a JVM that look at nothing of it. */
public final class TestLoops {
  /** Ends with the JVM. */
  public static final EventLoops SHARED = EventLoops.shared(1);

  private TestLoops() {}
}
