// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What the cluster has acknowledged, and what it left unknown: what must be there in the end, and
 * what may. Each key is written once. Thread-safe.
 */
final class DemoRecord {
  /** A key with the value that it must have, or may have. */
  record Expected(byte[] key, byte[] value, boolean certain) {}

  private final Map<ByteBuffer, Expected> expected = new ConcurrentHashMap<>();

  void acknowledged(byte[] key, byte[] value) {
    expected.put(ByteBuffer.wrap(key), new Expected(key, value, true));
  }

  void unknown(byte[] key, byte[] value) {
    expected.put(ByteBuffer.wrap(key), new Expected(key, value, false));
  }

  List<Expected> all() {
    return List.copyOf(expected.values());
  }

  long acknowledged() {
    return expected.values().stream().filter(Expected::certain).count();
  }

  long unknown() {
    return expected.size() - acknowledged();
  }
}
