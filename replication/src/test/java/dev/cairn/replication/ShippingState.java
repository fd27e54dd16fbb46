// SPDX-License-Identifier: Apache-2.0
package dev.cairn.replication;

import dev.cairn.consensus.Entry;
import dev.cairn.consensus.SnapshotReference;
import dev.cairn.consensus.simulation.SimulatedState;
import dev.cairn.state.Applied;
import dev.cairn.state.Database;
import dev.cairn.state.Flush;
import dev.cairn.state.Install;
import dev.cairn.state.PlainState;
import dev.cairn.state.State;
import dev.cairn.state.TwinDatabase;
import dev.cairn.state.View;
import dev.cairn.state.Write;
import dev.cairn.state.Writes;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/**
 * The state that ships, on the twin of its database, as the state of a simulated replica. Beside
 * those of a group stands one plain map, which applies each entry once; every answer and every read
 * of every replica is compared with it.
 */
final class ShippingState implements SimulatedState {
  /** What the states of a group have in common: what each entry comes to. */
  static final class Group implements OfGroup {
    private final RandomGenerator random;
    private final Consumer<String> count;
    private final Writes writes;
    private final List<PlainState> plain = new ArrayList<>(); // by index
    private final List<List<String>> answers = new ArrayList<>(); // by index

    Group(RandomGenerator random, Consumer<String> count) {
      this.random = random;
      this.count = count;
      this.writes = new Writes(random);
      plain.add(new PlainState());
      answers.add(List.of());
    }

    @Override
    public SimulatedState place(SnapshotReference founded) {
      return new ShippingState(this, founded);
    }

    @Override
    public byte[] request(long token) {
      return writes.next().encode();
    }

    /** The answers of an entry; who applies one first lets the plain map do it. */
    private List<String> answersOf(Entry entry) {
      if (entry.index() == plain.size()) {
        PlainState next = plain.get(plain.size() - 1).copy();
        answers.add(
            entry.data() == null ? List.of() : next.apply(Write.Entry.decode(entry.data())));
        plain.add(next);
      }
      return answers.get((int) entry.index());
    }
  }

  private record ShippingCopy(SnapshotReference reference, Database.Copy copy) implements Copy {}

  private final Group group;
  private final SnapshotReference founded;
  private final TwinDatabase database = new TwinDatabase();

  // Of the process.
  private State state; // null while there is none
  private Flush flush; // null if none is under way
  private boolean flushDone;
  private View earlier;

  private ShippingState(Group group, SnapshotReference founded) {
    this.group = group;
    this.founded = founded;
  }

  // ---- The process ----

  @Override
  public void start() {
    state = State.open(database, group.random.nextLong(), Writes.ID_BOUNDS);
    flush = null;
    earlier = null;
    compareAll();
  }

  @Override
  public void crash() {
    if (state != null) {
      if (state.durableIndex() > database.durable().index()) {
        throw new AssertionError(
            "durable is told to be " + state.durableIndex() + ", is " + database.durable());
      }
      if (flush != null) {
        group.count.accept("crashes in a flush");
      }
      state = null;
      database.crash(group.random);
    }
  }

  @Override
  public SnapshotReference applied() {
    return reference(state == null ? database.durable() : state.applied());
  }

  @Override
  public SnapshotReference durable() {
    return reference(database.durable());
  }

  private SnapshotReference reference(Applied row) {
    boolean first = row.configuration().length == 0;
    return new SnapshotReference(
        row.index(),
        row.term(),
        first ? founded.configuration() : Codec.configuration(row.configuration()),
        row.configurationIndex());
  }

  // ---- Applying and reading ----

  @Override
  public void apply(Entry entry) {
    List<String> expected = group.answersOf(entry);
    if (entry.configuration() != null) {
      state.configure(entry.index(), entry.term(), Codec.bytesOf(entry.configuration()));
    } else if (entry.data() == null) {
      state.pass(entry.index(), entry.term());
    } else {
      Write.Entry writes = Write.Entry.decode(entry.data());
      same("answers", expected, Writes.apply(state, entry.index(), entry.term(), writes));
    }
  }

  @Override
  public void read() {
    String key = Writes.key(group.random);
    same(key, expected().read(key), PlainState.read(state, key));
    if (earlier == null) {
      earlier = state.view();
    } else if (group.random.nextInt(3) == 0) {
      compare(earlier);
      earlier.close();
      earlier = state.view();
      compare(earlier);
    }
  }

  private PlainState expected() {
    return group.plain.get((int) state.applied().index());
  }

  private void compare(View view) {
    PlainState expected = group.plain.get((int) view.applied().index());
    same("all", expected.range("", ""), PlainState.range(view, "", ""));
  }

  private void compareAll() {
    same("the row", expected().figures(), PlainState.figures(state));
    for (String key : Writes.keys()) {
      same(key, expected().read(key), PlainState.read(state, key));
    }
    try (View view = state.view()) {
      compare(view);
    }
  }

  private void same(String what, Object expected, Object found) {
    if (!expected.equals(found)) {
      throw new AssertionError(
          what + " at " + state.applied() + " is " + found + ", must be " + expected);
    }
  }

  // ---- Flushing ----

  @Override
  public Step beginFlush() {
    if (flush != null) {
      return null;
    }
    flush = state.beginFlush().orElse(null);
    flushDone = false;
    Flush begun = flush;
    return begun == null ? null : () -> flush != begun || isLastStep();
  }

  private boolean isLastStep() {
    if (!flushDone) {
      flushDone = !flush.step();
      return false;
    }
    group.count.accept(flush.end() ? "flushes" : "flushes that an install overtook");
    flush = null;
    return true;
  }

  @Override
  public Copy copy() {
    endFlush();
    beginFlush();
    endFlush();
    Database.Copy copy = state.copy();
    return new ShippingCopy(reference(copy.applied()), copy);
  }

  // ---- Installing ----

  @Override
  public Step beginInstall(Copy copy) {
    Install install = state.beginInstall(((ShippingCopy) copy).copy());
    group.count.accept("installs");
    return new Step() {
      private int done;

      @Override
      public boolean isLast() {
        switch (done++) {
          case 0 -> {
            beginFlush(); // to be overtaken
            stepFlush(group.random.nextInt(3));
          }
          case 1 -> install.carryOut();
          case 2 -> stepFlush(group.random.nextInt(4));
          default -> {
            install.end();
            compareAll();
            endFlush();
          }
        }
        return done > 3;
      }
    };
  }

  private void stepFlush(int steps) {
    for (int i = 0; i < steps && flush != null && !flushDone; i++) {
      flushDone = !flush.step();
    }
  }

  private void endFlush() {
    while (flush != null && !isLastStep()) {
      // Each step by itself.
    }
  }

  @Override
  public long hash() {
    return database.hash();
  }
}
