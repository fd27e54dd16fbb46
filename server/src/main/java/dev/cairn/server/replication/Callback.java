// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.replication;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells somebody an outcome from the loop. What he throws is his own affair: it is logged, and
 * neither the round nor whoever is told next knows of it.
 */
final class Callback {
  private static final Logger LOG = LoggerFactory.getLogger(Callback.class);

  private Callback() {}

  static void tell(Runnable outcome) {
    try {
      outcome.run();
    } catch (RuntimeException e) {
      LOG.error("who was told an outcome failed: report this as a bug", e);
    }
  }
}
