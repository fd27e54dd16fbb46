// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The commands of a node that took longest lately, whichever port they came by. The time is from
 * when a command was started until its reply was there, the partition's leader and disks included.
 * Keeps of each at most 32 words, cut after 128 bytes, as Redis does, but no values unless the
 * node's settings say so ({@link ShownWords}). Any thread.
 */
public final class SlowLog {
  private static final int WORDS_MAX = 32;
  private static final int WORD_BYTES_MAX = 128;

  private final ArrayDeque<Entry> entries = new ArrayDeque<>(); // guarded by this; latest first
  private long lastId = -1; // guarded by this
  private int lengthMax = 128; // guarded by this
  private volatile long slowerThanMicros = 10_000; // negative: nothing is slow
  private final boolean showsValues;

  /** A log that is empty, and keeps no values. */
  public SlowLog() {
    this(false);
  }

  /**
   * A log that is empty.
   *
   * @param showsValues whether it keeps what is no key too
   */
  public SlowLog(boolean showsValues) {
    this.showsValues = showsValues;
  }

  /**
   * One that took long.
   *
   * @param atSeconds when it was answered, seconds since 1970
   * @param words its name and arguments, as far as they are kept
   * @param address its client's
   * @param name what its client calls itself
   */
  public record Entry(
      long id, long atSeconds, long micros, List<byte[]> words, String address, String name) {
    public Entry {
      words = List.copyOf(words);
    }
  }

  /** All of them, the latest first. */
  public synchronized List<Entry> entries() {
    return List.copyOf(entries);
  }

  long slowerThanMicros() {
    return slowerThanMicros;
  }

  void slowerThanMicros(long micros) {
    slowerThanMicros = micros;
  }

  synchronized int lengthMax() {
    return lengthMax;
  }

  synchronized void lengthMax(int length) {
    lengthMax = length;
    trim();
  }

  synchronized int size() {
    return entries.size();
  }

  /** Keeps a command if it was slow. */
  void ran(ClientState client, ShownWords words, long nanos, Clock clock) {
    if (isSlow(nanos)) {
      add(client.address(), client.name(), words.shown(showsValues), nanos, clock);
    }
  }

  /**
   * Keeps a request that came by another protocol, if it was slow.
   *
   * @param words what may be shown: no value
   */
  public void ran(String address, String name, List<byte[]> words, long nanos, Clock clock) {
    if (isSlow(nanos)) {
      add(address, name, words, nanos, clock);
    }
  }

  private boolean isSlow(long nanos) {
    long bound = slowerThanMicros;
    return bound >= 0 && nanos / 1000 >= bound;
  }

  private void add(String address, String name, List<byte[]> words, long nanos, Clock clock) {
    List<byte[]> cut = cut(words);
    long atSeconds = clock.instant().getEpochSecond();
    synchronized (this) {
      entries.addFirst(new Entry(++lastId, atSeconds, nanos / 1000, cut, address, name));
      trim();
    }
  }

  private void trim() {
    while (entries.size() > lengthMax) {
      entries.removeLast();
    }
  }

  private static List<byte[]> cut(List<byte[]> words) {
    List<byte[]> shown = new ArrayList<>();
    boolean cut = words.size() > WORDS_MAX;
    for (int i = 0; i < (cut ? WORDS_MAX - 1 : words.size()); i++) {
      byte[] word = words.get(i);
      if (word.length > WORD_BYTES_MAX) {
        byte[] more =
            "... (%d more bytes)"
                .formatted(word.length - WORD_BYTES_MAX)
                .getBytes(StandardCharsets.US_ASCII);
        byte[] start = Arrays.copyOf(word, WORD_BYTES_MAX + more.length);
        System.arraycopy(more, 0, start, WORD_BYTES_MAX, more.length);
        word = start;
      }
      shown.add(word);
    }
    if (cut) {
      shown.add(
          "... (%d more arguments)"
              .formatted(words.size() - WORDS_MAX + 1)
              .getBytes(StandardCharsets.US_ASCII));
    }
    return shown;
  }

  /** Forgets all of them. */
  synchronized void clear() {
    entries.clear();
  }
}
