// SPDX-License-Identifier: Apache-2.0
package dev.cairn.client;

import dev.cairn.protocol.RespProtocolException;
import dev.cairn.protocol.RespValue;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Some records of one partition, in the unsigned byte order of their keys.
 *
 * @param entries perhaps none, even where there are more
 * @param next where to go on, a key that may be there or not; empty: nothing is left of the range
 */
public record RecordPage(List<Entry> entries, Optional<byte[]> next) {
  public RecordPage {
    entries = List.copyOf(entries);
  }

  /**
   * A record as it was when the page was read.
   *
   * @param expiresAtMillis since 1970; empty: it does not expire
   */
  public record Entry(byte[] key, byte[] value, OptionalLong expiresAtMillis) {}

  /** {@code [next, [[key, expiresAtMillis, value] ...]]}, as CAIRN RANGE answers. */
  static RecordPage decode(RespValue reply) {
    List<RespValue> page = elements(reply, 2);
    List<Entry> entries = new ArrayList<>();
    for (RespValue record : elements(page.get(1), -1)) {
      List<RespValue> fields = elements(record, 3);
      if (!(fields.get(1) instanceof RespValue.Int expiresAt)) {
        throw new RespProtocolException("no integer where one belongs");
      }
      entries.add(
          new Entry(
              bytes(fields.get(0)),
              bytes(fields.get(2)),
              expiresAt.value() < 0 ? OptionalLong.empty() : OptionalLong.of(expiresAt.value())));
    }
    return new RecordPage(
        entries,
        page.get(0) instanceof RespValue.Nil ? Optional.empty() : Optional.of(bytes(page.get(0))));
  }

  private static List<RespValue> elements(RespValue value, int count) {
    if (value instanceof RespValue.Array array && (count < 0 || array.elements().size() == count)) {
      return array.elements();
    }
    throw new RespProtocolException("no page of records where one belongs");
  }

  private static byte[] bytes(RespValue value) {
    if (value instanceof RespValue.Bulk bulk) {
      return bulk.bytes();
    }
    throw new RespProtocolException("no bulk string where one belongs");
  }
}
