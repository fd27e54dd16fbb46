// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.protocol.ErrorCode;
import dev.cairn.protocol.RespValue;
import java.util.List;
import java.util.Locale;

/** A command that cannot be carried out as it was written: thrown, it is the reply. */
final class Refusal extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final ErrorCode code;

  private Refusal(ErrorCode code, String message) {
    super(message, null, false, false); // without a stack: this is a reply, not a fault
    this.code = code;
  }

  Refusal(String message) {
    this(ErrorCode.ERR, message);
  }

  static Refusal syntax() {
    return new Refusal("syntax error");
  }

  static Refusal notAnInteger() {
    return new Refusal("value is not an integer or out of range");
  }

  static Refusal arity(String name) {
    return new Refusal("wrong number of arguments for '" + name + "' command");
  }

  /** Redis' word for a subcommand that takes no so many arguments, where its arity allows more. */
  static Refusal subcommand(List<byte[]> words) {
    return new Refusal(
        "unknown subcommand or wrong number of arguments for '%s'. Try %s HELP."
            .formatted(
                Words.shown(words.get(1)), Words.lower(words.get(0)).toUpperCase(Locale.ROOT)));
  }

  static Refusal expireTime(String name) {
    return new Refusal("invalid expire time in '" + name + "' command");
  }

  static Refusal wrongPassword() {
    return new Refusal(ErrorCode.WRONGPASS, "invalid username-password pair or user is disabled.");
  }

  /** Refused for a reason that passes. */
  static Refusal tryAgain(String message) {
    return new Refusal(ErrorCode.TRYAGAIN, message);
  }

  /** Who has not logged in sends HELLO without AUTH. */
  static Refusal helloNeedsAuth() {
    return new Refusal(
        ErrorCode.NOAUTH,
        "HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user>"
            + " <pass> option can be used to authenticate the client and select the RESP protocol"
            + " version at the same time");
  }

  /** No placement is known. */
  static Refusal notPlaced() {
    return new Refusal(
        ErrorCode.CLUSTERDOWN,
        "the cluster has not formed yet: start its other nodes, and see CAIRN STATUS");
  }

  /** EXEC did nothing. */
  static Refusal aborted(String why) {
    return new Refusal(ErrorCode.EXECABORT, "Transaction discarded because " + why);
  }

  /** Too much memory is held. */
  static Refusal full(String message) {
    return new Refusal(ErrorCode.OOM, message);
  }

  /** The keys of one operation lie in several partitions. */
  static Refusal crosses() {
    return new Refusal(
        ErrorCode.CROSSSLOT,
        "Keys in request don't hash to the same partition: give them a common hash tag, such as {tag}key");
  }

  RespValue.ErrorReply reply() {
    return RespValue.error(code, getMessage());
  }
}
