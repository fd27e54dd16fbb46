// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import dev.cairn.server.storage.ValueRecord;
import dev.cairn.server.value.Digest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;

/**
 * What must hold of a key for an operation to change it.
 *
 * @param kind what is asked
 * @param operand the value or digest it is compared with; empty where nothing is
 */
public record Condition(Kind kind, byte[] operand) {
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
    IF_DIGEST_NOT_EQUAL
  }

  /** One that compares with nothing. */
  public static Condition of(Kind kind) {
    return new Condition(kind, new byte[0]);
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
    };
  }

  void write(ByteSink out) {
    out.choice(kind).bytes(operand);
  }

  static Condition read(ByteBuffer in) throws IOException {
    return new Condition(OperationCodec.readEnum(in, Kind.values()), OperationCodec.readBytes(in));
  }
}
