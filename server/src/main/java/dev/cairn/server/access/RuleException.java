// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.access;

/** A rule that cannot be taken; the message is Redis' text, without what stands around it. */
public final class RuleException extends Exception {
  private static final long serialVersionUID = 1L;

  static final String UNKNOWN = "Unknown command or category name in ACL";
  static final String SYNTAX = "Syntax error";

  RuleException(String message) {
    super(message, null, false, false); // without a stack: it is a reply, not a fault
  }

  static RuleException unknown() {
    return new RuleException(UNKNOWN);
  }

  static RuleException syntax() {
    return new RuleException(SYNTAX);
  }

  /** Whether it is about a command or category that this version does not have. */
  boolean isUnknown() {
    return getMessage().equals(UNKNOWN);
  }
}
