// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.operation;

import dev.cairn.server.storage.KeyRange;
import dev.cairn.server.storage.ScannedKey;
import dev.cairn.server.value.Integers;
import dev.cairn.state.ValueRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One question to one partition's data. Changes nothing. It may be asked of what was applied, or by
 * {@link Operation.Read} in the middle of a request that writes.
 */
public sealed interface Query permits Query.Whole, ValueQuery {
  /**
   * How many bytes of values the answers to all queries of one request may have, if there are
   * several: they are gathered in memory, at the leader and where the client asked.
   */
  long ANSWER_BYTES_MAX = 32L << 20;

  /** What may stand around the values in one query's answer: at most that many bytes. */
  long AROUND_VALUES_BYTES_MAX = 256;

  /**
   * Whether that is more than may be gathered.
   *
   * @param bytes of the answers, as {@link Result#bytes} counts them
   * @param queries of one request
   */
  static boolean tooLarge(long bytes, int queries) {
    return queries > 1 && bytes > ANSWER_BYTES_MAX + AROUND_VALUES_BYTES_MAX * queries;
  }

  /** The keys it concerns; none: the whole partition. */
  List<byte[]> keys();

  /** Answers it. */
  Result answer(KeyView view);

  /** The number by which logs and peers know it; never used again. */
  int opcode();

  /** Writes what it carries, without the opcode. */
  void write(ByteSink out);

  /** Those that concern keys as a whole. */
  sealed interface Whole extends Query permits Get, Fetch, Exists, Facts, Version, Count, Range {}

  /** A key's value. Answers {@link Result.Bytes} or {@link Result.Nil}. */
  record Get(byte[] key) implements Whole {
    @Override
    public List<byte[]> keys() {
      return List.of(key);
    }

    @Override
    public Result answer(KeyView view) {
      return view.lookUp(key)
          .<Result>map(record -> new Result.Bytes(record.value()))
          .orElseGet(Result.Nil::new);
    }

    @Override
    public int opcode() {
      return Opcode.GET;
    }

    @Override
    public void write(ByteSink out) {
      out.bytes(key);
    }
  }

  /**
   * A part of a value, and all that is to be said of its key, as of one moment. Answers {@link
   * Result.Nil}, or {@link Result.Many}: the part ({@link Result.Bytes}), and what {@link Facts}
   * answers.
   *
   * @param start as of {@link ValueQuery.Slice}; 0 and -1: all of it
   * @param end as there
   */
  record Fetch(byte[] key, long start, long end) implements Whole {
    @Override
    public List<byte[]> keys() {
      return List.of(key);
    }

    @Override
    public Result answer(KeyView view) {
      Optional<ValueRecord> record = view.lookUp(key);
      return record.isEmpty()
          ? new Result.Nil()
          : new Result.Many(
              List.of(
                  new Result.Bytes(ValueQuery.Slice.of(record.get().value(), start, end)),
                  Facts.of(record.get(), view.nowMillis())));
    }

    @Override
    public int opcode() {
      return Opcode.FETCH;
    }

    @Override
    public void write(ByteSink out) {
      out.bytes(key).eight(start).eight(end);
    }
  }

  /** Whether a key is there. Answers {@link Result.Int} 1 or 0. */
  record Exists(byte[] key) implements Whole {
    @Override
    public List<byte[]> keys() {
      return List.of(key);
    }

    @Override
    public Result answer(KeyView view) {
      return new Result.Int(view.lookUp(key).isPresent() ? 1 : 0);
    }

    @Override
    public int opcode() {
      return Opcode.EXISTS;
    }

    @Override
    public void write(ByteSink out) {
      out.bytes(key);
    }
  }

  /**
   * All that is to be said of a key but its value. Answers {@link Result.Nil}, or {@link
   * Result.Many}: length in bytes; when it expires, milliseconds since 1970, or -1; what partition
   * time it is; whether the value is a whole number as INCR takes it, 1 or 0; its version.
   */
  record Facts(byte[] key) implements Whole {
    @Override
    public List<byte[]> keys() {
      return List.of(key);
    }

    @Override
    public Result answer(KeyView view) {
      return view.lookUp(key)
          .map(record -> of(record, view.nowMillis()))
          .orElseGet(Result.Nil::new);
    }

    private static Result of(ValueRecord record, long nowMillis) {
      return new Result.Many(
          List.of(
              new Result.Int(record.value().length),
              new Result.Int(record.expiresAtMillis()),
              new Result.Int(nowMillis),
              new Result.Int(Integers.parse(record.value()).isPresent() ? 1 : 0),
              new Result.Int(record.version())));
    }

    @Override
    public int opcode() {
      return Opcode.FACTS;
    }

    @Override
    public void write(ByteSink out) {
      out.bytes(key);
    }
  }

  /**
   * The version of what stands under a key: each change in the partition has its own, so a key that
   * was deleted and made anew has another. Answers {@link Result.Int}, 0: there is none.
   */
  record Version(byte[] key) implements Whole {
    static long of(KeyView view, byte[] key) {
      return view.get(key).map(ValueRecord::version).orElse(0L);
    }

    @Override
    public List<byte[]> keys() {
      return List.of(key);
    }

    @Override
    public Result answer(KeyView view) {
      return new Result.Int(of(view, key));
    }

    @Override
    public int opcode() {
      return Opcode.VERSION;
    }

    @Override
    public void write(ByteSink out) {
      out.bytes(key);
    }
  }

  /** How many keys the partition holds. Answers {@link Result.Int}. */
  record Count() implements Whole {
    @Override
    public List<byte[]> keys() {
      return List.of();
    }

    @Override
    public Result answer(KeyView view) {
      return new Result.Int(view.keyCount());
    }

    @Override
    public int opcode() {
      return Opcode.COUNT;
    }

    @Override
    public void write(ByteSink out) {}
  }

  /**
   * Keys that lie side by side, in their unsigned byte order; those that have expired are left out.
   * Answers {@link Result.Many}: where to go on ({@link Result.Bytes}: the first key that was not
   * looked at; {@link Result.Nil}: nothing is left of the range), then the keys ({@link
   * Result.Bytes} each). A page may hold fewer keys than asked for, or none, and yet not be the
   * last: what is looked at is bounded too.
   *
   * @param keysMax how many keys at most, 1 to {@link #KEYS_MAX}
   * @param bytesMax how many bytes of keys and values, from 1 to {@link #BYTES_MAX}; the key that
   *     passes it is the last
   * @param records whether each key comes with its record: {@link Result.Many} of key, version,
   *     when it expires (milliseconds since 1970, or -1) and value
   */
  record Range(KeyRange range, int keysMax, int bytesMax, boolean records) implements Whole {
    /** How many keys one answer may hold, and how many may be looked at for it. */
    public static final int KEYS_MAX = 10_000;

    /** How many bytes of keys and values, but for the last key's. */
    public static final int BYTES_MAX = 4 << 20;

    public Range {
      if (keysMax < 1 || keysMax > KEYS_MAX || bytesMax < 1 || bytesMax > BYTES_MAX) {
        throw new IllegalArgumentException(
            "a range of %d keys or %d bytes".formatted(keysMax, bytesMax));
      }
    }

    @Override
    public List<byte[]> keys() {
      return List.of();
    }

    @Override
    public Result answer(KeyView view) {
      List<Result> page = new ArrayList<>();
      page.add(new Result.Nil());
      long[] bytes = {0};
      view.scan(
              range,
              KEYS_MAX,
              scanned -> {
                Result entry = entry(scanned);
                page.add(entry);
                bytes[0] += entry.bytes();
                return page.size() <= keysMax && bytes[0] < bytesMax;
              })
          .ifPresent(next -> page.set(0, new Result.Bytes(next)));
      return new Result.Many(page);
    }

    private Result entry(ScannedKey scanned) {
      Result.Bytes key = new Result.Bytes(scanned.key());
      if (!records) {
        return key;
      }
      ValueRecord record = scanned.record();
      return new Result.Many(
          List.of(
              key,
              new Result.Int(record.version()),
              new Result.Int(record.expiresAtMillis()),
              new Result.Bytes(record.value())));
    }

    @Override
    public int opcode() {
      return Opcode.RANGE;
    }

    @Override
    public void write(ByteSink out) {
      out.bytes(range.from()).bytes(range.to()).four(keysMax).four(bytesMax).flag(records);
    }
  }
}
