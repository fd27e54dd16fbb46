// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.protocol.Consistency;
import dev.cairn.state.RequestId;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/**
 * What a request asks for beside its command: {@code CAIRN WITH option ... DO command argument ...}
 * is the command, with these. One request and one reply: nothing stays behind on the connection
 * that the next command could pick up.
 *
 * <pre>
 *   option ::= ID clientId sequence issuedAtMillis | CONSISTENCY level
 * </pre>
 *
 * @param asked whether there were any: who sends them knows Cairn's attributes too
 * @param level for this request only
 * @param id by which a partition recognises a repetition of a write
 */
record RequestOptions(boolean asked, Optional<Consistency> level, Optional<RequestId> id) {
  static final RequestOptions NONE = new RequestOptions(false, Optional.empty(), Optional.empty());

  private static final int CLIENT_HEX_LENGTH = 32;

  /** Where the command begins in {@code CAIRN WITH ... DO}; 0 where the words are no such thing. */
  static int commandAt(List<byte[]> words) {
    if (words.size() < 4 || !is(words.get(0), "CAIRN") || !is(words.get(1), "WITH")) {
      return 0;
    }
    int at = 2;
    while (at < words.size() - 1) {
      if (is(words.get(at), "DO")) {
        return at + 1;
      }
      at += is(words.get(at), "ID") ? 4 : is(words.get(at), "CONSISTENCY") ? 2 : words.size();
    }
    return 0;
  }

  /**
   * Reads the options of words that {@link #commandAt} is not 0 for.
   *
   * @throws IllegalArgumentException with what to tell the client
   */
  static RequestOptions of(List<byte[]> words) {
    Optional<Consistency> level = Optional.empty();
    Optional<RequestId> id = Optional.empty();
    for (int at = 2; !is(words.get(at), "DO"); at += is(words.get(at), "ID") ? 4 : 2) {
      if (is(words.get(at), "ID")) {
        id = Optional.of(id(words, at + 1));
      } else {
        level = Optional.of(level(text(words.get(at + 1))));
      }
    }
    return new RequestOptions(true, level, id);
  }

  private static RequestId id(List<byte[]> words, int at) {
    String client = text(words.get(at));
    if (client.length() != CLIENT_HEX_LENGTH) {
      throw new IllegalArgumentException("a client id is 32 hex digits");
    }
    return new RequestId(
        HexFormat.fromHexDigitsToLong(client, 0, 16),
        HexFormat.fromHexDigitsToLong(client, 16, 32),
        number(words.get(at + 1)),
        number(words.get(at + 2)));
  }

  private static long number(byte[] word) {
    try {
      long number = Long.parseLong(text(word));
      if (number >= 0) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Said below, like a negative one.
    }
    throw new IllegalArgumentException("value is not an integer or out of range");
  }

  static Consistency level(String name) {
    return Consistency.named(name)
        .orElseThrow(() -> new IllegalArgumentException("no consistency level '" + name + "'"));
  }

  /** Why a command cannot be run with these options; empty if it can. */
  Optional<String> unfitFor(Command command) {
    if (asked && command.access() == Command.Access.NONE) {
      return Optional.of("CAIRN WITH takes a command that reads or writes keys");
    }
    if (id.isPresent() && command.access() != Command.Access.WRITE) {
      return Optional.of("an ID is for commands that write");
    }
    if (level.equals(Optional.of(Consistency.ONE)) && command.access() == Command.Access.WRITE) {
      return Optional.of(
          "level ONE is for reads: an acknowledged write is never on fewer than a majority");
    }
    return Optional.empty();
  }

  private static boolean is(byte[] word, String wanted) {
    return word.length == wanted.length() && text(word).equalsIgnoreCase(wanted);
  }

  private static String text(byte[] word) {
    return new String(word, StandardCharsets.UTF_8);
  }
}
