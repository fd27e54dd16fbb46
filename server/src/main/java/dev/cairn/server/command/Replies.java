// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.protocol.RespValue;
import java.nio.charset.StandardCharsets;

/** Replies that several commands give. */
final class Replies {
  private Replies() {}

  /** One entry of a map. */
  static RespValue.Entry entry(String key, RespValue value) {
    return new RespValue.Entry(RespValue.bulk(key), value);
  }

  /** A text for people. */
  static RespValue verbatim(CharSequence text) {
    return new RespValue.Verbatim("txt", text.toString().getBytes(StandardCharsets.UTF_8));
  }
}
