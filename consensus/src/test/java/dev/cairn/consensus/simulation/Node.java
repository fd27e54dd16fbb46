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
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * One simulated node: a process that runs a {@link Shard}, and a log that all its groups share. The
 * process dies with all that was not synced, but for some of the oldest appends. What is there then
 * must be what was synced, and those.
 */
final class Node implements SharedLog {
  private record Queued(long number, List<Machine> machines) {}

  private final Simulation world;
  final String name;
  private final SplittableRandom random;
  private final SimulatedLog log;
  private final Map<Long, Machine> machines = new TreeMap<>();
  private final Deque<Queued> unsynced = new ArrayDeque<>();
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
    this.log = world.makeLog(random, group -> machines.get(group).disk());
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

  SimulatedLog log() {
    return log;
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
    log.start(machines.keySet(), this::load);
    machines.values().forEach(machine -> machine.open(shard));
    round();
    run(this::keepHouse);
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
      log.remove(group);
    }
  }

  void kill() {
    if (!isUp()) {
      return;
    }
    shard = null;
    frozenUntil = 0;
    machines.values().forEach(Machine::crash);
    int kept = log.crash(unsynced.size(), this::mayLoseDisk);
    if (kept == SimulatedLog.LOST) {
      List.copyOf(machines.values()).forEach(Machine::destroy);
      world.count("logs lost");
    }
    for (int i = 0; i < kept; i++) {
      unsynced.pollFirst().machines().forEach(Machine::sync);
    }
    findKept();
    unsynced.forEach(append -> append.machines().forEach(Machine::loseUnsynced));
    unsynced.clear();
    world.died(name, session);
  }

  private boolean mayLoseDisk() {
    return world.isStormy() && machines.values().stream().allMatch(Machine::mayBeDestroyed);
  }

  /** What was synced is there, and of the appends behind it some of the oldest, whole. */
  private void findKept() {
    while (true) {
      List<String> differences =
          machines.values().stream()
              .map(Machine::differenceOfLog)
              .filter(Objects::nonNull)
              .toList();
      if (differences.isEmpty()) {
        return;
      }
      Oracle.check(!unsynced.isEmpty(), () -> "the log of " + name + " differs: " + differences);
      unsynced.pollFirst().machines().forEach(Machine::sync);
    }
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
            run(action);
          }
        });
  }

  private void run(Runnable action) {
    try {
      action.run();
    } catch (SimulatedLog.Failed e) {
      world.count("logs that failed");
      kill();
      world.after(random.nextInt(300), this::start);
    }
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
    long number = log.append(parts);
    List<Machine> changed = new ArrayList<>();
    for (Part part : parts) {
      Machine machine = machines.get(part.group());
      machine.write(part);
      changed.add(machine);
    }
    unsynced.addLast(new Queued(number, changed));
    if (parts.size() > 1) {
      world.count("appends of several groups");
    }
    later(random.nextInt(syncMillisMax), this::sync);
    return number;
  }

  private void sync() {
    if (unsynced.isEmpty()) {
      return;
    }
    long durable = log.write();
    boolean any = false;
    while (!unsynced.isEmpty() && unsynced.peekFirst().number() <= durable) {
      unsynced.pollFirst().machines().forEach(Machine::sync);
      any = true;
    }
    if (any) {
      shard.durable(durable, world.now());
      roundSoon();
    }
  }

  /** What a log does beside, and what waits for room. */
  private void keepHouse() {
    long rest = log.keepHouse(world.isStormy());
    if (rest > 0) {
      sync();
      later(rest, this::keepHouse);
    }
  }

  @Override
  public void read(long group, EntriesWanted wanted) {
    log.read(group, wanted);
  }

  private void load(long group, EntriesWanted wanted) {
    input(
        random.nextInt(5),
        at -> {
          boolean fails = world.isStormy() && random.nextInt(10) == 0;
          List<Entry> entries =
              fails || !machines.containsKey(group)
                  ? List.of()
                  : log.entries(group, wanted.from(), wanted.bytesMax());
          at.loaded(group, wanted.peer(), entries, world.now());
          world.count("entries loaded");
        });
  }
}
