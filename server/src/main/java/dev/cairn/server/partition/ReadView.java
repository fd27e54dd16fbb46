// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import dev.cairn.server.operation.KeyView;
import dev.cairn.server.operation.Lookups;
import dev.cairn.server.operation.Mistake;
import dev.cairn.server.operation.Query;
import dev.cairn.server.operation.Result;
import dev.cairn.server.storage.KeyRange;
import dev.cairn.server.storage.ScannedKey;
import dev.cairn.server.storage.StoredKeys;
import dev.cairn.state.ValueRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * What was applied, as a read sees it. A key is gone by the time of the last applied entry, not by
 * a clock: another replica, or the next leader, must not see it again. A key whose time is up by
 * the leader's clock but not yet by the log is {@link #overdue}: the reader then logs the time, and
 * looks again.
 *
 * <p>For one thread.
 */
final class ReadView implements KeyView {
  /** What an event loop reads at once; far below {@link ReadQueue#READ_REPLY_BYTES_MAX}. */
  static final long MEMORY_BYTES_MAX = 256 << 10;

  static final int MEMORY_REQUESTS_MAX = 512;

  private final StoredKeys source;
  private final long appliedMillis;
  private final long nowMillis;
  private final long keyCount;
  private final Lookups lookups = new Lookups();
  private boolean overdue;

  /**
   * Creates a view.
   *
   * @param source what was applied, at {@code appliedMillis} or later
   * @param appliedMillis the time that the applied entries have reached
   * @param nowMillis partition time by the clock of whoever answers, at or past that
   */
  ReadView(StoredKeys source, long appliedMillis, long nowMillis, long keyCount) {
    this.source = source;
    this.appliedMillis = appliedMillis;
    this.nowMillis = Math.max(appliedMillis, nowMillis);
    this.keyCount = keyCount;
  }

  @Override
  public Optional<ValueRecord> get(byte[] key) {
    Optional<ValueRecord> record = source.get(key);
    if (record.isEmpty() || record.get().isOver(appliedMillis)) {
      return Optional.empty();
    }
    overdue |= record.get().isOver(nowMillis);
    return record;
  }

  @Override
  public Optional<ValueRecord> lookUp(byte[] key) {
    Optional<ValueRecord> record = get(key);
    lookups.found(record.isPresent());
    return record;
  }

  @Override
  public Optional<byte[]> scan(KeyRange range, int walkMax, ScannedKey.Visitor visitor) {
    return source.scan(
        range,
        walkMax,
        scanned -> {
          if (ValueRecord.isOver(scanned.expiresAtMillis(), appliedMillis)) {
            return true;
          }
          overdue |= ValueRecord.isOver(scanned.expiresAtMillis(), nowMillis);
          return visitor.visit(scanned);
        });
  }

  /** Whether each request can be answered by one look at the data. */
  static boolean lookOnce(List<List<Query>> requests) {
    for (List<Query> queries : requests) {
      if (queries.size() != 1 || queries.get(0).keys().size() > 1) {
        return false;
      }
    }
    return true;
  }

  /**
   * Answers requests, each from one moment: the first ones, as many as fit in {@link
   * ReadQueue#READ_REPLY_BYTES_MAX}, at least one. Empty when a key was {@link #overdue}.
   *
   * @param index the applied index that covers all that was found; asked last
   * @param ageMillis how old the answer may be, milliseconds; 0 for one that is not
   * @param metrics told of the lookups if there is an answer
   */
  static Optional<BatchReply> answer(
      ReadView view,
      List<List<Query>> requests,
      LongSupplier index,
      long ageMillis,
      KeyMetrics metrics) {
    List<List<Result>> results = new ArrayList<>(requests.size());
    long bytes = 0;
    for (List<Query> queries : requests) {
      List<Result> ofRequest = view.answer(queries);
      results.add(ofRequest);
      bytes += Result.bytes(ofRequest);
      if (bytes >= ReadQueue.READ_REPLY_BYTES_MAX) {
        break;
      }
    }
    if (view.overdue()) {
      return Optional.empty();
    }
    metrics.take(view.lookups);
    return Optional.of(new BatchReply.Done(results, index.getAsLong(), 0, ageMillis));
  }

  /** One request's results; one alone when they are more than may be gathered. */
  private List<Result> answer(List<Query> queries) {
    List<Result> results = new ArrayList<>(queries.size());
    long bytes = 0;
    for (Query query : queries) {
      Result result = query.answer(this);
      bytes += result.bytes();
      if (Query.tooLarge(bytes, queries.size())) {
        return List.of(new Result.Failed(Mistake.READ_TOO_LARGE));
      }
      results.add(result);
    }
    return results;
  }

  /** Whether a key was seen whose time is up, but not by the log. */
  boolean overdue() {
    return overdue;
  }

  @Override
  public long nowMillis() {
    return nowMillis;
  }

  @Override
  public long keyCount() {
    return keyCount;
  }
}
