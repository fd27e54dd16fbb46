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
import dev.cairn.consensus.Restored;
import dev.cairn.consensus.Role;
import dev.cairn.consensus.Settings;
import dev.cairn.consensus.SnapshotOffer;
import dev.cairn.consensus.SnapshotReference;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;

/**
 * One group that a script moves by hand, and what each move makes its members say and do, in lines
 * to read. A member is a letter; a star behind it makes it a witness, a number its incarnation.
 *
 * <pre>
 *   strict                      who is behind may not begin to vote
 *   members a b w*              opens a group of founders
 *   place d  |  place a.5       opens a newcomer on an empty disk
 *   elect a                     a is elected and all know it; what was said is not shown
 *   timeout a                   time goes on until a is due to stand, and a alone is told
 *   wait 20                     time goes on by so many milliseconds, and nobody is told
 *   tick a                      a is told the time
 *   settle                      rounds, disks and messages go on until nothing happens any more
 *   round a                     one round of a: what it says stays on the way
 *   sync a                      the oldest write of a is on its disk
 *   deliver a b                 what is on the way from a to b arrives
 *   cut a b  |  heal            messages between both are lost
 *   hold a b  |  release a b    messages from a to b stay on the way
 *   slow a   |  quick a         the disk of a waits for "sync a"; it does not any more
 *   kill a   |  start a         the process dies, with all that was not synced
 *   gone a b                    a is told that the process of b answers no more
 *   propose a x big             "big" has 300 KiB and travels alone
 *   read a 7  |  transfer a b
 *   change a epoch 2 at 1 to b c w* learn d
 *   flush a  |  compact a 5     the data is flushed; the log goes up to an entry
 *   drop w 5                    the log of a witness goes, whoever needs it
 *   fetch b  |  fetch b fails   the snapshot that b was offered has come
 *   status                      how each member stands
 * </pre>
 */
final class Script {
  private static final int ROUNDS_MAX = 200;

  private Settings settings = alone(Settings.DEFAULT, Long.MAX_VALUE);
  private final TreeMap<Peer, Actor> actors = new TreeMap<>();
  private final List<Message> onTheWay = new ArrayList<>();
  private final Set<String> cut = new HashSet<>();
  private final Set<String> held = new HashSet<>();
  private final List<String> said = new ArrayList<>();
  private long now;

  /** A member with its disk. */
  private final class Actor {
    final Member self;
    final Disk disk;
    boolean slow;

    // Of the process.
    Group group;
    SnapshotReference applied;
    SnapshotOffer offer;
    long deadline;
    int unsynced;

    Actor(Member self, Configuration founded) {
      this.self = self;
      this.disk = new Disk(founded);
    }

    boolean isWitness() {
      return self.role() == Role.WITNESS;
    }

    void start() {
      Restored restored = disk.restored(isWitness() ? null : disk.data());
      applied = restored.data();
      group = new Group(self, settings, new SplittableRandom(1), restored, now);
      round();
    }

    void kill() {
      group = null;
      offer = null;
      unsynced = 0;
      disk.lose();
    }

    /** Takes a round's output; whether there was any. */
    boolean round() {
      Output output = group.take(now);
      deadline = output.deadlineMillis();
      int before = said.size();
      if (output.write() != null) {
        disk.write(output.write());
        unsynced++;
        say(
            Texts.name(self.peer())
                + " writes "
                + output.write().sequence()
                + Texts.text(output.write()));
      }
      output.messages().forEach(Script.this::send);
      apply(output.applicable());
      output
          .grants()
          .forEach(
              grant ->
                  say(
                      Texts.name(self.peer())
                          + " answers read "
                          + grant.token()
                          + " by its state at "
                          + applied.index()));
      output
          .refusedReads()
          .forEach(token -> say(Texts.name(self.peer()) + " answers read " + token + " no more"));
      output.wanted().forEach(this::load);
      if (output.offer() != null) {
        offer = output.offer();
        say(Texts.name(self.peer()) + " has to fetch a snapshot from " + Texts.name(offer.from()));
      }
      return said.size() > before;
    }

    private void apply(long upTo) {
      if (upTo <= applied.index()) {
        return;
      }
      if (!isWitness()) {
        say(Texts.name(self.peer()) + " applies up to " + upTo);
      }
      while (applied.index() < upTo) {
        applied = applied(applied, disk.entry(applied.index() + 1));
      }
      group.applied(upTo);
    }

    private void load(EntriesWanted wanted) {
      List<Entry> entries = new ArrayList<>();
      for (long i = wanted.from(); disk.has(i); i++) {
        entries.add(disk.entry(i));
      }
      say(
          Texts.name(self.peer())
              + " reads entries from "
              + wanted.from()
              + " for "
              + Texts.name(wanted.peer()));
      group.loaded(wanted.peer(), entries, now);
    }

    boolean sync() {
      if (unsynced == 0) {
        return false;
      }
      unsynced--;
      group.durable(disk.sync().sequence(), now);
      return true;
    }

    void fetch(boolean succeeds) {
      if (!succeeds) {
        group.installFailed(now);
      } else if (isWitness()) {
        applied = offer.reference();
        group.installed(applied, now);
      } else {
        SnapshotReference copy = actors.get(offer.from()).disk.data();
        disk.data(copy);
        applied = copy;
        say(Texts.name(self.peer()) + " has the data up to " + copy.index());
        group.installed(copy, now);
      }
      offer = null;
    }
  }

  static SnapshotReference applied(SnapshotReference before, Entry entry) {
    boolean same = entry.configuration() == null;
    return new SnapshotReference(
        entry.index(),
        entry.term(),
        same ? before.configuration() : entry.configuration(),
        same ? before.configurationIndex() : entry.index());
  }

  // ---- Commands ----

  /** Carries out one line; the lines that it brought. */
  List<String> run(String line) {
    said.clear();
    String[] words = line.trim().split(" +");
    List<String> rest = List.of(words).subList(1, words.length);
    switch (words[0]) {
      case "strict" -> settings = alone(Settings.DEFAULT, Settings.DEFAULT.promotionLagMax());
      case "members" -> members(rest);
      case "place" -> place(rest.get(0));
      case "elect" -> elect(actor(rest.get(0)));
      case "timeout" -> timeout(actor(rest.get(0)));
      case "wait" -> now += Long.parseLong(rest.get(0));
      case "tick" -> actor(rest.get(0)).group.tick(now);
      case "settle" -> settle();
      case "round" -> actor(rest.get(0)).round();
      case "sync" -> sync(actor(rest.get(0)));
      case "deliver" -> deliver(rest.get(0), rest.get(1));
      case "cut" -> {
        cut.add(rest.get(0) + " " + rest.get(1));
        cut.add(rest.get(1) + " " + rest.get(0));
      }
      case "heal" -> cut.clear();
      case "hold" -> held.add(rest.get(0) + " " + rest.get(1));
      case "release" -> held.remove(rest.get(0) + " " + rest.get(1));
      case "slow" -> actor(rest.get(0)).slow = true;
      case "quick" -> actor(rest.get(0)).slow = false;
      case "kill" -> actor(rest.get(0)).kill();
      case "start" -> actor(rest.get(0)).start();
      case "gone" -> {
        actor(rest.get(0)).group.gone(rest.get(1), now);
        actor(rest.get(0)).round();
      }
      case "propose" -> propose(actor(rest.get(0)), rest.subList(1, rest.size()));
      case "read" -> read(actor(rest.get(0)), Long.parseLong(rest.get(1)));
      case "transfer" -> transfer(actor(rest.get(0)), peer(rest.get(1)));
      case "change" -> change(rest);
      case "flush" -> flush(actor(rest.get(0)));
      case "compact" -> compact(actor(rest.get(0)), Long.parseLong(rest.get(1)));
      case "drop" -> drop(actor(rest.get(0)), Long.parseLong(rest.get(1)));
      case "fetch" -> actor(rest.get(0)).fetch(rest.size() == 1);
      case "status" -> actors.values().forEach(this::status);
      default -> throw new IllegalArgumentException("no such command: " + line);
    }
    return List.copyOf(said);
  }

  /** Of a group whose beats are its own. */
  private static Settings alone(Settings all, long promotionLagMax) {
    return new Settings(
        all.electionMillis(),
        all.witnessExtraMillis(),
        all.beatMillis(),
        all.commitNewsMillis(),
        all.witnessPaceMillis(),
        all.transferMillis(),
        promotionLagMax,
        false,
        all.appendBytesMax(),
        all.windowBytesMax(),
        all.tailBytesMax());
  }

  private void members(List<String> names) {
    List<Member> members = names.stream().map(this::member).toList();
    Configuration founded = Configuration.stable(1, members, List.of());
    for (Member member : members) {
      open(member, founded);
    }
  }

  private void place(String name) {
    open(member(name), Configuration.NONE);
  }

  private void open(Member member, Configuration configuration) {
    Actor actor = new Actor(member, configuration);
    actors.put(member.peer(), actor);
    actor.start();
  }

  private void elect(Actor actor) {
    timeout(actor);
    settle();
    now += settings.beatMillis();
    settle();
    if (!actor.group.status().leads()) {
      throw new AssertionError(said);
    }
    said.clear();
  }

  private void timeout(Actor actor) {
    now = Math.max(now, actor.deadline);
    actor.group.tick(now);
  }

  private void settle() {
    for (int i = 0; i < ROUNDS_MAX; i++) {
      boolean anything = false;
      for (Actor actor : actors.values()) {
        if (actor.group != null) {
          anything |= actor.round();
          anything |= !actor.slow && actor.sync();
        }
      }
      for (Message message : List.copyOf(onTheWay)) {
        if (!held.contains(direction(message))) {
          arrive(message);
          anything = true;
        }
      }
      if (!anything) {
        return;
      }
    }
    throw new AssertionError("it does not settle: " + said);
  }

  private void sync(Actor actor) {
    if (!actor.sync()) {
      throw new AssertionError(Texts.name(actor.self.peer()) + " has nothing to sync");
    }
  }

  private void deliver(String from, String to) {
    for (Message message : List.copyOf(onTheWay)) {
      if (direction(message).equals(from + " " + to)) {
        arrive(message);
      }
    }
  }

  private void propose(Actor actor, List<String> values) {
    Proposal proposal = actor.group.propose(values.stream().map(Script::bytes).toList(), now);
    say(
        proposal.isAccepted()
            ? "accepted at " + proposal.index() + "@" + proposal.term()
            : "refused: " + proposal.refusal());
  }

  private static byte[] bytes(String value) {
    byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
    return value.equals("big") ? Arrays.copyOf(bytes, 300 << 10) : bytes;
  }

  private void read(Actor actor, long token) {
    actor.group.read(token, now).ifPresent(refusal -> say("refused: " + refusal));
  }

  private void transfer(Actor actor, Peer target) {
    if (!actor.group.transferTo(target, now)) {
      say("refused");
    }
  }

  private void change(List<String> words) {
    List<Member> voters = new ArrayList<>();
    List<Peer> learners = new ArrayList<>();
    boolean learning = false;
    for (String word : words.subList(6, words.size())) {
      if (word.equals("learn")) {
        learning = true;
      } else if (learning) {
        learners.add(peer(word));
      } else {
        voters.add(member(word));
      }
    }
    long epoch = Long.parseLong(words.get(2));
    long expected = Long.parseLong(words.get(4));
    actor(words.get(0))
        .group
        .reconfigure(expected, Configuration.stable(epoch, voters, learners), now)
        .ifPresent(refusal -> say("refused: " + refusal));
  }

  private void flush(Actor actor) {
    actor.disk.data(actor.applied);
    actor.group.flushed(actor.applied.index());
  }

  private void compact(Actor actor, long upTo) {
    beginsBehind(actor, actor.group.compact(upTo));
  }

  private void drop(Actor actor, long upTo) {
    beginsBehind(actor, actor.group.cut(upTo));
  }

  private void beginsBehind(Actor actor, long base) {
    say("the log of " + Texts.name(actor.self.peer()) + " begins behind " + base);
  }

  private void status(Actor actor) {
    String name = Texts.name(actor.self.peer()) + (actor.isWitness() ? "*" : "");
    if (actor.group == null) {
      say(name + " down");
      return;
    }
    GroupStatus status = actor.group.status();
    say(
        String.format(
                "%s term %d, %s, log %d..%d, commit %d, by %s of %d",
                name,
                status.term(),
                status.leads()
                    ? "leads"
                    : status
                        .leader()
                        .map(leader -> "follows " + Texts.name(leader))
                        .orElse("no leader"),
                status.base() + 1,
                status.last(),
                status.commit(),
                Texts.text(status.configuration()),
                status.configurationIndex())
            + (status.changeDone() ? ", on all disks" : ""));
  }

  // ---- Messages ----

  private void send(Message message) {
    boolean lost = cut.contains(direction(message));
    say(Texts.text(message) + (lost ? " (lost)" : ""));
    if (!lost) {
      onTheWay.add(message);
    }
  }

  private void arrive(Message message) {
    onTheWay.remove(message);
    Actor actor = actors.get(message.to());
    if (actor != null && actor.group != null) {
      actor.group.step(message, now);
    }
  }

  private String direction(Message message) {
    return Texts.name(message.from()) + " " + Texts.name(message.to());
  }

  // ---- Names ----

  private Actor actor(String name) {
    Actor actor = actors.get(peer(name));
    if (actor == null) {
      throw new IllegalArgumentException("there is no " + name);
    }
    return actor;
  }

  private Member member(String name) {
    return new Member(peer(name), name.endsWith("*") ? Role.WITNESS : Role.REPLICA);
  }

  private static Peer peer(String name) {
    String[] parts = name.replace("*", "").split("\\.");
    return new Peer(parts[0], parts.length == 1 ? 1 : Long.parseLong(parts[1]));
  }

  private void say(String line) {
    said.add(line);
  }

  /** The commands of a script, without what they brought: lines that begin with "&gt; ". */
  static List<String> rewritten(List<String> lines) {
    Script script = new Script();
    List<String> result = new ArrayList<>();
    for (String line : lines) {
      if (line.isBlank() || line.startsWith("#")) {
        result.add(line);
      } else if (line.startsWith("> ")) {
        result.add(line);
        Arrays.stream(line.substring(2).split(";"))
            .forEach(command -> script.run(command).forEach(each -> result.add("    " + each)));
      }
    }
    return result;
  }
}
