// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.longrun;

import dev.cairn.testkit.History;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/**
 * Some seconds of a run, with keys that nobody wrote before and nobody will write after. Its
 * history is decided by itself, once its clients have left and each key was read again.
 */
final class Window {
  /** What a key is for, for as long as it is there. */
  enum Kind {
    /** Stored to, removed and read. */
    REGISTER,
    /** Counted up and read. */
    COUNTER,
    /** Appended to and read. */
    LIST
  }

  private static final String[] LETTERS = {"c", "l", "k", "k", "k", "k", "k", "k"};

  private final int number;
  private final List<String> keys;
  private final History history = new History();
  private final AtomicInteger inside = new AtomicInteger();
  private volatile boolean shut;

  Window(int number, int keyCount) {
    this.number = number;
    keys =
        IntStream.range(0, keyCount)
            .mapToObj(i -> "w" + number + "-" + LETTERS[i % LETTERS.length] + i)
            .toList();
  }

  /** Of eight keys one counts and one takes pieces; the others are registers. */
  static Kind kind(String key) {
    return switch (key.charAt(key.indexOf('-') + 1)) {
      case 'c' -> Kind.COUNTER;
      case 'l' -> Kind.LIST;
      default -> Kind.REGISTER;
    };
  }

  int number() {
    return number;
  }

  List<String> keys() {
    return keys;
  }

  History history() {
    return history;
  }

  /** Whether the caller may ask something of these keys; then it must {@link #leave}. */
  boolean enter() {
    inside.incrementAndGet();
    if (shut) {
      inside.decrementAndGet();
      return false;
    }
    return true;
  }

  void leave() {
    inside.decrementAndGet();
  }

  /** Lets nobody in any more. */
  void shut() {
    shut = true;
  }

  /** Whether everybody has their last answer. */
  boolean isLeft() {
    return shut && inside.get() == 0;
  }
}
