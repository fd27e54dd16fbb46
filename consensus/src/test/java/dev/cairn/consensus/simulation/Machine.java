// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus.simulation;

import dev.cairn.consensus.Configuration;
import dev.cairn.consensus.EntriesWanted;
import dev.cairn.consensus.Entry;
import dev.cairn.consensus.Group;
import dev.cairn.consensus.GroupStatus;
import dev.cairn.consensus.Member;
import dev.cairn.consensus.Message;
import dev.cairn.consensus.Output;
import dev.cairn.consensus.Peer;
import dev.cairn.consensus.Proposal;
import dev.cairn.consensus.ReadGrant;
import dev.cairn.consensus.Role;
import dev.cairn.consensus.SnapshotOffer;
import dev.cairn.consensus.SnapshotReference;
import dev.cairn.consensus.Write;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * One simulated process with one member of the group: what a driver does around {@link Group}. Its
 * state machine is the number of the last entry that it applied, since the {@link Oracle} knows
 * what each entry holds.
 */
final class Machine {
  private final World world;
  final Peer peer;
  final boolean witness;
  private final Disk disk;
  private final SplittableRandom random;

  // Of the process; gone when it dies.
  private Group group;
  private int life;
  private boolean roundDue;
  private boolean applying;
  private long tickAt;
  private SnapshotReference applied;
  private final Map<Long, Long> proposed = new HashMap<>();
  private final Map<Long, Long> reading = new HashMap<>();

  // Faults.
  private int syncMillisMax = 2;
  private long frozenUntil;
  private boolean destroyed;

  Machine(World world, Peer peer, boolean witness, Configuration founded) {
    this.world = world;
    this.peer = peer;
    this.witness = witness;
    this.disk = new Disk(founded);
    this.random = world.random().split();
  }

  boolean isUp() {
    return group != null;
  }

  boolean isDestroyed() {
    return destroyed;
  }

  GroupStatus status() {
    return group.status();
  }

  long appliedIndex() {
    return applied.index();
  }

  Disk disk() {
    return disk;
  }

  // ---- The process ----

  void start() {
    if (isUp() || destroyed) {
      return;
    }
    life++;
    applied = witness ? new SnapshotReference(disk.base(), 0, null, 0) : disk.data();
    roundDue = false;
    applying = false;
    tickAt = 0;
    group =
        new Group(self(), world.settings(), random.split(), disk.restored(witness), world.now());
    round();
  }

  private Member self() {
    return new Member(peer, witness ? Role.WITNESS : Role.REPLICA);
  }

  void kill() {
    if (!isUp()) {
      return;
    }
    group = null;
    proposed.clear();
    reading.clear();
    frozenUntil = 0;
    disk.cut(random);
    world.died(peer.node());
  }

  /** The disk is lost for ever. */
  void destroy() {
    kill();
    destroyed = true;
  }

  void freeze(long millis) {
    frozenUntil = world.now() + millis;
  }

  void slowDisk(int millisMax) {
    syncMillisMax = millisMax;
  }

  /** Runs something in this process if it still lives then; a frozen one does it when it thaws. */
  private void later(long millis, Runnable action) {
    int born = life;
    world.after(
        millis,
        () -> {
          if (!isUp() || life != born) {
            return;
          }
          if (world.now() < frozenUntil) {
            later(frozenUntil - world.now(), action);
          } else {
            action.run();
          }
        });
  }

  private void roundSoon() {
    if (!roundDue) {
      roundDue = true;
      later(random.nextInt(2), this::round);
    }
  }

  private void round() {
    roundDue = false;
    Output output = group.take(world.now());
    GroupStatus status = group.status();
    if (status.leads()) {
      if (status.commit() >= status.configurationIndex()) {
        world.oracle().committed(status.configurationIndex(), status.configuration());
      }
      if (world.oracle().leads(peer, status, group::termAt)) {
        world.count(witness ? "witnesses that led" : "replicas that led");
      }
    }
    if (output.write() != null) {
      write(output.write());
    }
    output.messages().forEach(world::send);
    apply(output.applicable());
    output.grants().forEach(this::answer);
    output.refusedReads().forEach(reading::remove);
    output.wanted().forEach(this::load);
    if (output.offer() != null) {
      fetch(output.offer());
    }
    tickAt(Math.max(world.now() + 1, output.deadlineMillis()));
  }

  private void tickAt(long deadline) {
    if (tickAt > world.now() && tickAt <= deadline) {
      return; // the tick that is due before asks again
    }
    tickAt = deadline;
    later(
        deadline - world.now(),
        () -> {
          if (tickAt == deadline) {
            tickAt = 0;
            group.tick(world.now());
            roundSoon();
          }
        });
  }

  void receive(Message message) {
    later(
        0,
        () -> {
          group.step(message, world.now());
          roundSoon();
        });
  }

  void gone(String node) {
    later(
        0,
        () -> {
          group.gone(node, world.now());
          roundSoon();
        });
  }

  // ---- Disk ----

  private void write(Write write) {
    disk.write(write);
    long previous =
        write.entries().isEmpty() ? 0 : group.termAt(write.entries().get(0).index() - 1);
    for (Entry entry : write.entries()) {
      world.oracle().wrote(peer, entry, previous);
      previous = entry.term();
    }
    if (write.compactedTo() > 0 && witness) {
      world.witnessDropped(peer, write.compactedTo());
    }
    syncLater();
  }

  private void syncLater() {
    later(
        random.nextInt(syncMillisMax),
        () -> {
          if (disk.hasUnsynced()) {
            Write synced = disk.sync();
            group.durable(synced.sequence(), world.now());
            roundSoon();
          }
        });
  }

  // ---- State machine ----

  private void apply(long upTo) {
    if (applying || witness || applied.index() >= upTo) {
      if (witness) {
        group.applied(upTo);
      }
      return;
    }
    applying = true;
    later(
        random.nextInt(2),
        () -> {
          applying = false;
          long until = Math.min(upTo, applied.index() + 1 + random.nextInt(64));
          while (applied.index() < until) {
            apply(disk.entry(applied.index() + 1));
          }
          group.applied(applied.index());
          roundSoon();
        });
  }

  private void apply(Entry entry) {
    world.oracle().applied(peer, entry);
    boolean same = entry.configuration() == null;
    applied =
        new SnapshotReference(
            entry.index(),
            entry.term(),
            same ? applied.configuration() : entry.configuration(),
            same ? applied.configurationIndex() : entry.index());
    Long term = proposed.remove(entry.index());
    if (term != null && term == entry.term()) {
      world.oracle().acknowledged(entry.index());
    }
  }

  /** Flushes the data, and lets go of the log but for some entries. */
  void flushAndCompact(int keep) {
    if (!isUp()) {
      return;
    }
    if (!witness) {
      SnapshotReference flushed = applied;
      later(
          random.nextInt(20),
          () -> {
            if (flushed.index() > disk.data().index()) {
              disk.data(flushed);
              group.flushed(flushed.index());
            }
          });
    }
    later(
        random.nextInt(40),
        () -> {
          group.compact(group.status().applied() - keep);
          roundSoon();
        });
  }

  // ---- Clients ----

  void write(byte[] value) {
    if (!isUp() || world.now() < frozenUntil) {
      return;
    }
    List<byte[]> values = new ArrayList<>();
    for (int i = random.nextInt(3); i >= 0; i--) {
      values.add(value);
    }
    Proposal proposal = group.propose(values, world.now());
    if (proposal.isAccepted()) {
      for (int i = 0; i < values.size(); i++) {
        proposed.put(proposal.index() + i, proposal.term());
      }
      roundSoon();
    }
  }

  void read(long token) {
    if (isUp() && world.now() >= frozenUntil && group.read(token, world.now()).isEmpty()) {
      reading.put(token, world.oracle().acknowledged());
      roundSoon();
    }
  }

  private void answer(ReadGrant grant) {
    Long acknowledgedBefore = reading.remove(grant.token());
    if (acknowledgedBefore != null) {
      world.oracle().read(peer, acknowledgedBefore, applied.index());
      world.count("reads answered");
    }
  }

  boolean transferTo(Peer target) {
    boolean began = isUp() && group.transferTo(target, world.now());
    if (began) {
      roundSoon();
    }
    return began;
  }

  boolean reconfigure(Configuration target) {
    if (!isUp() || !group.status().leads()) {
      return false;
    }
    boolean began =
        group.reconfigure(group.status().configurationIndex(), target, world.now()).isEmpty();
    roundSoon();
    return began;
  }

  // ---- Entries and snapshots for others ----

  private void load(EntriesWanted wanted) {
    later(
        random.nextInt(5),
        () -> {
          List<Entry> entries = new ArrayList<>();
          boolean fails = world.isStormy() && random.nextInt(10) == 0;
          for (long i = wanted.from(); !fails && entries.size() < 20 && disk.has(i); i++) {
            entries.add(disk.entry(i));
          }
          group.loaded(wanted.peer(), entries, world.now());
          world.count("entries loaded");
          roundSoon();
        });
  }

  private void fetch(SnapshotOffer offer) {
    if (witness) {
      group.installed(offer.reference(), world.now());
      roundSoon();
      return;
    }
    later(
        10 + random.nextInt(200),
        () -> {
          SnapshotReference copy = world.copyOf(offer.from(), peer.node());
          boolean useful =
              copy != null
                  && copy.index() >= offer.reference().index()
                  && copy.index() > applied.index()
                  && !applying;
          if (useful) {
            disk.data(copy);
            applied = copy;
            group.installed(copy, world.now());
            world.count("snapshots installed");
          } else {
            group.installFailed(world.now());
          }
          roundSoon();
        });
  }

  static boolean isWitness(Configuration configuration, Peer peer) {
    return configuration.roleOf(peer).orElse(Role.REPLICA) == Role.WITNESS;
  }
}
