// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.longrun;

import dev.cairn.testkit.Availability;
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
 * it waits until the cluster is healthy and each partition is written to.
 */
final class Nemesis {
  private static final long HOLD_MILLIS_MIN = 1_000;
  private static final long HOLD_MILLIS_MAX = 2_500;
  private static final long SETTLE_MILLIS_MAX = 1_500;

  private final ProcessCluster cluster;
  private final List<Fault> faults;
  private final Availability availability;
  private final Supplier<String> anyKey;
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
   */
  Nemesis(
      ProcessCluster cluster,
      List<Fault> faults,
      Availability availability,
      Supplier<String> anyKey,
      long seed) {
    this.cluster = cluster;
    this.faults = faults;
    this.availability = availability;
    this.anyKey = anyKey;
    random = new Random(seed);
    faults.forEach(fault -> tallies.put(fault.name(), new Tally()));
  }

  /** Of each fault, by its name. */
  Map<String, Tally> tallies() {
    return tallies;
  }

  int count() {
    return tallies.values().stream().mapToInt(tally -> tally.count).sum();
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
    boolean onLeader = random.nextBoolean();
    int node = random.nextInt(cluster.size());
    if (onLeader) {
      node = cluster.leaderOf(anyKey.get());
    }
    availability.begin();
    fault.begin(cluster, node);
    pause(HOLD_MILLIS_MIN + random.nextLong(HOLD_MILLIS_MAX - HOLD_MILLIS_MIN));
    fault.heal(cluster, node);
    cluster.awaitHealthy();
    availability.awaitWriteToEach();
    long unavailable = availability.worstNanos();
    Tally tally = tallies.get(fault.name());
    tally.count++;
    tally.onLeader += onLeader || !fault.hasTarget() ? 1 : 0;
    tally.unavailableNanos.add(unavailable);
    pause(random.nextLong(SETTLE_MILLIS_MAX));
    return new Injected(fault.name(), node, onLeader, unavailable);
  }

  private static void pause(long millis) {
    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(millis));
  }
}
