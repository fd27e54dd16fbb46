// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import java.util.Optional;

/**
 * What was asked of one key, and what was answered. The sequential model that histories are held
 * against: a register that holds a value or none.
 */
public sealed interface Action {
  /** Stores a value. Whether there was another is not told. */
  record Put(String value) implements Action {
    @Override
    public String toString() {
      return "PUT " + value;
    }
  }

  /** Reads: the value, or empty when there was none. */
  record Get(Optional<String> read) implements Action {
    /** Asked, and not answered yet. */
    public static final Get UNANSWERED = new Get(Optional.empty());

    @Override
    public String toString() {
      return "GET -> " + read.orElse("(none)");
    }
  }

  /** Removes: whether there was a value, or empty when that was not answered. */
  record Delete(Optional<Boolean> existed) implements Action {
    /** Asked, and not answered yet. */
    public static final Delete UNANSWERED = new Delete(Optional.empty());

    @Override
    public String toString() {
      return "DELETE" + existed.map(found -> found ? " -> removed" : " -> (none)").orElse("");
    }
  }

  /** Whether this answer is right when the register holds {@code state}; null is no value. */
  default boolean allowedAt(String state) {
    if (this instanceof Get get) {
      return get.read().equals(Optional.ofNullable(state));
    }
    return !(this instanceof Delete delete)
        || delete.existed().isEmpty()
        || delete.existed().get() == (state != null);
  }

  /** What the register holds afterwards. */
  default String after(String state) {
    if (this instanceof Put put) {
      return put.value();
    }
    return this instanceof Delete ? null : state;
  }

  /** Whether it changes nothing. */
  default boolean readOnly() {
    return this instanceof Get;
  }
}
