// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.operation;

import dev.cairn.server.value.Digest;
import dev.cairn.state.ValueRecord;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * What must hold of a key for an operation to change it.
 *
 * @param kind what is asked
 * @param operand the value or digest it is compared with; empty where nothing is
 */
public record Condition(Kind kind, byte[] operand) {
  public Condition {
    boolean versions = kind == Kind.IF_VERSION || kind == Kind.IF_NOT_VERSION;
    if (versions && operand.length % Long.BYTES != 0) {
      throw new IllegalArgumentException("versions of " + operand.length + " bytes");
    }
  }

  /** No condition. */
  public static final Condition ALWAYS = of(Kind.ALWAYS);

  /** What a condition asks; part of the format by its order. */
  public enum Kind {
    ALWAYS,
    IF_ABSENT,
    IF_PRESENT,
    IF_EQUAL,
    /** Holds for a missing key too, as in Redis. */
    IF_NOT_EQUAL,
    IF_DIGEST_EQUAL,
    /** Holds for a missing key too, as in Redis. */
    IF_DIGEST_NOT_EQUAL,
    /** The key is there in one of several versions; the operand has eight bytes of each. */
    IF_VERSION,
    /** It is not there, or in none of them. */
    IF_NOT_VERSION
  }

  /** One that compares with nothing. */
  public static Condition of(Kind kind) {
    return new Condition(kind, new byte[0]);
  }

  /** {@link Kind#IF_VERSION} or {@link Kind#IF_NOT_VERSION}. */
  public static Condition of(Kind kind, List<Long> versions) {
    ByteBuffer operand = ByteBuffer.allocate(versions.size() * Long.BYTES);
    versions.forEach(operand::putLong);
    return new Condition(kind, operand.array());
  }

  /**
   * What is wrong with the condition, now that it meets a value. Like Redis: a digest's length is
   * looked at only where there is a value, and only its length, so what is no hexadecimal number is
   * a digest that no value has.
   */
  Optional<Mistake> mistake(Optional<ValueRecord> record) {
    boolean digests = kind == Kind.IF_DIGEST_EQUAL || kind == Kind.IF_DIGEST_NOT_EQUAL;
    return digests && record.isPresent() && operand.length != Digest.LENGTH
        ? Optional.of(Mistake.DIGEST_LENGTH)
        : Optional.empty();
  }

  boolean holds(Optional<ValueRecord> record) {
    return switch (kind) {
      case ALWAYS -> true;
      case IF_ABSENT -> record.isEmpty();
      case IF_PRESENT -> record.isPresent();
      case IF_EQUAL -> record.isPresent() && Arrays.equals(record.get().value(), operand);
      case IF_NOT_EQUAL -> record.isEmpty() || !Arrays.equals(record.get().value(), operand);
      case IF_DIGEST_EQUAL -> record.isPresent() && Digest.matches(record.get().value(), operand);
      case IF_DIGEST_NOT_EQUAL ->
          record.isEmpty() || !Digest.matches(record.get().value(), operand);
      case IF_VERSION -> record.isPresent() && names(record.get().version());
      case IF_NOT_VERSION -> record.isEmpty() || !names(record.get().version());
    };
  }

  private boolean names(long version) {
    ByteBuffer versions = ByteBuffer.wrap(operand);
    while (versions.hasRemaining()) {
      if (versions.getLong() == version) {
        return true;
      }
    }
    return false;
  }

  void write(ByteSink out) {
    out.choice(kind).bytes(operand);
  }

  static Condition read(ByteBuffer in) throws IOException {
    return new Condition(ByteSource.readEnum(in, Kind.values()), ByteSource.readBytes(in));
  }
}
