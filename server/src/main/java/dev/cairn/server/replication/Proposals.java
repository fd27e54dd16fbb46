// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.replication;

import dev.cairn.consensus.Entry;
import dev.cairn.server.raft.Proposal;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * What this process proposed to a group and what is not committed yet.
 *
 * <p>Threads: {@link #arrive} by any; the rest is the loop's. Invariants:
 *
 * <ol>
 *   <li>Each proposal leaves once, with its entry, refused since another entry has its place, or by
 *       {@link #takeAll}.
 *   <li>What arrived first is proposed first, also where the loop itself proposes beside others.
 * </ol>
 */
final class Proposals {
  private final Map<Long, Proposed> byIndex = new HashMap<>();

  private final Queue<Runnable> arrived = new ConcurrentLinkedQueue<>();

  private record Proposed(long term, Proposal proposal) {}

  /** Something is to be proposed; {@link #takeArrived} is to follow on the loop. */
  void arrive(Runnable propose) {
    arrived.add(propose);
  }

  /** Proposes what has arrived. */
  void takeArrived() {
    for (Runnable next = arrived.poll(); next != null; next = arrived.poll()) {
      next.run();
    }
  }

  /** A proposal stands in the log. */
  void add(long index, long term, Proposal proposal) {
    byIndex.put(index, new Proposed(term, proposal));
  }

  /** Takes those of committed entries, for each entry the one that made it. */
  List<Optional<Proposal>> take(List<Entry> committed) {
    List<Optional<Proposal>> proposed = new ArrayList<>(committed.size());
    for (Entry entry : committed) {
      Proposed own = byIndex.remove(entry.index());
      if (own != null && own.term() != entry.term()) {
        Proposal gone = own.proposal();
        Callback.tell(() -> gone.refused("another entry was committed in its place"));
        own = null;
      }
      proposed.add(Optional.ofNullable(own).map(Proposed::proposal));
    }
    return proposed;
  }

  /** Takes all that is left. */
  List<Proposal> takeAll() {
    List<Proposal> all = byIndex.values().stream().map(Proposed::proposal).toList();
    byIndex.clear();
    return all;
  }
}
