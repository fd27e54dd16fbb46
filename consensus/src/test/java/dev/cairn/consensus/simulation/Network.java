// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus.simulation;

import dev.cairn.consensus.Batch;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/** Loses, doubles, delays and reorders batches, and cuts directions. */
final class Network {
  private record Direction(String from, String to) {}

  private final Events events;
  private final RandomGenerator random;
  private final Consumer<Batch> arrive;
  private final Set<Direction> cut = new HashSet<>();
  private double loss;
  private double doubling;
  private int delayMax = 3;

  Network(Events events, RandomGenerator random, Consumer<Batch> arrive) {
    this.events = events;
    this.random = random;
    this.arrive = arrive;
  }

  void send(Batch batch) {
    if (!reaches(batch.from(), batch.to()) || random.nextDouble() < loss) {
      return;
    }
    deliver(batch);
    if (random.nextDouble() < doubling) {
      deliver(batch);
    }
  }

  private void deliver(Batch batch) {
    events.after(
        random.nextInt(delayMax),
        () -> {
          if (reaches(batch.from(), batch.to())) {
            arrive.accept(batch);
          }
        });
  }

  boolean reaches(String from, String to) {
    return !cut.contains(new Direction(from, to));
  }

  void cut(String from, String to) {
    cut.add(new Direction(from, to));
  }

  /** From now on so many are lost and doubled, and they take up to so long. */
  void behave(double losing, double doublingShare, int delayBelowMillis) {
    loss = losing;
    doubling = doublingShare;
    delayMax = delayBelowMillis;
  }

  void heal() {
    cut.clear();
    behave(0, 0, 3);
  }
}
