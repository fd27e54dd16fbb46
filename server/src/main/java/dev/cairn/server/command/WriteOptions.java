// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.server.operation.Condition;
import dev.cairn.server.operation.Expiry;
import dev.cairn.server.value.Integers;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.Set;

/**
 * The options that SET, GETEX and MSETEX share: which of them exclude each other, and the expiry
 * that they give. Redis' rules, in Redis' order.
 */
final class WriteOptions {
  /** The options of SET. */
  static final Set<String> OF_SET =
      Set.of(
          "NX", "XX", "IFEQ", "IFNE", "IFDEQ", "IFDNE", "GET", "KEEPTTL", "EX", "PX", "EXAT",
          "PXAT");

  /** The options of GETEX. */
  static final Set<String> OF_GETEX = Set.of("PERSIST", "EX", "PX", "EXAT", "PXAT");

  /** The options of MSETEX. */
  static final Set<String> OF_MSETEX = Set.of("NX", "XX", "KEEPTTL", "EX", "PX", "EXAT", "PXAT");

  private final Call call;
  private Condition condition = Condition.ALWAYS;
  private String conditionWord = "";
  private String expiryWord = "";
  private byte[] expiryNumber = {};
  private boolean get;

  private WriteOptions(Call call) {
    this.call = call;
  }

  /** Reads a call's options from a word on. What does not fit together is a syntax error. */
  static WriteOptions of(Call call, int from, Set<String> known) {
    WriteOptions options = new WriteOptions(call);
    int at = from;
    while (at < call.count()) {
      String word = new String(call.word(at), StandardCharsets.ISO_8859_1).toUpperCase(Locale.ROOT);
      if (!known.contains(word)) {
        throw Refusal.syntax();
      }
      at += options.take(word, at);
    }
    return options;
  }

  /** Takes one option; how many words it has. */
  private int take(String word, int at) {
    boolean more = at + 1 < call.count();
    switch (word) {
      case "GET" -> {
        get = true;
        return 1;
      }
      case "NX", "XX" -> {
        conditionWord(word);
        condition =
            Condition.of(word.equals("NX") ? Condition.Kind.IF_ABSENT : Condition.Kind.IF_PRESENT);
        return 1;
      }
      case "KEEPTTL", "PERSIST" -> {
        expiryWord(word);
        return 1;
      }
      case "EX", "PX", "EXAT", "PXAT" -> {
        expiryWord(word);
        if (!more) {
          throw Refusal.syntax();
        }
        expiryNumber = call.word(at + 1);
        return 2;
      }
      default -> {
        conditionWord(word);
        if (!more) {
          throw Refusal.syntax();
        }
        condition = comparison(word, call.word(at + 1));
        return 2;
      }
    }
  }

  private void conditionWord(String word) {
    if (!conditionWord.isEmpty() && !conditionWord.equals(word)) {
      throw Refusal.syntax();
    }
    conditionWord = word;
  }

  private void expiryWord(String word) {
    if (!expiryWord.isEmpty() && !expiryWord.equals(word)) {
      throw Refusal.syntax();
    }
    expiryWord = word;
  }

  /** The condition of IFEQ and its like. */
  static Condition comparison(String word, byte[] operand) {
    return new Condition(
        switch (word) {
          case "IFEQ" -> Condition.Kind.IF_EQUAL;
          case "IFNE" -> Condition.Kind.IF_NOT_EQUAL;
          case "IFDEQ" -> Condition.Kind.IF_DIGEST_EQUAL;
          case "IFDNE" -> Condition.Kind.IF_DIGEST_NOT_EQUAL;
          default -> throw new Refusal("Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE");
        },
        operand);
  }

  Condition condition() {
    return condition;
  }

  /** Whether the value before is wanted. */
  boolean get() {
    return get;
  }

  /** Whether nothing was said of when the key expires. */
  boolean noExpiry() {
    return expiryWord.isEmpty();
  }

  /** When the key is to expire. A number that makes no sense is refused. */
  Expiry expiry() {
    return switch (expiryWord) {
      case "" -> Expiry.NEVER;
      case "PERSIST" -> Expiry.NEVER;
      case "KEEPTTL" -> Expiry.KEEP;
      default -> expiry(call, expiryWord, expiryNumber);
    };
  }

  /** The expiry of EX, PX, EXAT or PXAT with a number above 0. */
  static Expiry expiry(Call call, String word, byte[] text) {
    OptionalLong number = Integers.parse(text);
    if (number.isEmpty()) {
      throw Refusal.notAnInteger();
    }
    boolean seconds = word.startsWith("E");
    if (number.getAsLong() <= 0 || (seconds && number.getAsLong() > Long.MAX_VALUE / 1000)) {
      throw Refusal.expireTime(call.command().name());
    }
    long millis = seconds ? number.getAsLong() * 1000 : number.getAsLong();
    return new Expiry(word.endsWith("AT") ? Expiry.Kind.AT : Expiry.Kind.AFTER, millis);
  }
}
