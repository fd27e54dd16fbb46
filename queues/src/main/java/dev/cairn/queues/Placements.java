// SPDX-License-Identifier: Apache-2.0
package dev.cairn.queues;

import java.util.Optional;

/** The placement that is in force for each thread. */
final class Placements {
  private static final ThreadLocal<Placement> CURRENT = new ThreadLocal<>();

  private Placements() {}

  static Optional<Placement> current() {
    return Optional.ofNullable(CURRENT.get());
  }

  static void set(Optional<Placement> placement) {
    if (placement.isPresent()) {
      CURRENT.set(placement.get());
    } else {
      CURRENT.remove();
    }
  }
}
