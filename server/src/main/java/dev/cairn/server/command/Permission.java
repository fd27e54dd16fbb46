// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.protocol.ErrorCode;
import dev.cairn.protocol.RespValue;
import dev.cairn.server.access.AccessControl;
import dev.cairn.server.access.AccessLog;
import dev.cairn.server.access.Audit;
import dev.cairn.server.access.ClientAddress;
import dev.cairn.server.access.User;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;

/**
 * The one place where a call is compared with the rights of who makes it: when its command is known
 * and before it has a plan, and again when EXEC carries it out. Texts are Redis 7.0.15's.
 *
 * <p>It costs a user who may do all a few field reads; another one the look-up of a bit, and a
 * comparison of each key with each pattern.
 */
final class Permission {
  private static final String TOO_LATE =
      "ACLs rules changed between the moment the transaction was accumulated and the EXEC call."
          + " This command is no longer allowed for the following reason: ";

  private Permission() {}

  /** Why a call is not allowed, or null. */
  static RespValue.ErrorReply refusal(Call call) {
    AccessControl access = call.port().access();
    User user = call.client().rights().user(access);
    if (access.isTooOld() && !call.command().isOpen() && !call.client().rights().recovers()) {
      return RespValue.error(ErrorCode.TRYAGAIN, access.tooOld());
    }
    if (user != null && user.isUnlimited()) {
      return null;
    }
    if (user == null) {
      return nobody(call);
    }
    User.Denial denial = denial(call.port(), user, call.command(), call.words());
    if (denial == null) {
      return null;
    }
    log(call, denial);
    return RespValue.error(
        ErrorCode.NOPERM,
        denial.ofCommand()
            ? "this user has no permissions to run the '%s' command"
                .formatted(call.command().fullName())
            : "this user has no permissions to access one of the keys used as arguments");
  }

  /** Why a queued call is not allowed any more, or null. */
  static RespValue.ErrorReply refusalAtExec(Call call) {
    AccessControl access = call.port().access();
    User user = call.client().rights().user(access);
    if (user != null && user.isUnlimited()) {
      return null;
    }
    User.Denial denial =
        user == null
            ? User.Denial.COMMAND
            : denial(call.port(), user, call.command(), call.words());
    if (denial == null) {
      return null;
    }
    log(call, denial);
    return RespValue.error(
        ErrorCode.NOPERM,
        TOO_LATE
            + (denial.ofCommand()
                ? "no permission to execute the command or subcommand"
                : "no permission to touch the specified keys"));
  }

  /** Why a user may not make a call, or null. */
  static User.Denial denial(Port port, User user, Command command, List<byte[]> words) {
    return user.denial(
        port.access().catalog(),
        command.number(),
        words,
        keys(port.keyDirections(), command, words));
  }

  private static User.KeyUse keys(
      KeyDirections keyDirections, Command command, List<byte[]> words) {
    if (command.keys().first() == 0) {
      return User.KeyUse.NONE;
    }
    return new User.KeyUse() {
      private List<byte[]> keys; // a user of all keys never asks for them

      private List<byte[]> keys() {
        if (keys == null) {
          keys = command.keys().of(words);
        }
        return keys;
      }

      @Override
      public int count() {
        return keys().size();
      }

      @Override
      public byte[] key(int index) {
        return keys().get(index);
      }

      @Override
      public int directions(int index) {
        return keyDirections.of(command, words, index);
      }
    };
  }

  private static RespValue.ErrorReply nobody(Call call) {
    ClientRights rights = call.client().rights();
    if (rights.ended()) {
      call.client().close();
    } else if (call.command().isOpen()) {
      return null;
    }
    audit(call, "command " + call.command().fullName() + " before a login", "");
    return RespValue.error(ErrorCode.NOAUTH, "Authentication required.");
  }

  private static void log(Call call, User.Denial denial) {
    String object =
        denial.ofCommand()
            ? call.command().fullName()
            : new String(
                call.command().keys().of(call.words()).get(denial.key()),
                StandardCharsets.ISO_8859_1);
    log(
        call,
        denial.ofCommand() ? AccessLog.Reason.COMMAND : AccessLog.Reason.KEY,
        object,
        call.client().rights().name());
  }

  /** Keeps that something was refused to a client. */
  static void log(Call call, AccessLog.Reason reason, String object, String user) {
    NodeFacts facts = call.port().facts();
    long nowMillis = facts.clock().millis();
    AccessLog.Refused refused =
        new AccessLog.Refused(
            reason,
            call.client().transaction().open() ? "multi" : "toplevel",
            object,
            user,
            call.client().line(nowMillis, facts.nanoTime().getAsLong()));
    call.port().access().log().add(refused, nowMillis);
    if (reason != AccessLog.Reason.AUTH) { // a login is in the audit log with its outcome
      audit(call, reason.name().toLowerCase(Locale.ROOT) + " " + object, user);
    }
  }

  private static void audit(Call call, String what, String user) {
    String from = ClientAddress.of(call.client().address()).host();
    call.port()
        .access()
        .audit()
        .add(new Audit.Event(Audit.Kind.REFUSAL, Audit.Outcome.REFUSED, user, from, what));
  }
}
