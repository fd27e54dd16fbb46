// SPDX-License-Identifier: Apache-2.0
package dev.cairn.state;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/** Makes writes at random, some of them again, and carries them out on a state. */
public final class Writes {
  /** So few ids are kept that some are forgotten in each run. */
  public static final RequestIds.Bounds ID_BOUNDS =
      new RequestIds.Bounds(400, 20, 1 << 20, 64 << 10);

  private static final int KEYS = 12;
  private static final int SWEEP_KEYS = 2;

  private final RandomGenerator random;
  private final List<Write> withIds = new ArrayList<>();
  private long timeMillis = 1000;
  private long sequence;

  /** Begins at a partition time of a second. */
  public Writes(RandomGenerator random) {
    this.random = random;
  }

  /** The writes of one entry. */
  public Write.Entry next() {
    timeMillis += random.nextInt(20);
    List<Write> writes = new ArrayList<>();
    for (int i = random.nextInt(4); i >= 0; i--) {
      writes.add(random.nextInt(5) == 0 && !withIds.isEmpty() ? again() : fresh());
    }
    return new Write.Entry(timeMillis - random.nextInt(10), writes);
  }

  private Write again() {
    return withIds.get(Math.max(0, withIds.size() - 1 - random.nextInt(40)));
  }

  private Write fresh() {
    String key = key(random);
    long expiresAtMillis =
        random.nextInt(3) == 0 ? timeMillis - 5 + random.nextInt(200) : ValueRecord.NEVER;
    RequestId id =
        random.nextInt(3) == 0
            ? null
            : new RequestId(1, 2, sequence++, timeMillis - 15 + random.nextInt(10));
    Write write =
        switch (random.nextInt(24)) {
          case 0 -> new Write(Write.Kind.CLEAR, "", "", ValueRecord.NEVER, id);
          case 1, 2 -> new Write(Write.Kind.SWEEP, "", "", ValueRecord.NEVER, null);
          case 3, 4, 5, 6, 7 -> new Write(Write.Kind.DELETE, key, "", ValueRecord.NEVER, id);
          case 8, 9, 10, 11, 12, 13 -> new Write(Write.Kind.PUT, key, value(), expiresAtMillis, id);
          default -> new Write(Write.Kind.INCREMENT, key, "", ValueRecord.NEVER, id);
        };
    if (id != null) {
      withIds.add(write);
    }
    return write;
  }

  private String value() {
    return random.nextInt(8) == 0
        ? "x".repeat(random.nextInt(3000))
        : Integer.toString(random.nextInt(100));
  }

  /** One of the few keys that are used. */
  public static String key(RandomGenerator random) {
    int number = random.nextInt(KEYS);
    return "k".repeat(1 + number / 4) + number % 4;
  }

  /** All keys that are used. */
  public static List<String> keys() {
    List<String> keys = new ArrayList<>();
    for (int number = 0; number < KEYS; number++) {
      keys.add("k".repeat(1 + number / 4) + number % 4);
    }
    return keys;
  }

  // ---- On a state ----

  /** What an entry will ask for. */
  public static Wanted wanted(Write.Entry entry) {
    List<byte[]> keys = new ArrayList<>();
    List<RequestId> ids = new ArrayList<>();
    for (Write write : entry.writes()) {
      keys.add(bytes(write.key()));
      if (write.id() != null) {
        ids.add(write.id());
      }
    }
    return new Wanted(keys, ids, 1, entry.timeMillis());
  }

  /** Applies an entry; the answers of its writes, or null if it was applied already. */
  public static List<String> apply(State state, long index, long term, Write.Entry entry) {
    if (!state.begin(index, term, entry.timeMillis())) {
      return null;
    }
    List<String> answers = new ArrayList<>();
    for (Write write : entry.writes()) {
      answers.add(applyOnce(state, write));
    }
    state.end();
    return answers;
  }

  private static String applyOnce(State state, Write write) {
    if (write.id() == null) {
      return apply(state, write);
    }
    RequestIds.Recalled recalled = state.recall(write.id());
    return switch (recalled.known()) {
      case NEW -> {
        String answer = apply(state, write);
        state.remember(write.id(), bytes(answer));
        yield answer;
      }
      case ANSWERED -> new String(recalled.answer(), StandardCharsets.UTF_8);
      default -> recalled.known().toString();
    };
  }

  private static String apply(State state, Write write) {
    byte[] key = bytes(write.key());
    return switch (write.kind()) {
      case PUT -> {
        state.put(key, bytes(write.value()), write.expiresAtMillis());
        yield "OK";
      }
      case INCREMENT -> {
        ValueRecord before =
            state.get(key).orElse(new ValueRecord(0, ValueRecord.NEVER, bytes("0")));
        String number = new String(before.value(), StandardCharsets.UTF_8);
        if (!number.matches("\\d+")) {
          yield "ERR";
        }
        String next = Long.toString(Long.parseLong(number) + 1);
        state.put(key, bytes(next), before.expiresAtMillis());
        yield next;
      }
      case DELETE -> state.delete(key) ? "1" : "0";
      case CLEAR -> {
        state.clear();
        yield "OK";
      }
      case SWEEP -> Integer.toString(state.sweep(SWEEP_KEYS));
    };
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** How many keys a sweep takes at most. */
  static int sweepKeys() {
    return SWEEP_KEYS;
  }
}
