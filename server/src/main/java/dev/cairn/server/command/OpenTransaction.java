// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.server.operation.KeyOperation;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What one connection watches, and what it has queued since MULTI.
 *
 * <p>Thread: the connection's event loop, but for {@link Watched#found} and what is volatile.
 */
final class OpenTransaction {
  /** What a command or a watched key takes beside its bytes, about. */
  private static final int OVERHEAD_BYTES = 64;

  private final Map<ByteBuffer, Watched> watched = new LinkedHashMap<>();
  private List<Queued> queued = List.of();
  private volatile int commands = -1; // -1: there was no MULTI
  private boolean spoiled;
  private volatile long bytes; // written by its event loop only
  private long watchedBytes; // of bytes

  /** A command that waits for EXEC. */
  record Queued(Command command, List<byte[]> words) {}

  /** A key, and the version it had when WATCH was called. Its version comes on any thread. */
  static final class Watched {
    private static final long UNKNOWN = -1;

    private final byte[] key;
    private volatile long version = UNKNOWN;

    Watched(byte[] key) {
      this.key = key;
    }

    byte[] key() {
      return key;
    }

    /** What counts is what the first WATCH found. */
    synchronized void found(long versionThen) {
      if (version == UNKNOWN) {
        version = versionThen;
      }
    }
  }

  /** Whether there was a MULTI. */
  boolean open() {
    return commands >= 0;
  }

  /** How many commands are queued; -1: there was no MULTI. Any thread. */
  int commands() {
    return commands;
  }

  /** MULTI. */
  void begin() {
    queued = new ArrayList<>();
    commands = 0;
  }

  /** What a command will take. */
  static long bytesOf(List<byte[]> words) {
    long sum = OVERHEAD_BYTES;
    for (byte[] word : words) {
      sum += OVERHEAD_BYTES + word.length;
    }
    return sum;
  }

  /** What it holds, about. Any thread. */
  long bytes() {
    return bytes;
  }

  private void hold(long more) {
    long now = bytes + more;
    bytes = now;
  }

  void queue(Command command, List<byte[]> words) {
    queued.add(new Queued(command, words));
    commands = queued.size();
    hold(bytesOf(words));
  }

  List<Queued> queued() {
    return queued;
  }

  /** Whether a key is watched, or one of its commands has keys. */
  boolean hasKeys() {
    return !watched.isEmpty() || queued.stream().anyMatch(one -> one.command().keys().first() > 0);
  }

  /** One of its commands was refused: EXEC will do nothing. */
  void spoil() {
    spoiled = open();
  }

  boolean spoiled() {
    return spoiled;
  }

  /** Those of these keys that are not watched, each once. */
  List<byte[]> notWatched(List<byte[]> keys) {
    Set<ByteBuffer> others = new LinkedHashSet<>();
    keys.forEach(key -> others.add(ByteBuffer.wrap(key)));
    others.removeAll(watched.keySet());
    return others.stream().map(ByteBuffer::array).toList();
  }

  /**
   * Watches keys from now on; those whose version is to be found. One that is watched already keeps
   * the version it had.
   */
  List<Watched> watch(List<byte[]> keys) {
    long added = bytesOf(notWatched(keys));
    watchedBytes += added;
    hold(added);
    List<Watched> unknown = new ArrayList<>();
    for (byte[] key : keys) {
      Watched one = watched.computeIfAbsent(ByteBuffer.wrap(key), none -> new Watched(key));
      if (one.version == Watched.UNKNOWN) {
        unknown.add(one);
      }
    }
    return unknown;
  }

  List<byte[]> watchedKeys() {
    return watched.values().stream().map(Watched::key).toList();
  }

  /** Whether a WATCH has not been answered, or was refused: what it was to guard may be changed. */
  boolean watchesBlindly() {
    return watched.values().stream().anyMatch(one -> one.version == Watched.UNKNOWN);
  }

  /** What is watched, for the partition to compare. */
  List<KeyOperation.Seen> seen() {
    return watched.values().stream()
        .map(one -> new KeyOperation.Seen(one.key, one.version))
        .toList();
  }

  /** UNWATCH. */
  void unwatch() {
    hold(-watchedBytes);
    watchedBytes = 0;
    watched.clear();
  }

  /** As before MULTI, and nothing is watched. */
  void end() {
    watched.clear();
    queued = List.of();
    commands = -1;
    spoiled = false;
    bytes = 0;
    watchedBytes = 0;
  }
}
