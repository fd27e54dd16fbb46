// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.longrun;

import dev.cairn.testkit.Availability;
import dev.cairn.testkit.LoudLines;
import dev.cairn.testkit.ProcessCluster;
import dev.cairn.testkit.fault.Fault;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/**
 * Injects faults one after the other, in a seeded random order in which each comes equally often:
 * half of them on the leader of a key that is being written to, the others on any node. After each
 * it waits, if it is told to, until the cluster is healthy and each partition is written to.
 */
final class Nemesis {
  private static final long HOLD_MILLIS_MIN = 800;
  private static final long HOLD_MILLIS_MAX = 2_000;
  private static final long SETTLE_MILLIS_MAX = 600;

  private final ProcessCluster cluster;
  private final List<Fault> faults;
  private final Availability availability;
  private final Supplier<String> anyKey;
  private final boolean alone;
  private final Random random;
  private final Deque<Fault> bag = new ArrayDeque<>();
  private final Map<String, Tally> tallies = new LinkedHashMap<>();

  /** What was done, for a line of progress. */
  record Injected(String fault, int node, boolean onLeader, long unavailableNanos) {}

  /** All of one fault so far. */
  static final class Tally {
    int count;
    int onLeader;
    final List<Long> unavailableNanos = new ArrayList<>();
    int loudMost;
    final List<String> tooLoud = new ArrayList<>();

    long median() {
      List<Long> sorted = unavailableNanos.stream().sorted().toList();
      return sorted.isEmpty() ? 0 : sorted.get(sorted.size() / 2);
    }

    long worst() {
      return unavailableNanos.stream().mapToLong(Long::longValue).max().orElse(0);
    }
  }

  /**
   * @param anyKey a key that is being written to
   * @param alone whether to wait after each fault until all is well; else others are under way
   *     meanwhile, and who injects those waits
   */
  Nemesis(
      ProcessCluster cluster,
      List<Fault> faults,
      Availability availability,
      Supplier<String> anyKey,
      boolean alone,
      long seed) {
    this.cluster = cluster;
    this.faults = faults;
    this.availability = availability;
    this.anyKey = anyKey;
    this.alone = alone;
    random = new Random(seed);
    faults.forEach(fault -> tallies.put(fault.name(), new Tally()));
  }

  /** Of each fault, by its name. */
  synchronized Map<String, Tally> tallies() {
    return new LinkedHashMap<>(tallies);
  }

  synchronized int count() {
    return tallies.values().stream().mapToInt(tally -> tally.count).sum();
  }

  /** How often the rarest of the faults was injected. */
  synchronized int rounds() {
    return tallies.values().stream().mapToInt(tally -> tally.count).min().orElse(Integer.MAX_VALUE);
  }

  /**
   * Lets the next fault happen and pass.
   *
   * @throws RuntimeException when the cluster does not recover
   */
  Injected next() {
    if (bag.isEmpty()) {
      List<Fault> all = new ArrayList<>(faults);
      Collections.shuffle(all, random);
      bag.addAll(all);
    }
    Fault fault = bag.remove();
    boolean onLeader = tallies.get(fault.name()).count % 2 == 0; // by turns, not by luck
    int node = random.nextInt(cluster.size());
    if (onLeader) {
      node = cluster.leaderOf(anyKey.get());
    }
    LoudLines loud = LoudLines.since(cluster);
    availability.begin();
    fault.begin(cluster, node);
    pause(HOLD_MILLIS_MIN + random.nextLong(HOLD_MILLIS_MAX - HOLD_MILLIS_MIN));
    fault.heal(cluster, node);
    if (alone) {
      cluster.awaitHealthy();
      availability.awaitWriteToEach();
    }
    long unavailable = availability.worstNanos();
    synchronized (this) {
      Tally tally = tallies.get(fault.name());
      tally.count++;
      tally.onLeader += onLeader || !fault.hasTarget() ? 1 : 0;
      tally.unavailableNanos.add(unavailable);
      tally.loudMost = Math.max(tally.loudMost, loud.most());
      tally.tooLoud.addAll(loud.excesses());
    }
    pause(random.nextLong(SETTLE_MILLIS_MAX));
    return new Injected(fault.name(), node, onLeader, unavailable);
  }

  private static void pause(long millis) {
    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(millis));
  }
}
