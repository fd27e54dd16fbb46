// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import dev.cairn.server.storage.ValueRecord;
import dev.cairn.server.value.Integers;
import java.util.List;
import java.util.Optional;

/**
 * One question to one partition's data. Changes nothing. It may be asked of what was applied, or by
 * {@link Operation.Read} in the middle of a request that writes.
 */
public sealed interface Query permits Query.Whole, ValueQuery {
  /** The keys it concerns; none: the whole partition. */
  List<byte[]> keys();

  /** Answers it. */
  Result answer(KeyView view);

  /** The number by which logs and peers know it; never used again. */
  int opcode();

  /** Writes what it carries, without the opcode. */
  void write(ByteSink out);

  /** Those that concern keys as a whole. */
  sealed interface Whole extends Query permits Get, Exists, Facts, Count {}

  /** A key's value. Answers {@link Result.Bytes} or {@link Result.Nil}. */
  record Get(byte[] key) implements Whole {
    @Override
    public List<byte[]> keys() {
      return List.of(key);
    }

    @Override
    public Result answer(KeyView view) {
      return view.get(key)
          .<Result>map(record -> new Result.Bytes(record.value()))
          .orElseGet(Result.Nil::new);
    }

    @Override
    public int opcode() {
      return OperationCodec.GET;
    }

    @Override
    public void write(ByteSink out) {
      out.bytes(key);
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
      return new Result.Int(view.get(key).isPresent() ? 1 : 0);
    }

    @Override
    public int opcode() {
      return OperationCodec.EXISTS;
    }

    @Override
    public void write(ByteSink out) {
      out.bytes(key);
    }
  }

  /**
   * All that is to be said of a key but its value. Answers {@link Result.Nil}, or {@link
   * Result.Many}: length in bytes; when it expires, milliseconds since 1970, or -1; what partition
   * time it is; whether the value is a whole number as INCR takes it, 1 or 0.
   */
  record Facts(byte[] key) implements Whole {
    @Override
    public List<byte[]> keys() {
      return List.of(key);
    }

    @Override
    public Result answer(KeyView view) {
      Optional<ValueRecord> record = view.get(key);
      if (record.isEmpty()) {
        return new Result.Nil();
      }
      byte[] value = record.get().value();
      boolean number = Integers.parse(value).isPresent();
      return new Result.Many(
          List.of(
              new Result.Int(value.length),
              new Result.Int(record.get().expiresAtMillis()),
              new Result.Int(view.nowMillis()),
              new Result.Int(number ? 1 : 0)));
    }

    @Override
    public int opcode() {
      return OperationCodec.FACTS;
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
      return OperationCodec.COUNT;
    }

    @Override
    public void write(ByteSink out) {}
  }
}
