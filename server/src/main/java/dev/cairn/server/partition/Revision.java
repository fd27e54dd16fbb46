// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import dev.cairn.server.storage.ValueRecord;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Stores a value or removes a key, where a condition holds, and tells the key's version before and
 * after: what HTTP's PUT and DELETE do. Comparing and changing is one step of the log, so of two
 * that expect the same version one finds another.
 *
 * <p>Answers {@link Result.Many} of three {@link Result.Int}: 1 if the condition held, else 0; the
 * version that stood there before, 0 where there was none; the version that stands there now, 0
 * where there is none. {@link Result.Failed} where the expiry is past all times.
 *
 * @param value empty: the key is to be gone, and the expiry means nothing
 */
public record Revision(byte[] key, Optional<byte[]> value, Expiry expiry, Condition condition)
    implements Operation {
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
    return OperationCodec.REVISION;
  }

  @Override
  public void write(ByteSink out) {
    out.bytes(key).flag(value.isPresent());
    value.ifPresent(out::bytes);
    expiry.write(out);
    condition.write(out);
  }
}
