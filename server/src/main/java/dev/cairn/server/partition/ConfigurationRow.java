// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import dev.cairn.server.raft.GroupListener.Configuration;
import dev.cairn.server.raft.Peer;
import dev.cairn.state.StateException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Who belongs to a partition's group, as its data has it in the applied row.
 *
 * <pre>
 *   configuration := nothing | voters outgoing learners       nothing: no entry has named any yet
 *   voters, outgoing, learners := count:2 (length:2 utf8)*
 * </pre>
 *
 * Numbers are big-endian; nothing may follow.
 *
 * @param voters by their names ({@link Peer#toString})
 * @param outgoing voters of the configuration that is being left; empty when none is
 * @param learners members without a vote
 */
record ConfigurationRow(List<String> voters, List<String> outgoing, List<String> learners) {
  private static final int MEMBERS_MAX = 1_000;
  private static final int NAME_BYTES_MAX = 512;

  /** What an entry of the log says. */
  static ConfigurationRow of(Configuration configuration) {
    return new ConfigurationRow(
        names(configuration.voters()),
        names(configuration.outgoing()),
        names(configuration.learners()));
  }

  private static List<String> names(List<Peer> members) {
    return members.stream().map(Peer::toString).toList();
  }

  byte[] encode() {
    List<byte[]> encoded = new ArrayList<>();
    for (List<String> names : List.of(voters, outgoing, learners)) {
      if (names.size() > MEMBERS_MAX) {
        throw new IllegalArgumentException(names.size() + " members, at most " + MEMBERS_MAX);
      }
      encoded.add(ByteBuffer.allocate(Short.BYTES).putShort((short) names.size()).array());
      for (String name : names) {
        byte[] utf8 = name.getBytes(StandardCharsets.UTF_8);
        if (utf8.length > NAME_BYTES_MAX) {
          throw new IllegalArgumentException("a member's name is too long: " + name);
        }
        encoded.add(ByteBuffer.allocate(Short.BYTES).putShort((short) utf8.length).array());
        encoded.add(utf8);
      }
    }
    ByteBuffer out = ByteBuffer.allocate(encoded.stream().mapToInt(each -> each.length).sum());
    encoded.forEach(out::put);
    return out.array();
  }

  /** Reads it; throws {@link StateException} for bytes that are none. */
  static ConfigurationRow decode(byte[] bytes) {
    if (bytes.length == 0) {
      return new ConfigurationRow(List.of(), List.of(), List.of());
    }
    ByteBuffer in = ByteBuffer.wrap(bytes);
    try {
      ConfigurationRow row = new ConfigurationRow(names(in), names(in), names(in));
      if (in.hasRemaining()) {
        throw new StateException("a configuration is followed by " + in.remaining() + " bytes");
      }
      return row;
    } catch (BufferUnderflowException e) {
      throw new StateException("a configuration of " + bytes.length + " bytes is cut short", e);
    }
  }

  private static List<String> names(ByteBuffer in) {
    int count = in.getShort();
    if (count < 0 || count > MEMBERS_MAX) {
      throw new StateException("a configuration names " + count + " members");
    }
    List<String> names = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      int length = in.getShort();
      if (length < 0 || length > NAME_BYTES_MAX) {
        throw new StateException("a configuration has a name of " + length + " bytes");
      }
      byte[] utf8 = new byte[length];
      in.get(utf8);
      names.add(new String(utf8, StandardCharsets.UTF_8));
    }
    return names;
  }
}
