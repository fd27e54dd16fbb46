// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.protocol.RespValue;
import dev.cairn.server.command.Command.Trait;
import dev.cairn.server.operation.Expiry;
import dev.cairn.server.operation.KeyOperation;
import dev.cairn.server.operation.Query;
import dev.cairn.server.operation.Result;
import java.util.List;
import java.util.Locale;
import java.util.function.LongUnaryOperator;

/** Commands on when keys expire. */
final class ExpiryCommands {
  private static final String OPTIONS = " [NX | XX | GT | LT]";

  static final List<Row.Written> ROWS =
      Row.group(
          "generic",
          expire("EXPIRE key seconds", "1.0.0", "Sets for how long a key stays.", true, false),
          expire(
              "PEXPIRE key milliseconds", "2.6.0", "Sets for how long a key stays.", false, false),
          expire("EXPIREAT key time", "1.2.0", "Sets until which second a key stays.", true, true),
          expire(
              "PEXPIREAT key time",
              "2.6.0",
              "Sets until which millisecond a key stays.",
              false,
              true),
          time("TTL key", "1.0.0", "Returns how many seconds a key stays.", true, false),
          time("PTTL key", "2.6.0", "Returns how many milliseconds a key stays.", false, false),
          time("EXPIRETIME key", "7.0.0", "Returns until which second a key stays.", true, true),
          time(
              "PEXPIRETIME key",
              "7.0.0",
              "Returns until which millisecond a key stays.",
              false,
              true),
          Row.write(
                  "PERSIST key",
                  "2.2.0",
                  "Has a key stay: 1, or 0 if it did anyway.",
                  call -> Plan.write(new KeyOperation.Expire(call.word(1), Expiry.NEVER, 0, false)))
              .with(Trait.NEEDS_NO_ROOM));

  private ExpiryCommands() {}

  private static Row expire(
      String syntax, String since, String summary, boolean seconds, boolean absolute) {
    return Row.write(
            syntax + OPTIONS,
            since,
            summary + " 1, or 0 if nothing changed; options since 7.0.",
            call -> expire(call, seconds, absolute))
        .with(Trait.NEEDS_NO_ROOM);
  }

  private static Plan expire(Call call, boolean seconds, boolean absolute) {
    int only = only(call);
    long time = call.integer(2);
    if (seconds) {
      if (time > Long.MAX_VALUE / 1000 || time < Long.MIN_VALUE / 1000) {
        throw Refusal.expireTime(call.command().name());
      }
      time *= 1000;
    }
    Expiry expiry = new Expiry(absolute ? Expiry.Kind.AT : Expiry.Kind.AFTER, time);
    return StringCommands.timed(
        call, new KeyOperation.Expire(call.word(1), expiry, only, false), Plan::reply);
  }

  private static int only(Call call) {
    int only = 0;
    for (int i = 3; i < call.count(); i++) {
      only |=
          switch (call.text(i).toUpperCase(Locale.ROOT)) {
            case "NX" -> KeyOperation.Expire.IF_NONE;
            case "XX" -> KeyOperation.Expire.IF_ANY;
            case "GT" -> KeyOperation.Expire.IF_LATER;
            case "LT" -> KeyOperation.Expire.IF_EARLIER;
            default -> throw new Refusal("Unsupported option " + Words.shown(call.word(i)));
          };
    }
    boolean none = (only & KeyOperation.Expire.IF_NONE) != 0;
    int bounds = KeyOperation.Expire.IF_LATER | KeyOperation.Expire.IF_EARLIER;
    if (none && only != KeyOperation.Expire.IF_NONE) {
      throw new Refusal("NX and XX, GT or LT options at the same time are not compatible");
    }
    if ((only & bounds) == bounds) {
      throw new Refusal("GT and LT options at the same time are not compatible");
    }
    return only;
  }

  private static Row time(
      String syntax, String since, String summary, boolean seconds, boolean absolute) {
    // Unsigned, since rounding up passes the largest number at the end of all times.
    LongUnaryOperator unit = millis -> seconds ? Long.divideUnsigned(millis + 500, 1000) : millis;
    return Row.read(
        syntax,
        since,
        summary + " -1: it does not expire; -2: there is none.",
        call -> Plan.read(new Query.Facts(call.word(1)), facts -> time(facts, absolute, unit)));
  }

  private static RespValue time(Result facts, boolean absolute, LongUnaryOperator unit) {
    if (!(facts instanceof Result.Many many)) {
      return new RespValue.Int(-2);
    }
    long expiresAtMillis = Plan.number(many.results().get(KeyCommands.FACT_EXPIRES));
    if (expiresAtMillis < 0) {
      return new RespValue.Int(-1);
    }
    long nowMillis = absolute ? 0 : Plan.number(many.results().get(KeyCommands.FACT_NOW));
    return new RespValue.Int(unit.applyAsLong(Math.max(0, expiresAtMillis - nowMillis)));
  }
}
