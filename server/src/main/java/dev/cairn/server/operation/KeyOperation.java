// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.operation;

import dev.cairn.server.value.Bits;
import dev.cairn.state.ValueRecord;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Concerns several keys of one partition, all or none; or when a key expires, or in which version
 * it stands.
 */
public sealed interface KeyOperation extends Operation {
  /**
   * Carries out several operations as one, if the keys that its client looked at stand as they did.
   * Answers {@link Result.Nil} where one does not, and nothing is done; else {@link Result.Many}:
   * one result for each operation. One that fails changes nothing by itself and stops no other, as
   * in Redis.
   *
   * @param seen keys and the version each must have still
   * @param operations what is done, in this order; reads see what those before them left. No
   *     transaction is among them
   */
  record Transaction(List<Seen> seen, List<Operation> operations) implements KeyOperation {
    /**
     * How many bytes of answers there may be before an operation that would add a value to them is
     * refused. Part of the format: every replica must do the same.
     */
    public static final long ANSWER_BYTES_MAX = 16L << 20;

    public Transaction {
      seen = List.copyOf(seen);
      operations = List.copyOf(operations);
      if (operations.stream().anyMatch(Transaction.class::isInstance)) {
        throw new IllegalArgumentException("a transaction in a transaction");
      }
    }

    @Override
    public List<byte[]> keys() {
      List<byte[]> keys = new ArrayList<>(seen.size() + operations.size());
      seen.forEach(key -> keys.add(key.key()));
      operations.forEach(operation -> keys.addAll(operation.keys()));
      return keys;
    }

    @Override
    public Result apply(Keyspace keyspace) {
      for (Seen key : seen) {
        if (Query.Version.of(keyspace, key.key()) != key.version()) {
          return new Result.Nil();
        }
      }
      List<Result> results = new ArrayList<>(operations.size());
      long bytes = 0;
      for (Operation operation : operations) {
        boolean full = bytes > ANSWER_BYTES_MAX && operation.answersValue();
        Result result =
            full ? new Result.Failed(Mistake.ANSWERS_TOO_LARGE) : operation.apply(keyspace);
        results.add(result);
        bytes += result.bytes();
      }
      return new Result.Many(results);
    }

    @Override
    public boolean grows() {
      return operations.stream().anyMatch(Operation::grows);
    }

    @Override
    public boolean walks() {
      return operations.stream().anyMatch(Operation::walks);
    }

    @Override
    public int opcode() {
      return Opcode.TRANSACTION;
    }

    @Override
    public void write(ByteSink out) {
      out.four(seen.size());
      seen.forEach(key -> out.bytes(key.key()).eight(key.version()));
      out.four(operations.size());
      operations.forEach(operation -> operation.write(out.one(operation.opcode())));
    }
  }

  /** A key and the version it had ({@link Query.Version}); 0: there was none. */
  record Seen(byte[] key, long version) {}

  /**
   * Says when a key is to be gone; a time that is up removes it. Answers {@link Result.Int} 1 where
   * it did, else 0; with {@code answerValue} the value, whatever became of it.
   *
   * @param expiry {@link Expiry#NEVER}: it stays, which is something done only where it did not
   * @param only when: the sum of {@link #IF_NONE} and so on; 0: always
   */
  record Expire(byte[] key, Expiry expiry, int only, boolean answerValue) implements KeyOperation {
    /** Only a key that stays. */
    public static final int IF_NONE = 1;

    /** Only a key that does not. */
    public static final int IF_ANY = 2;

    /** Only to a later time; a key that stays is later than any. */
    public static final int IF_LATER = 4;

    /** Only to an earlier time. */
    public static final int IF_EARLIER = 8;

    @Override
    public List<byte[]> keys() {
      return List.of(key);
    }

    @Override
    public Result apply(Keyspace keyspace) {
      Optional<ValueRecord> record = answerValue ? keyspace.lookUp(key) : keyspace.get(key);
      OptionalLong resolved = expiry.resolve(record, keyspace.nowMillis());
      if (answerValue && record.isEmpty()) {
        return new Result.Nil();
      }
      if (resolved.isEmpty()) {
        return new Result.Failed(Mistake.EXPIRE_TIME);
      }
      boolean changes = record.isPresent() && changes(record.get(), resolved.getAsLong());
      if (changes) {
        keyspace.put(key, record.get().value(), resolved.getAsLong());
      }
      return answerValue ? new Result.Bytes(record.get().value()) : new Result.Int(changes ? 1 : 0);
    }

    @Override
    public boolean answersValue() {
      return answerValue;
    }

    private boolean changes(ValueRecord record, long nextMillis) {
      if (expiry.kind() == Expiry.Kind.NEVER) {
        return record.expires();
      }
      long thenMillis = record.expires() ? record.expiresAtMillis() : Long.MAX_VALUE;
      return (!has(IF_NONE) || !record.expires())
          && (!has(IF_ANY) || record.expires())
          && (!has(IF_LATER) || (record.expires() && nextMillis > thenMillis))
          && (!has(IF_EARLIER) || !record.expires() || nextMillis < thenMillis);
    }

    private boolean has(int condition) {
      return (only & condition) != 0;
    }

    @Override
    public int opcode() {
      return Opcode.EXPIRE;
    }

    @Override
    public void write(ByteSink out) {
      out.bytes(key);
      expiry.write(out);
      out.one(only).flag(answerValue);
    }
  }

  /**
   * Moves a value, and when it expires, to another key. Answers {@link Result.Int} 1, or 0 where
   * the target was there and {@code onlyIfAbsent}.
   */
  record Rename(byte[] from, byte[] to, boolean onlyIfAbsent) implements KeyOperation {
    @Override
    public List<byte[]> keys() {
      return List.of(from, to);
    }

    @Override
    public Result apply(Keyspace keyspace) {
      Optional<ValueRecord> record = keyspace.get(from);
      if (record.isEmpty()) {
        return new Result.Failed(Mistake.NO_SUCH_KEY);
      }
      if (Arrays.equals(from, to)) {
        return new Result.Int(onlyIfAbsent ? 0 : 1); // as in Redis: nothing changes
      }
      if (onlyIfAbsent && keyspace.get(to).isPresent()) {
        return new Result.Int(0);
      }
      keyspace.delete(from);
      keyspace.put(to, record.get().value(), record.get().expiresAtMillis());
      return new Result.Int(1);
    }

    @Override
    public int opcode() {
      return Opcode.RENAME;
    }

    @Override
    public void write(ByteSink out) {
      out.bytes(from).bytes(to).flag(onlyIfAbsent);
    }
  }

  /**
   * Copies a value, and when it expires, to another key. Answers {@link Result.Int} 1, or 0 where
   * there was nothing to copy, or the target was there and is not to be replaced.
   */
  record Copy(byte[] from, byte[] to, boolean replace) implements KeyOperation {
    @Override
    public List<byte[]> keys() {
      return List.of(from, to);
    }

    @Override
    public Result apply(Keyspace keyspace) {
      Optional<ValueRecord> record = keyspace.lookUp(from);
      if (record.isEmpty() || (!replace && keyspace.get(to).isPresent())) {
        return new Result.Int(0);
      }
      keyspace.put(to, record.get().value(), record.get().expiresAtMillis());
      return new Result.Int(1);
    }

    @Override
    public int opcode() {
      return Opcode.COPY;
    }

    @Override
    public void write(ByteSink out) {
      out.bytes(from).bytes(to).flag(replace);
    }
  }

  /** A key and its value. */
  record Pair(byte[] key, byte[] value) {}

  /**
   * Stores several values, or none where the condition does not hold for every key. Answers {@link
   * Result.Int} 1 or 0.
   *
   * @param condition one that compares with nothing
   */
  record PutAll(List<Pair> pairs, Expiry expiry, Condition.Kind condition) implements KeyOperation {
    public PutAll {
      pairs = List.copyOf(pairs);
    }

    @Override
    public List<byte[]> keys() {
      return pairs.stream().map(Pair::key).toList();
    }

    @Override
    public Result apply(Keyspace keyspace) {
      if (expiry.resolve(Optional.empty(), keyspace.nowMillis()).isEmpty()) {
        return new Result.Failed(Mistake.EXPIRE_TIME);
      }
      Condition each = Condition.of(condition);
      if (condition != Condition.Kind.ALWAYS
          && !pairs.stream().allMatch(pair -> each.holds(keyspace.get(pair.key())))) {
        return new Result.Int(0);
      }
      for (Pair pair : pairs) {
        OptionalLong expiresAtMillis =
            expiry.resolve(keyspace.get(pair.key()), keyspace.nowMillis());
        keyspace.put(pair.key(), pair.value(), expiresAtMillis.getAsLong());
      }
      return new Result.Int(1);
    }

    @Override
    public int opcode() {
      return Opcode.PUT_ALL;
    }

    @Override
    public void write(ByteSink out) {
      out.four(pairs.size());
      pairs.forEach(pair -> out.bytes(pair.key()).bytes(pair.value()));
      expiry.write(out);
      out.choice(condition);
    }
  }

  /**
   * Combines the bits of values into a key that stays; without any bit the key is removed. Answers
   * {@link Result.Int}, the length then.
   */
  record BitCombine(Bits.Combination how, byte[] to, List<byte[]> from) implements KeyOperation {
    public BitCombine {
      from = List.copyOf(from);
    }

    @Override
    public List<byte[]> keys() {
      List<byte[]> keys = new ArrayList<>(from.size() + 1);
      keys.add(to);
      keys.addAll(from);
      return keys;
    }

    @Override
    public Result apply(Keyspace keyspace) {
      List<byte[]> values =
          from.stream()
              .map(key -> keyspace.lookUp(key).map(ValueRecord::value).orElse(new byte[0]))
              .toList();
      byte[] combined = Bits.combine(how, values);
      if (combined.length == 0) {
        keyspace.delete(to);
      } else {
        keyspace.put(to, combined, ValueRecord.NEVER);
      }
      return new Result.Int(combined.length);
    }

    @Override
    public int opcode() {
      return Opcode.BIT_COMBINE;
    }

    @Override
    public void write(ByteSink out) {
      out.choice(how).bytes(to).four(from.size());
      from.forEach(out::bytes);
    }
  }

  /**
   * Stores a value or removes a key, where a condition holds, and tells the key's version before
   * and after: what HTTP's PUT and DELETE do. Comparing and changing is one step of the log, so of
   * two that expect the same version one finds another.
   *
   * <p>Answers {@link Result.Many} of three {@link Result.Int}: 1 if the condition held, else 0;
   * the version that stood there before, 0 where there was none; the version that stands there now,
   * 0 where there is none. {@link Result.Failed} where the expiry is past all times.
   *
   * @param value empty: the key is to be gone, and the expiry means nothing
   */
  record Revision(byte[] key, Optional<byte[]> value, Expiry expiry, Condition condition)
      implements KeyOperation {
    private static final long NONE = 0; // the first change of a partition is version 1

    /** To store a value. */
    public static Revision put(byte[] key, byte[] value, Expiry expiry, Condition condition) {
      return new Revision(key, Optional.of(value), expiry, condition);
    }

    /** To remove the key. */
    public static Revision delete(byte[] key, Condition condition) {
      return new Revision(key, Optional.empty(), Expiry.NEVER, condition);
    }

    @Override
    public List<byte[]> keys() {
      return List.of(key);
    }

    @Override
    public Result apply(Keyspace keyspace) {
      Optional<ValueRecord> before = keyspace.get(key);
      OptionalLong expiresAtMillis = expiry.resolve(before, keyspace.nowMillis());
      if (expiresAtMillis.isEmpty()) {
        return new Result.Failed(Mistake.EXPIRE_TIME);
      }
      boolean holds = condition.holds(before);
      if (holds) {
        if (value.isPresent()) {
          keyspace.put(key, value.get(), expiresAtMillis.getAsLong());
        } else {
          keyspace.delete(key);
        }
      }
      return new Result.Many(
          List.of(
              new Result.Int(holds ? 1 : 0),
              new Result.Int(before.map(ValueRecord::version).orElse(NONE)),
              new Result.Int(keyspace.get(key).map(ValueRecord::version).orElse(NONE))));
    }

    @Override
    public boolean grows() {
      return value.isPresent();
    }

    @Override
    public int opcode() {
      return Opcode.REVISION;
    }

    @Override
    public void write(ByteSink out) {
      out.bytes(key).flag(value.isPresent());
      value.ifPresent(out::bytes);
      expiry.write(out);
      condition.write(out);
    }
  }
}
