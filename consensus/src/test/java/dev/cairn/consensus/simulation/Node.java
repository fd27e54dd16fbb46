// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus.simulation;

import dev.cairn.consensus.Batch;
import dev.cairn.consensus.EntriesWanted;
import dev.cairn.consensus.Entry;
import dev.cairn.consensus.Shard;
import dev.cairn.consensus.SharedLog;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * One simulated node: a process that runs a {@link Shard}, and a disk whose log all its groups
 * share. The process dies with all that was not synced, but for some of the oldest appends.
 */
final class Node implements SharedLog {
  private record Queued(long number, List<Part> parts, List<Machine> machines) {}

  private final Simulation world;
  final String name;
  private final SplittableRandom random;
  private final Map<Long, Machine> machines = new TreeMap<>();
  private final Deque<Queued> unsynced = new ArrayDeque<>();
  private long appends;
  private long session;

  // Of the process; gone when it dies.
  private Shard shard;
  private int life;
  private boolean roundDue;
  private long tickAt;

  // Faults.
  private int syncMillisMax = 2;
  private long frozenUntil;

  Node(Simulation world, String name) {
    this.world = world;
    this.name = name;
    this.random = world.random().split();
  }

  boolean isUp() {
    return shard != null;
  }

  boolean isFrozen() {
    return world.now() < frozenUntil;
  }

  Shard shard() {
    return shard;
  }

  long session() {
    return session;
  }

  // ---- The process ----

  void start() {
    if (isUp()) {
      return;
    }
    life++;
    session++;
    roundDue = false;
    tickAt = 0;
    shard =
        new Shard(name, session, world.settings(), this, this::send, random.split(), world.now());
    machines.values().forEach(machine -> machine.open(shard));
    round();
  }

  /** A replica is placed here. */
  void host(long group, Machine machine) {
    machines.put(group, machine);
    if (isUp()) {
      machine.open(shard);
      roundSoon();
    }
  }

  /** A replica ends here, and its data goes. */
  void remove(long group) {
    machines.remove(group);
    if (isUp()) {
      shard.close(group);
    }
  }

  void kill() {
    if (!isUp()) {
      return;
    }
    shard = null;
    frozenUntil = 0;
    int kept = unsynced.isEmpty() ? 0 : random.nextInt(unsynced.size() + 1);
    for (int i = 0; i < kept; i++) {
      unsynced.pollFirst().machines().forEach(Machine::sync);
    }
    unsynced.forEach(append -> append.machines().forEach(Machine::loseUnsynced));
    unsynced.clear();
    world.died(name, session);
  }

  void freeze(long millis) {
    frozenUntil = world.now() + millis;
  }

  void slowDisk(int millisMax) {
    syncMillisMax = millisMax;
  }

  /**
   * Runs something in this process if it still lives then. A frozen one does it when it thaws, and
   * what waited until then comes in any order: it came by different connections.
   */
  void later(long millis, Runnable action) {
    int born = life;
    world.after(
        millis,
        () -> {
          if (!isUp() || life != born) {
            return;
          }
          if (isFrozen()) {
            later(frozenUntil - world.now() + random.nextInt(2), action);
          } else {
            action.run();
          }
        });
  }

  /** Gives the shard something, and lets it have a round. */
  void input(long millis, Consumer<Shard> action) {
    later(
        millis,
        () -> {
          action.accept(shard);
          roundSoon();
        });
  }

  void roundSoon() {
    if (!roundDue) {
      roundDue = true;
      later(random.nextInt(2), this::round);
    }
  }

  private void round() {
    roundDue = false;
    long deadline = shard.round(world.now());
    machines.values().forEach(Machine::observe);
    if (shard.asleep() > 0) {
      world.count("rounds with groups that sleep");
    }
    tickAt(Math.max(world.now() + 1, deadline));
  }

  private void tickAt(long deadline) {
    if (deadline == Long.MAX_VALUE || (tickAt > world.now() && tickAt <= deadline)) {
      return; // nothing is due, or the tick that is due before asks again
    }
    tickAt = deadline;
    later(
        deadline - world.now(),
        () -> {
          if (tickAt == deadline) {
            tickAt = 0;
            round();
          }
        });
  }

  private void send(Batch batch) {
    for (Batch.Envelope envelope : batch.messages()) {
      machines.get(envelope.group()).promise(envelope.message());
    }
    world.send(batch);
  }

  // ---- The log ----

  @Override
  public long append(List<Part> parts) {
    appends++;
    List<Machine> changed = new ArrayList<>();
    for (Part part : parts) {
      Machine machine = machines.get(part.group());
      machine.write(part);
      changed.add(machine);
    }
    unsynced.addLast(new Queued(appends, parts, changed));
    if (parts.size() > 1) {
      world.count("appends of several groups");
    }
    later(random.nextInt(syncMillisMax), this::sync);
    return appends;
  }

  private void sync() {
    if (!unsynced.isEmpty()) {
      Queued append = unsynced.pollFirst();
      append.machines().forEach(Machine::sync);
      shard.durable(append.number(), world.now());
      roundSoon();
    }
  }

  @Override
  public void read(long group, EntriesWanted wanted) {
    Machine machine = machines.get(group);
    input(
        random.nextInt(5),
        at -> {
          List<Entry> entries = new ArrayList<>();
          boolean fails = world.isStormy() && random.nextInt(10) == 0;
          for (long i = wanted.from(); !fails && entries.size() < 20; i++) {
            if (!machine.disk().has(i)) {
              break;
            }
            entries.add(machine.disk().entry(i));
          }
          at.loaded(group, wanted.peer(), entries, world.now());
          world.count("entries loaded");
        });
  }
}
