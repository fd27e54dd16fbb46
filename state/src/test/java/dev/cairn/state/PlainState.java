// SPDX-License-Identifier: Apache-2.0
package dev.cairn.state;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** What a state must be: plain maps, and nothing else. */
public final class PlainState {
  private record Value(long version, long expiresAtMillis, String text) {
    boolean isOver(long timeMillis) {
      return expiresAtMillis != ValueRecord.NEVER && expiresAtMillis <= timeMillis;
    }
  }

  private record Forgettable(long timeMillis, List<Long> sequences) {}

  private final TreeMap<String, Value> values = new TreeMap<>();
  private final Map<Long, String> answers = new TreeMap<>(); // all ids are of one client
  private final Deque<Forgettable> entries = new ArrayDeque<>();
  private long floorMillis;
  private long counter;
  private long timeMillis;

  /** As it is now, to be kept. */
  public PlainState copy() {
    PlainState copy = new PlainState();
    copy.values.putAll(values);
    copy.answers.putAll(answers);
    copy.entries.addAll(entries);
    copy.floorMillis = floorMillis;
    copy.counter = counter;
    copy.timeMillis = timeMillis;
    return copy;
  }

  /** Applies an entry; the answers of its writes. */
  public List<String> apply(Write.Entry entry) {
    timeMillis = Math.max(timeMillis, entry.timeMillis());
    List<String> answered = new ArrayList<>();
    List<Long> remembered = new ArrayList<>();
    for (Write write : entry.writes()) {
      answered.add(applyOnce(write, remembered));
    }
    if (!remembered.isEmpty()) {
      entries.addLast(new Forgettable(timeMillis, remembered));
    }
    while (!entries.isEmpty()
        && (answers.size() > Writes.ID_BOUNDS.countMax()
            || entries.peekFirst().timeMillis() < timeMillis - Writes.ID_BOUNDS.windowMillis())) {
      Forgettable oldest = entries.pollFirst();
      floorMillis = Math.max(floorMillis, oldest.timeMillis());
      oldest.sequences().forEach(answers::remove);
    }
    return answered;
  }

  private String applyOnce(Write write, List<Long> remembered) {
    if (write.id() == null) {
      return apply(write);
    }
    long sequence = write.id().sequence();
    long issued = write.id().issuedAtMillis();
    if (answers.containsKey(sequence)) {
      return answers.get(sequence);
    }
    if (issued > timeMillis) {
      return "EARLY";
    }
    if (issued <= floorMillis || issued < timeMillis - Writes.ID_BOUNDS.windowMillis()) {
      return "FORGOTTEN";
    }
    String answer = apply(write);
    answers.put(sequence, answer);
    remembered.add(sequence);
    return answer;
  }

  private String apply(Write write) {
    Value before = standing(write.key()).orElse(null);
    return switch (write.kind()) {
      case PUT -> {
        put(write.key(), write.value(), write.expiresAtMillis());
        yield "OK";
      }
      case INCREMENT -> {
        String number = before == null ? "0" : before.text();
        if (!number.matches("\\d+")) {
          yield "ERR";
        }
        String next = Long.toString(Long.parseLong(number) + 1);
        put(write.key(), next, before == null ? ValueRecord.NEVER : before.expiresAtMillis());
        yield next;
      }
      case DELETE -> {
        if (before != null) {
          counter++;
          values.remove(write.key());
        }
        yield before != null ? "1" : "0";
      }
      case CLEAR -> {
        counter++;
        values.clear();
        yield "OK";
      }
      case SWEEP -> Integer.toString(sweep());
    };
  }

  private void put(String key, String text, long expiresAtMillis) {
    Value value = new Value(++counter, expiresAtMillis, text);
    if (value.isOver(timeMillis)) {
      values.remove(key);
    } else {
      values.put(key, value);
    }
  }

  private int sweep() {
    List<Map.Entry<String, Value>> over =
        values.entrySet().stream()
            .filter(each -> each.getValue().isOver(timeMillis))
            .sorted(
                Comparator.<Map.Entry<String, Value>>comparingLong(
                        each -> each.getValue().expiresAtMillis())
                    .thenComparing(Map.Entry::getKey))
            .limit(Writes.sweepKeys())
            .toList();
    List<String> keys = over.stream().map(Map.Entry::getKey).toList();
    keys.forEach(values::remove);
    counter += keys.size();
    return keys.size();
  }

  private Optional<Value> standing(String key) {
    return Optional.ofNullable(values.get(key)).filter(value -> !value.isOver(timeMillis));
  }

  // ---- What is to be seen ----

  /** What a reader of one key sees. */
  public String read(String key) {
    return standing(key).map(PlainState::text).orElse("nothing");
  }

  /** What a reader of keys from one to another sees. */
  public String range(String from, String to) {
    StringBuilder text = new StringBuilder();
    values
        .tailMap(from)
        .forEach(
            (key, value) -> {
              if ((to.isEmpty() || key.compareTo(to) < 0) && !value.isOver(timeMillis)) {
                text.append(key).append('=').append(text(value)).append(' ');
              }
            });
    return text.toString();
  }

  /** Whether a key that stands there expires by then. */
  public boolean anyExpires(long untilMillis) {
    return values.values().stream().anyMatch(value -> value.isOver(untilMillis));
  }

  /** All that the applied row and the ids say, but for index, term and configuration. */
  public String figures() {
    return "counter %d, keys %d, time %d, ids %d"
        .formatted(counter, values.size(), timeMillis, answers.size());
  }

  private static String text(Value value) {
    return value.version() + "/" + value.expiresAtMillis() + "/" + value.text();
  }

  // ---- The same of a state ----

  /** As {@link #read}. */
  public static String read(State state, String key) {
    return state.get(Writes.bytes(key)).map(PlainState::text).orElse("nothing");
  }

  /** As {@link #read}, by a look. */
  public static String look(State state, String key) {
    Look look = state.look(Writes.bytes(key));
    return look.get()
        .filter(value -> !value.isOver(state.timeMillis()))
        .map(PlainState::text)
        .orElse("nothing");
  }

  /** As {@link #read}. */
  public static String read(View view, String key) {
    return view.get(Writes.bytes(key)).map(PlainState::text).orElse("nothing");
  }

  /** As {@link #range}. */
  public static String range(View view, String from, String to) {
    StringBuilder text = new StringBuilder();
    view.range(
        Writes.bytes(from),
        Writes.bytes(to),
        (key, value) -> {
          text.append(new String(key, StandardCharsets.UTF_8)).append('=');
          text.append(text(value)).append(' ');
          return true;
        });
    return text.toString();
  }

  /** As {@link #figures}. */
  public static String figures(State state) {
    Applied row = state.applied();
    return "counter %d, keys %d, time %d, ids %d"
        .formatted(row.counter(), row.keys(), row.timeMillis(), state.idsKept());
  }

  private static String text(ValueRecord value) {
    String text = new String(value.value(), StandardCharsets.UTF_8);
    return value.version() + "/" + value.expiresAtMillis() + "/" + text;
  }
}
