// SPDX-License-Identifier: Apache-2.0
package dev.cairn.protocol;

import java.util.Arrays;
import java.util.Optional;

/**
 * The first word of an error reply. Redis' own word where Redis has one, since clients match it.
 *
 * <p>Invariant: a code says for certain whether the request was applied. {@link Outcome#REFUSED}:
 * nothing was and nothing will be. {@link Outcome#UNKNOWN}: it may have been, or may yet be. {@link
 * Outcome#APPLIED}: it was, on a majority.
 */
public enum ErrorCode {
  /** A malformed request, an unknown command, a bound exceeded. */
  ERR(Outcome.REFUSED),
  /** Another node leads the slot: {@code MOVED slot host:port}. Cluster port only. */
  MOVED(Outcome.REFUSED),
  /** The partition has no leader that could be reached before the deadline. */
  CLUSTERDOWN(Outcome.REFUSED),
  /**
   * Refused for a passing reason (queue full, leadership moving); the same request may be sent
   * again.
   */
  TRYAGAIN(Outcome.REFUSED),
  /** Keys of one request lie in different partitions where they must not. */
  CROSSSLOT(Outcome.REFUSED),
  /** EXEC did nothing: a command of the transaction had been refused. */
  EXECABORT(Outcome.REFUSED),
  /** HELLO asked for a protocol version that does not exist. */
  NOPROTO(Outcome.REFUSED),
  /** There is no such user, or the password is another. */
  WRONGPASS(Outcome.REFUSED),
  /** Nobody has logged in on this connection, or who had may no more: send AUTH. */
  NOAUTH(Outcome.REFUSED),
  /** The user who logged in may not do this. */
  NOPERM(Outcome.REFUSED),
  /** The node is short of room and refuses writes. */
  OOM(Outcome.REFUSED),
  /** Level ALL was asked for, and a full replica is down or has not caught up. */
  NOREPLICAS(Outcome.REFUSED),
  /** The write may or may not have been applied: read before writing again. */
  UNKNOWN(Outcome.UNKNOWN),
  /** Applied and durable on a majority, but not on every replica that level ALL asked for. */
  NOTALL(Outcome.APPLIED);

  /** What an error says about the request's effect. */
  public enum Outcome {
    REFUSED,
    UNKNOWN,
    APPLIED
  }

  private static final ErrorCode[] CODES = values();

  private final Outcome outcome;

  ErrorCode(Outcome outcome) {
    this.outcome = outcome;
  }

  /** The code of this name, if Cairn has it. */
  public static Optional<ErrorCode> named(String name) {
    return Arrays.stream(CODES).filter(code -> code.name().equals(name)).findFirst();
  }

  /** What became of the request that was answered with this code. */
  public Outcome outcome() {
    return outcome;
  }
}
