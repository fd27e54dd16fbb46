// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.peer;

import java.util.Arrays;
import java.util.Optional;

/**
 * Which of the connections between two nodes carries a message. Messages on one connection keep
 * their order; what is urgent does not stand behind what is large.
 */
public enum Traffic {
  /** Heartbeats, votes, reports: small, and late is as good as lost. */
  CONTROL(0),
  /** Log entries and forwarded requests. */
  DATA(1),
  /** Files of snapshots. */
  BULK(2);

  private final byte code;

  Traffic(int code) {
    this.code = (byte) code;
  }

  /** The byte of a greeting that names it. */
  byte code() {
    return code;
  }

  static Optional<Traffic> of(byte code) {
    return Arrays.stream(values()).filter(traffic -> traffic.code == code).findFirst();
  }
}
