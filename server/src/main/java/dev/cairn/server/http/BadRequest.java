// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

/** A request that cannot be carried out as it was written: thrown, its answer is the answer. */
final class BadRequest extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient HttpAnswer answer;

  /** One that its detail says all about. */
  BadRequest(String detail) {
    this(HttpAnswer.problem(Problem.BAD_REQUEST, detail));
  }

  BadRequest(HttpAnswer answer) {
    super("answered with " + answer.status(), null, false, false); // a reply, not a fault
    this.answer = answer;
  }

  HttpAnswer answer() {
    return answer;
  }
}
