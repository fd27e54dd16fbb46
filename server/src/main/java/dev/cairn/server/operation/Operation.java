// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.operation;

import dev.cairn.state.ValueRecord;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * One step of a request, as it stands in the replicated log. Deterministic: what it does and
 * answers depends on nothing but the partition's data, the time of its entry and what it carries;
 * so a limit that is configured travels inside. A user's mistake is a {@link Result.Failed}, never
 * an exception.
 *
 * <p>Few kinds serve many commands: here whole keys, in {@link ValueOperation} what reads a value
 * and writes it back, in {@link KeyOperation} what concerns several keys, a key's time or its
 * version. A new kind is a record with its opcode, and a line in {@link OperationCodec}.
 */
public sealed interface Operation permits Operation.Whole, ValueOperation, KeyOperation {
  /** The keys it concerns, 1 to 65,536 bytes each, never modified; none: the whole partition. */
  List<byte[]> keys();

  /** Does it, and answers. */
  Result apply(Keyspace keyspace);

  /** The number by which logs and peers know it; never used again. */
  int opcode();

  /** Whether it may need room on disk; what only removes or reads is done without. */
  default boolean grows() {
    return !(this instanceof Delete
        || this instanceof Read
        || this instanceof Clear
        || this instanceof Sweep);
  }

  /** Whether it may answer with what stood under a key, which may be large. */
  default boolean answersValue() {
    return this instanceof Read
        || (this instanceof Put put && put.answerOld())
        || (this instanceof Delete delete && delete.answerOld());
  }

  /** Whether it looks at keys that it does not name. */
  default boolean walks() {
    return this instanceof Sweep
        || (this instanceof Read read && read.query() instanceof Query.Range);
  }

  /** Writes what it carries, without the opcode. */
  void write(ByteSink out);

  /** What stands under a key that is to change: counted as read where it is answered too. */
  private static Optional<ValueRecord> before(Keyspace keyspace, byte[] key, boolean answered) {
    return answered ? keyspace.lookUp(key) : keyspace.get(key);
  }

  /** Those that put, remove and read whole keys. */
  sealed interface Whole extends Operation permits Put, Delete, Read, Clear, Sweep {}

  /**
   * Stores a value. Answers {@link Result.Ok}, or {@link Result.Nil} where the condition did not
   * hold; with {@code answerOld} the value before, whatever became of it.
   */
  record Put(byte[] key, byte[] value, Expiry expiry, Condition condition, boolean answerOld)
      implements Whole {
    /** Without any condition, to stay. */
    public Put(byte[] key, byte[] value) {
      this(key, value, Expiry.NEVER, Condition.ALWAYS, false);
    }

    private boolean plain() {
      return !answerOld && expiry.equals(Expiry.NEVER) && condition.kind() == Condition.Kind.ALWAYS;
    }

    @Override
    public List<byte[]> keys() {
      return List.of(key);
    }

    @Override
    public Result apply(Keyspace keyspace) {
      Optional<ValueRecord> before =
          plain()
              ? Optional.empty()
              : before(keyspace, key, answerOld); // what nobody asks for is not looked up
      OptionalLong expiresAtMillis = expiry.resolve(before, keyspace.nowMillis());
      if (expiresAtMillis.isEmpty()) {
        return new Result.Failed(Mistake.EXPIRE_TIME);
      }
      Optional<Mistake> mistake = condition.mistake(before);
      if (mistake.isPresent()) {
        return new Result.Failed(mistake.get());
      }
      boolean holds = condition.holds(before);
      if (holds) {
        keyspace.put(key, value, expiresAtMillis.getAsLong());
      }
      if (answerOld) {
        return before.<Result>map(old -> new Result.Bytes(old.value())).orElseGet(Result.Nil::new);
      }
      return holds ? new Result.Ok() : new Result.Nil();
    }

    @Override
    public int opcode() {
      return plain() ? Opcode.PUT : Opcode.PUT_IF;
    }

    @Override
    public void write(ByteSink out) {
      out.bytes(key).bytes(value);
      if (!plain()) {
        expiry.write(out);
        condition.write(out);
        out.flag(answerOld);
      }
    }
  }

  /**
   * Removes a key. Answers {@link Result.Int} 1 where it did, else 0; with {@code answerOld} the
   * value before.
   */
  record Delete(byte[] key, Condition condition, boolean answerOld) implements Whole {
    /** Without any condition. */
    public Delete(byte[] key) {
      this(key, Condition.ALWAYS, false);
    }

    private boolean plain() {
      return !answerOld && condition.kind() == Condition.Kind.ALWAYS;
    }

    @Override
    public List<byte[]> keys() {
      return List.of(key);
    }

    @Override
    public Result apply(Keyspace keyspace) {
      if (plain()) {
        return new Result.Int(keyspace.delete(key) ? 1 : 0);
      }
      Optional<ValueRecord> before = before(keyspace, key, answerOld);
      Optional<Mistake> mistake = condition.mistake(before);
      if (mistake.isPresent()) {
        return new Result.Failed(mistake.get());
      }
      boolean deleted = condition.holds(before) && keyspace.delete(key);
      if (answerOld) {
        return before.<Result>map(old -> new Result.Bytes(old.value())).orElseGet(Result.Nil::new);
      }
      return new Result.Int(deleted ? 1 : 0);
    }

    @Override
    public int opcode() {
      return plain() ? Opcode.DELETE : Opcode.DELETE_IF;
    }

    @Override
    public void write(ByteSink out) {
      out.bytes(key);
      if (!plain()) {
        condition.write(out);
        out.flag(answerOld);
      }
    }
  }

  /** A read among writes: answers what the operations before it in the log left. */
  record Read(Query query) implements Whole {
    @Override
    public List<byte[]> keys() {
      return query.keys();
    }

    @Override
    public Result apply(Keyspace keyspace) {
      return query.answer(keyspace);
    }

    @Override
    public int opcode() {
      return Opcode.READ;
    }

    @Override
    public void write(ByteSink out) {
      query.write(out.one(query.opcode()));
    }
  }

  /** Removes all keys of the partition. Answers {@link Result.Ok}. */
  record Clear() implements Whole {
    @Override
    public List<byte[]> keys() {
      return List.of();
    }

    @Override
    public Result apply(Keyspace keyspace) {
      keyspace.clear();
      return new Result.Ok();
    }

    @Override
    public int opcode() {
      return Opcode.CLEAR;
    }

    @Override
    public void write(ByteSink out) {}
  }

  /**
   * Removes keys that have expired, the earliest first, at most so many: what the leader proposes
   * when there are any. Answers {@link Result.Int}, how many it removed.
   */
  record Sweep(int keysMax) implements Whole {
    @Override
    public List<byte[]> keys() {
      return List.of();
    }

    @Override
    public Result apply(Keyspace keyspace) {
      return new Result.Int(keyspace.sweep(keysMax));
    }

    @Override
    public int opcode() {
      return Opcode.SWEEP;
    }

    @Override
    public void write(ByteSink out) {
      out.four(keysMax);
    }
  }
}
