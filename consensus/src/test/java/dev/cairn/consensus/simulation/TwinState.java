// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus.simulation;

import dev.cairn.consensus.Entry;
import dev.cairn.consensus.SnapshotReference;
import java.nio.charset.StandardCharsets;

/**
 * A state that is no more than how far it is, since the {@link Oracle} knows what each entry holds:
 * as quick as it can be, so that most seeds run on it.
 */
final class TwinState implements SimulatedState {
  private record TwinCopy(SnapshotReference reference) implements Copy {}

  /** Has nothing in common. */
  static final class Group implements OfGroup {
    @Override
    public SimulatedState place(SnapshotReference founded) {
      return new TwinState(founded);
    }

    @Override
    public byte[] request(long token) {
      return String.valueOf(token).getBytes(StandardCharsets.UTF_8);
    }
  }

  private SnapshotReference durable;
  private SnapshotReference applied;

  private TwinState(SnapshotReference founded) {
    durable = founded;
    applied = founded;
  }

  @Override
  public void start() {
    applied = durable;
  }

  @Override
  public void crash() {}

  @Override
  public SnapshotReference applied() {
    return applied;
  }

  @Override
  public SnapshotReference durable() {
    return durable;
  }

  @Override
  public void apply(Entry entry) {
    applied = Script.applied(applied, entry);
  }

  @Override
  public void read() {}

  @Override
  public Step beginFlush() {
    SnapshotReference flushed = applied;
    return () -> {
      durable = flushed.index() > durable.index() ? flushed : durable;
      return true;
    };
  }

  @Override
  public Copy copy() {
    durable = applied;
    return new TwinCopy(applied);
  }

  @Override
  public Step beginInstall(Copy copy) {
    return () -> {
      durable = copy.reference();
      applied = copy.reference();
      return true;
    };
  }

  @Override
  public long hash() {
    return durable.index();
  }
}
