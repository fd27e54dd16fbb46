// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.server.operation.Query;
import dev.cairn.server.operation.Reply;
import dev.cairn.server.operation.Result;
import dev.cairn.server.routing.ScanPosition;
import dev.cairn.server.storage.KeyRange;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Walks over the keys of partitions, page by page, one partition after the other, each in its keys'
 * order. Only one page is in memory at a time; each page is a read of its own, linearizable or as
 * the connection asks, so a walk as a whole is not of one moment: a key that was there all along is
 * seen, others may be.
 */
final class KeyWalk {
  private final Call call;
  private final List<Integer> partitions;
  private final KeyRange range;
  private final Visitor visitor;

  /** Sees what is walked over. Called one after the other, on any thread. */
  interface Visitor {
    /**
     * Sees a page.
     *
     * @param keys in their order; perhaps none
     * @param next where the walk goes on; empty: it is at its end
     * @return whether it goes on; else nothing more is called
     */
    boolean visit(List<byte[]> keys, Optional<ScanPosition> next);

    /** A page could not be read, and nothing more is called. */
    void failed(ScanPosition at, Reply.Failed why);

    /** How many keys the next page has at most. */
    int keysMax();

    /** Whether a look at a page is more work than an event loop has time for. */
    default boolean looksLong() {
      return false;
    }
  }

  /**
   * A walk that has not begun.
   *
   * @param partitions in the order in which they are walked over
   * @param range the part of each
   */
  KeyWalk(Call call, List<Integer> partitions, KeyRange range, Visitor visitor) {
    this.call = call;
    this.partitions = List.copyOf(partitions);
    this.range = range;
    this.visitor = visitor;
  }

  /** Walks from a place in one of the partitions. */
  void from(ScanPosition position) {
    KeyRange rest = range.startingAt(position.from());
    Query page = new Query.Range(rest, visitor.keysMax(), Query.Range.BYTES_MAX, false);
    call.router()
        .read(
            position.partition(),
            List.of(page),
            call.readLevel(),
            reply -> {
              if (!(reply instanceof Reply.Done done)) {
                visitor.failed(position, (Reply.Failed) reply);
                return;
              }
              List<Result> keys = ((Result.Many) done.results().get(0)).results();
              if (visitor.looksLong()) {
                call.port()
                    .searches()
                    .run(
                        () -> read(position.partition(), keys),
                        failed -> visitor.failed(position, failed));
              } else {
                read(position.partition(), keys);
              }
            });
  }

  private void read(int partition, List<Result> page) {
    Optional<ScanPosition> next =
        page.get(0) instanceof Result.Bytes key
            ? Optional.of(new ScanPosition(partition, key.value()))
            : after(partition);
    List<byte[]> keys = new ArrayList<>(page.size() - 1);
    for (Result key : page.subList(1, page.size())) {
      keys.add(((Result.Bytes) key).value());
    }
    if (visitor.visit(keys, next) && next.isPresent()) {
      from(next.get());
    }
  }

  private Optional<ScanPosition> after(int partition) {
    int index = partitions.indexOf(partition) + 1;
    return index == partitions.size()
        ? Optional.empty()
        : Optional.of(ScanPosition.startOf(partitions.get(index)));
  }
}
