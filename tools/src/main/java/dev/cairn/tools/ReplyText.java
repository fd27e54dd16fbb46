// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import dev.cairn.protocol.RespValue;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Any reply as lines for a person, in the manner of redis-cli.
 *
 * <pre>
 *   OK   (integer) 2   (nil)   (true)   (double) 1.5   "text"   (error) ERR ...   (empty array)
 *   1) "a"          an array          1# "k" => "v"     a map           1~ "a"   a set
 *   2) 1) "b"       one in it
 *      2) "c"
 * </pre>
 *
 * A text of several lines, as INFO has it, stands as it is.
 */
final class ReplyText {
  private ReplyText() {}

  static List<String> lines(RespValue reply) {
    if (reply instanceof RespValue.Array array) {
      return numbered(array.elements(), ") ", "(empty array)");
    }
    if (reply instanceof RespValue.Push push) {
      return numbered(push.elements(), ") ", "(empty push)");
    }
    if (reply instanceof RespValue.Collection set) {
      return numbered(set.elements(), "~ ", "(empty set)");
    }
    if (reply instanceof RespValue.Dictionary map) {
      return entries(map.entries());
    }
    if (reply instanceof RespValue.Attributed attributed) {
      return lines(attributed.value());
    }
    if (reply instanceof RespValue.Verbatim text) {
      return new String(text.bytes(), StandardCharsets.UTF_8).lines().toList();
    }
    return List.of(scalar(reply));
  }

  private static String scalar(RespValue reply) {
    if (reply instanceof RespValue.SimpleString simple) {
      return simple.text();
    }
    if (reply instanceof RespValue.ErrorReply error) {
      return "(error) " + error.text();
    }
    if (reply instanceof RespValue.Int number) {
      return "(integer) " + number.value();
    }
    if (reply instanceof RespValue.Bulk bulk) {
      return Printed.quoted(bulk.bytes());
    }
    if (reply instanceof RespValue.Bool bool) {
      return bool.value() ? "(true)" : "(false)";
    }
    if (reply instanceof RespValue.Decimal number) {
      return "(double) " + number.value();
    }
    if (reply instanceof RespValue.BigNumber number) {
      return "(big number) " + number.value();
    }
    return "(nil)";
  }

  private static List<String> numbered(List<RespValue> elements, String mark, String none) {
    if (elements.isEmpty()) {
      return List.of(none);
    }
    int width = String.valueOf(elements.size()).length();
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < elements.size(); i++) {
      String number = " ".repeat(width - String.valueOf(i + 1).length()) + (i + 1);
      lines.addAll(indented(number + mark, lines(elements.get(i))));
    }
    return lines;
  }

  private static List<String> entries(List<RespValue.Entry> entries) {
    if (entries.isEmpty()) {
      return List.of("(empty hash)");
    }
    int width = String.valueOf(entries.size()).length();
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < entries.size(); i++) {
      String number = " ".repeat(width - String.valueOf(i + 1).length()) + (i + 1);
      String key = String.join(" ", lines(entries.get(i).key()));
      lines.addAll(indented(number + "# " + key + " => ", lines(entries.get(i).value())));
    }
    return lines;
  }

  /** The first line behind a prefix, the others below it. */
  static List<String> indented(String prefix, List<String> lines) {
    List<String> indented = new ArrayList<>(lines.size());
    for (String line : lines) {
      indented.add((indented.isEmpty() ? prefix : " ".repeat(prefix.length())) + line);
    }
    return indented;
  }
}
