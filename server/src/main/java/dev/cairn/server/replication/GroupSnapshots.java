// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.replication;

import dev.cairn.consensus.GroupStatus;
import dev.cairn.consensus.Shard;
import dev.cairn.consensus.SnapshotOffer;
import dev.cairn.consensus.SnapshotReference;
import dev.cairn.replication.Codec;
import java.io.IOException;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.ObjLongConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Data in the place of a group's log: what was saved lets entries go, and a copy of another node's
 * data comes for entries that are gone there.
 *
 * <p>Threads: {@link #save}, {@link #cut} and {@link #tellFlushed} by any, {@link #fetch} by the
 * loop. Invariant: each fetch ends with the shard told, or with the group.
 */
final class GroupSnapshots {
  private static final Logger LOG = LoggerFactory.getLogger(GroupSnapshots.class);

  private final String name;
  private final long number;
  private final boolean witness;
  private final Machine machine;
  private final Copies copies;
  private final WrittenLog log;
  private final Consumer<ObjLongConsumer<Shard>> loop;
  private final LongConsumer installed;
  private long flushedTold; // the loop's

  /** How a copy of another node's data is fetched. */
  interface Copies {
    /**
     * Begins to fetch one. It is checked and on the disk when it counts as fetched.
     *
     * @param least what it must cover
     * @param done told the result, by any thread that may wait
     */
    void fetch(String node, long group, long least, Consumer<CopyFetch.Result> done);
  }

  /**
   * Of one group.
   *
   * @param witness whether this member holds no data
   * @param loop runs something on the loop, with its time, unless the group has left
   * @param installed told on the loop up to where a copy reaches that is in place
   */
  GroupSnapshots(
      String name,
      boolean witness,
      Machine machine,
      Copies copies,
      WrittenLog log,
      Consumer<ObjLongConsumer<Shard>> loop,
      LongConsumer installed) {
    this.name = name;
    this.number = GroupNumbers.of(name);
    this.witness = witness;
    this.machine = machine;
    this.copies = copies;
    this.log = log;
    this.loop = loop;
    this.installed = installed;
  }

  // ---- Another node's data ----

  void fetch(SnapshotOffer offer) {
    if (witness) {
      loop.accept((shard, now) -> shard.installed(number, offer.reference(), now));
    } else {
      copies.fetch(offer.from().node(), number, offer.reference().index(), this::fetched);
    }
  }

  private void fetched(CopyFetch.Result result) {
    if (result instanceof CopyFetch.Fetched copy) {
      SnapshotReference reference = Codec.reference(copy.meta());
      machine.install(reference, copy, () -> inPlace(reference));
    } else if (result instanceof CopyFetch.Failed failure
        && failure.kind() == CopyFetch.Kind.LOCAL_DISK) {
      machine.fail(new IOException(failure.why()));
    } else {
      loop.accept((shard, now) -> shard.installFailed(number, now));
    }
  }

  private void inPlace(SnapshotReference reference) {
    loop.accept(
        (shard, now) -> {
          installed.accept(reference.index());
          shard.installed(number, reference, now);
        });
  }

  // ---- Its own data ----

  void save(Consumer<Optional<String>> done) {
    machine.save(saved -> loop.accept((shard, now) -> letGo(shard, saved.index(), now)), done);
  }

  private void letGo(Shard shard, long index, long now) {
    GroupStatus before = shard.status(number).orElseThrow();
    if (!witness) {
      shard.flushed(number, index, now);
    }
    count(before, shard.compact(number, index, now));
  }

  /** A witness' log has reached its bound: it goes up to an index, whoever needs it. */
  void cut(long index) {
    loop.accept(
        (shard, now) -> {
          GroupStatus before = shard.status(number).orElseThrow();
          long gone = shard.cut(number, index, now);
          count(before, gone);
          if (gone > before.base()) {
            LOG.warn(
                "group={} the witness' log has reached its bound and is gone up to index {}, which"
                    + " a replica lacks; if the leader is lost before that replica is back, the"
                    + " partition is unavailable",
                name,
                gone);
          }
        });
  }

  private void count(GroupStatus before, long gone) {
    long base = before.base();
    if (gone > base) {
      double part = (double) (gone - base) / (before.last() - base);
      log.count(number, -(long) (log.entryBytes(name) * part));
    }
  }

  /** The data may have been flushed by itself. Called now and then. */
  void tellFlushed() {
    long durable = machine.durableIndex();
    loop.accept(
        (shard, now) -> {
          if (durable > flushedTold) {
            flushedTold = durable;
            shard.flushed(number, durable, now);
          }
        });
  }
}
