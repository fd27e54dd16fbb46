// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.operation;

import dev.cairn.state.ValueRecord;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * When a key that an operation writes is to be gone. A time to live is added to partition time when
 * the operation is applied, so that no client's and no node's clock decides.
 *
 * @param kind how {@code millis} is meant
 * @param millis milliseconds; 0 where it means nothing
 */
public record Expiry(Kind kind, long millis) {
  /** The key stays. */
  public static final Expiry NEVER = new Expiry(Kind.NEVER, 0);

  /** When the key was to be gone before. */
  public static final Expiry KEEP = new Expiry(Kind.KEEP, 0);

  /** How an expiry is given; part of the format by its order. */
  public enum Kind {
    NEVER,
    KEEP,
    /** Milliseconds since 1970. */
    AT,
    /** Milliseconds from the time of the entry. */
    AFTER
  }

  /** The {@link ValueRecord#expiresAtMillis}, or empty when it would be past all times. */
  OptionalLong resolve(Optional<ValueRecord> before, long nowMillis) {
    return switch (kind) {
      case NEVER -> OptionalLong.of(ValueRecord.NEVER);
      case KEEP ->
          OptionalLong.of(before.map(ValueRecord::expiresAtMillis).orElse(ValueRecord.NEVER));
      case AT -> OptionalLong.of(Math.max(0, millis));
      case AFTER ->
          millis > Long.MAX_VALUE - nowMillis
              ? OptionalLong.empty()
              : OptionalLong.of(Math.max(0, nowMillis + millis));
    };
  }

  void write(ByteSink out) {
    out.choice(kind).eight(millis);
  }

  static Expiry read(ByteBuffer in) throws IOException {
    return new Expiry(ByteSource.readEnum(in, Kind.values()), in.getLong());
  }
}
