// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus.simulation;

import dev.cairn.consensus.Message;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/** Loses, doubles, delays and reorders messages, and cuts directions. */
final class Network {
  private record Direction(String from, String to) {}

  private final Events events;
  private final RandomGenerator random;
  private final Consumer<Message> arrive;
  private final Set<Direction> cut = new HashSet<>();
  private double loss;
  private double doubling;
  private int delayMax = 3;

  Network(Events events, RandomGenerator random, Consumer<Message> arrive) {
    this.events = events;
    this.random = random;
    this.arrive = arrive;
  }

  void send(Message message) {
    if (!reaches(message.from().node(), message.to().node()) || random.nextDouble() < loss) {
      return;
    }
    deliver(message);
    if (random.nextDouble() < doubling) {
      deliver(message);
    }
  }

  private void deliver(Message message) {
    events.after(
        random.nextInt(delayMax),
        () -> {
          if (reaches(message.from().node(), message.to().node())) {
            arrive.accept(message);
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
