// SPDX-License-Identifier: Apache-2.0
package dev.cairn.state;

import java.nio.ByteBuffer;

/**
 * Names a write, so that it can be repeated and is applied at most once.
 *
 * @param clientHigh half of the client's id
 * @param clientLow the other half
 * @param sequence of the write among the client's
 * @param issuedAtMillis the cluster's time when it was issued, the same in each repetition
 */
public record RequestId(long clientHigh, long clientLow, long sequence, long issuedAtMillis) {
  static final int BYTES = 3 * Long.BYTES;

  void writeTo(ByteBuffer out) {
    out.putLong(clientHigh).putLong(clientLow).putLong(sequence);
  }
}
