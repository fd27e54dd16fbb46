// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.operation;

import dev.cairn.server.value.BitField;
import dev.cairn.server.value.Bits;
import dev.cairn.server.value.Digest;
import dev.cairn.server.value.Subsequence;
import dev.cairn.state.ValueRecord;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Asks something of a value that is smaller than the value, so that not all of it has to travel. A
 * missing key is an empty value, unless it says otherwise.
 */
public sealed interface ValueQuery extends Query {

  private static byte[] value(KeyView view, byte[] key) {
    return view.lookUp(key).map(ValueRecord::value).orElse(new byte[0]);
  }

  /** What steps that only read answer. */
  static Result answers(List<BitField> steps, byte[] value) {
    return new Result.Many(
        steps.stream().<Result>map(step -> new Result.Int(step.read(value))).toList());
  }

  /**
   * A part of a value. Answers {@link Result.Bytes}.
   *
   * @param start first byte, from the end when negative
   * @param end last byte, inclusive, from the end when negative
   */
  record Slice(byte[] key, long start, long end) implements ValueQuery {
    @Override
    public List<byte[]> keys() {
      return List.of(key);
    }

    @Override
    public Result answer(KeyView view) {
      return new Result.Bytes(of(value(view, key), start, end));
    }

    /** The part of a value; the value itself where that is all of it. */
    static byte[] of(byte[] value, long start, long end) {
      long from = bound(start, value.length);
      long to = Math.min(bound(end, value.length) + 1, value.length);
      boolean none = from >= to || (start < 0 && end < 0 && start > end);
      if (none) {
        return new byte[0];
      }
      return from == 0 && to == value.length
          ? value
          : Arrays.copyOfRange(value, (int) from, (int) to);
    }

    private static long bound(long index, int length) {
      return index < 0 ? Math.max(0, length + index) : Math.min(index, length);
    }

    @Override
    public int opcode() {
      return Opcode.SLICE;
    }

    @Override
    public void write(ByteSink out) {
      out.bytes(key).eight(start).eight(end);
    }
  }

  /** How many bits are set. Answers {@link Result.Int}. */
  record BitCount(byte[] key, Bits.Span span) implements ValueQuery {
    @Override
    public List<byte[]> keys() {
      return List.of(key);
    }

    @Override
    public Result answer(KeyView view) {
      return new Result.Int(Bits.count(value(view, key), span));
    }

    @Override
    public int opcode() {
      return Opcode.BIT_COUNT;
    }

    @Override
    public void write(ByteSink out) {
      out.bytes(key);
      out.span(span);
    }
  }

  /**
   * Where the first bit of a kind is. Answers {@link Result.Int}, -1: nowhere. A missing key is
   * nothing but zeros.
   *
   * @param endless as of {@link Bits#position}
   */
  record BitPosition(byte[] key, boolean one, Bits.Span span, boolean endless)
      implements ValueQuery {
    @Override
    public List<byte[]> keys() {
      return List.of(key);
    }

    @Override
    public Result answer(KeyView view) {
      Optional<ValueRecord> record = view.lookUp(key);
      if (record.isEmpty()) {
        return new Result.Int(one ? -1 : 0);
      }
      return new Result.Int(Bits.position(record.get().value(), one ? 1 : 0, span, endless));
    }

    @Override
    public int opcode() {
      return Opcode.BIT_POSITION;
    }

    @Override
    public void write(ByteSink out) {
      out.bytes(key).flag(one);
      out.span(span);
      out.flag(endless);
    }
  }

  /** Reads integers out of a value. Answers {@link Result.Many} of {@link Result.Int}. */
  record BitFields(byte[] key, List<BitField> steps) implements ValueQuery {
    public BitFields {
      steps = List.copyOf(steps);
    }

    @Override
    public List<byte[]> keys() {
      return List.of(key);
    }

    @Override
    public Result answer(KeyView view) {
      return answers(steps, value(view, key));
    }

    @Override
    public int opcode() {
      return Opcode.READ_BIT_FIELDS;
    }

    @Override
    public void write(ByteSink out) {
      out.bytes(key);
      out.steps(steps);
    }
  }

  /** The {@link Digest} of a value. Answers {@link Result.Bytes} or {@link Result.Nil}. */
  record DigestOf(byte[] key) implements ValueQuery {
    @Override
    public List<byte[]> keys() {
      return List.of(key);
    }

    @Override
    public Result answer(KeyView view) {
      return view.lookUp(key)
          .<Result>map(
              record ->
                  new Result.Bytes(Digest.of(record.value()).getBytes(StandardCharsets.US_ASCII)))
          .orElseGet(Result.Nil::new);
    }

    @Override
    public int opcode() {
      return Opcode.DIGEST;
    }

    @Override
    public void write(ByteSink out) {
      out.bytes(key);
    }
  }

  /**
   * The longest common subsequence of two values. Answers {@link Result.Many}: its bytes, and for
   * each {@link Subsequence.Match} four numbers.
   */
  record Common(byte[] first, byte[] second) implements ValueQuery {
    @Override
    public List<byte[]> keys() {
      return List.of(first, second);
    }

    @Override
    public Result answer(KeyView view) {
      byte[] one = value(view, first);
      byte[] other = value(view, second);
      if (Subsequence.isTooLarge(one.length, other.length)) {
        return new Result.Failed(Mistake.TOO_MUCH_MEMORY);
      }
      Subsequence found = Subsequence.of(one, other);
      return new Result.Many(
          List.of(
              new Result.Bytes(found.bytes()),
              new Result.Many(found.matches().stream().map(Common::numbers).toList())));
    }

    private static Result numbers(Subsequence.Match match) {
      return new Result.Many(
          List.of(
              new Result.Int(match.firstFrom()),
              new Result.Int(match.firstTo()),
              new Result.Int(match.secondFrom()),
              new Result.Int(match.secondTo())));
    }

    @Override
    public int opcode() {
      return Opcode.COMMON;
    }

    @Override
    public void write(ByteSink out) {
      out.bytes(first).bytes(second);
    }
  }
}
