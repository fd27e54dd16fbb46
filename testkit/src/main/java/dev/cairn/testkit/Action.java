// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import java.util.Optional;

/**
 * What was asked of one key, and what was answered. The sequential model that histories are held
 * against: a register that holds a value or none, in which a number can be counted up and to which
 * text can be appended.
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

  /** Counts up by one: the number then, or empty when that was not answered. */
  record Increment(Optional<Long> result) implements Action {
    /** Asked, and not answered yet. */
    public static final Increment UNANSWERED = new Increment(Optional.empty());

    @Override
    public String toString() {
      return "INCR" + result.map(number -> " -> " + number).orElse("");
    }
  }

  /** Appends a piece: how long the value was then, or empty when that was not answered. */
  record Append(String piece, Optional<Long> length) implements Action {
    /** Asked, and not answered yet. */
    public static Append of(String piece) {
      return new Append(piece, Optional.empty());
    }

    @Override
    public String toString() {
      return "APPEND " + piece + length.map(total -> " -> " + total).orElse("");
    }
  }

  /** Whether this answer is right when the register holds {@code state}; null is no value. */
  default boolean allowedAt(String state) {
    if (this instanceof Get get) {
      return get.read().equals(Optional.ofNullable(state));
    } else if (this instanceof Delete delete) {
      return delete.existed().isEmpty() || delete.existed().get() == (state != null);
    } else if (this instanceof Increment increment) {
      return increment.result().isEmpty()
          || increment.result().get().toString().equals(after(state));
    } else if (this instanceof Append append) {
      return append.length().isEmpty() || append.length().get() == after(state).length();
    }
    return true;
  }

  /** What the register holds afterwards. */
  default String after(String state) {
    if (this instanceof Put put) {
      return put.value();
    } else if (this instanceof Increment) {
      return Long.toString(state == null ? 1 : Long.parseLong(state) + 1);
    } else if (this instanceof Append append) {
      return state == null ? append.piece() : state + append.piece();
    }
    return this instanceof Delete ? null : state;
  }

  /** This, asked and not answered. */
  default Action unanswered() {
    if (this instanceof Append append) {
      return Append.of(append.piece());
    } else if (this instanceof Increment) {
      return Increment.UNANSWERED;
    } else if (this instanceof Delete) {
      return Delete.UNANSWERED;
    }
    return this instanceof Get ? Get.UNANSWERED : this;
  }

  /** Whether what it leaves depends on how often it was done. */
  default boolean cumulative() {
    return this instanceof Increment || this instanceof Append;
  }

  /** Whether it changes nothing. */
  default boolean readOnly() {
    return this instanceof Get;
  }
}
