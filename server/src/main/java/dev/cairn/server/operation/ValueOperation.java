// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.operation;

import dev.cairn.server.value.BitField;
import dev.cairn.server.value.Integers;
import dev.cairn.server.value.LongDouble;
import dev.cairn.state.ValueRecord;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** Reads a key's value, and writes it back changed; when it expires stays as it was. */
public sealed interface ValueOperation extends Operation {
  /** The key. */
  byte[] key();

  @Override
  default List<byte[]> keys() {
    return List.of(key());
  }

  @Override
  default Result apply(Keyspace keyspace) {
    return change(keyspace, keyspace.get(key()));
  }

  /** Does it to what stands under the key. */
  Result change(Keyspace keyspace, Optional<ValueRecord> before);

  /** The value of a record, or nothing. */
  private static byte[] value(Optional<ValueRecord> record) {
    return record.map(ValueRecord::value).orElse(new byte[0]);
  }

  /**
   * Adds to the end. Answers {@link Result.Int}, the length then.
   *
   * @param lengthMax the longest value that may come of it, bytes
   */
  record Append(byte[] key, byte[] end, int lengthMax) implements ValueOperation {
    @Override
    public Result change(Keyspace keyspace, Optional<ValueRecord> before) {
      byte[] value = value(before);
      long length = (long) value.length + end.length;
      if (length > lengthMax) {
        return new Result.Failed(Mistake.TOO_LONG);
      }
      byte[] longer = Arrays.copyOf(value, (int) length);
      System.arraycopy(end, 0, longer, value.length, end.length);
      keyspace.replace(key, longer, before);
      return new Result.Int(length);
    }

    @Override
    public int opcode() {
      return Opcode.APPEND;
    }

    @Override
    public void write(ByteSink out) {
      out.bytes(key).bytes(end).four(lengthMax);
    }
  }

  /**
   * Writes over a part, after zeros where the value is too short. Answers {@link Result.Int}, the
   * length then. Nothing to write changes nothing.
   *
   * @param offset of the first byte, 0 or more
   */
  record Overwrite(byte[] key, int offset, byte[] part) implements ValueOperation {
    public Overwrite {
      if (offset < 0 || (long) offset + part.length > ValueRecord.VALUE_BYTES_MAX) {
        throw new IllegalArgumentException(part.length + " bytes at offset " + offset);
      }
    }

    @Override
    public Result change(Keyspace keyspace, Optional<ValueRecord> before) {
      byte[] value = value(before);
      if (part.length > 0) {
        value = Arrays.copyOf(value, Math.max(value.length, offset + part.length));
        System.arraycopy(part, 0, value, offset, part.length);
        keyspace.replace(key, value, before);
      }
      return new Result.Int(value.length);
    }

    @Override
    public int opcode() {
      return Opcode.OVERWRITE;
    }

    @Override
    public void write(ByteSink out) {
      out.bytes(key).four(offset).bytes(part);
    }
  }

  /** Adds to a whole number, a missing one being 0. Answers {@link Result.Int}, the sum. */
  record Increment(byte[] key, long by) implements ValueOperation {
    @Override
    public Result change(Keyspace keyspace, Optional<ValueRecord> before) {
      OptionalLong number =
          before.isEmpty() ? OptionalLong.of(0) : Integers.parse(before.get().value());
      if (number.isEmpty()) {
        return new Result.Failed(Mistake.NOT_AN_INTEGER);
      }
      long sum = number.getAsLong() + by;
      if (((number.getAsLong() ^ sum) & (by ^ sum)) < 0) {
        return new Result.Failed(Mistake.INTEGER_OVERFLOW);
      }
      keyspace.replace(key, Integers.format(sum), before);
      return new Result.Int(sum);
    }

    @Override
    public int opcode() {
      return Opcode.INCREMENT;
    }

    @Override
    public void write(ByteSink out) {
      out.bytes(key).eight(by);
    }
  }

  /**
   * Adds to a {@link LongDouble}, a missing one being 0. Answers {@link Result.Bytes}, the sum.
   *
   * @param by the number as the client wrote it
   */
  record IncrementFloat(byte[] key, byte[] by) implements ValueOperation {
    @Override
    public Result change(Keyspace keyspace, Optional<ValueRecord> before) {
      Optional<LongDouble> number =
          before.isEmpty()
              ? Optional.of(LongDouble.zero())
              : LongDouble.parse(before.get().value());
      Optional<LongDouble> increment = LongDouble.parse(by);
      if (number.isEmpty() || increment.isEmpty()) {
        return new Result.Failed(Mistake.NOT_A_FLOAT);
      }
      Optional<LongDouble> sum = number.get().plus(increment.get());
      if (sum.isEmpty()) {
        return new Result.Failed(Mistake.FLOAT_OVERFLOW);
      }
      byte[] text = sum.get().format();
      keyspace.replace(key, text, before);
      return new Result.Bytes(text);
    }

    @Override
    public int opcode() {
      return Opcode.INCREMENT_FLOAT;
    }

    @Override
    public void write(ByteSink out) {
      out.bytes(key).bytes(by);
    }
  }

  /**
   * Runs steps over the bits of a value, one after the other; where one writes, the value first
   * grows to hold all that do. Answers {@link Result.Many}: {@link Result.Int} for each step, or
   * {@link Result.Nil} where it overflowed and was to fail.
   */
  record BitFields(byte[] key, List<BitField> steps) implements ValueOperation {
    public BitFields {
      steps = List.copyOf(steps);
      if (bytesNeeded(steps) > ValueRecord.VALUE_BYTES_MAX) {
        throw new IllegalArgumentException("bit fields past the end of any value");
      }
    }

    private static long bytesNeeded(List<BitField> steps) {
      return steps.stream()
          .filter(BitField::writes)
          .mapToLong(BitField::bytesNeeded)
          .max()
          .orElse(0);
    }

    @Override
    public Result change(Keyspace keyspace, Optional<ValueRecord> before) {
      byte[] value = value(before);
      long needed = bytesNeeded(steps);
      if (needed == 0) {
        return ValueQuery.answers(steps, value);
      }
      byte[] changed = Arrays.copyOf(value, (int) Math.max(value.length, needed));
      List<Result> results = new ArrayList<>(steps.size());
      for (BitField step : steps) {
        OptionalLong answer = step.run(changed);
        results.add(answer.isPresent() ? new Result.Int(answer.getAsLong()) : new Result.Nil());
      }
      if (before.isEmpty() || !Arrays.equals(changed, value)) {
        keyspace.replace(key, changed, before);
      }
      return new Result.Many(results);
    }

    @Override
    public int opcode() {
      return Opcode.BIT_FIELDS;
    }

    @Override
    public void write(ByteSink out) {
      out.bytes(key);
      out.steps(steps);
    }
  }
}
