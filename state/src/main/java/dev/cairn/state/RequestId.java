// SPDX-License-Identifier: Apache-2.0
package dev.cairn.state;

import java.nio.ByteBuffer;

/**
 * By what a partition recognises a write that was sent to it before. {@link RequestIds} says what
 * follows from it.
 *
 * @param clientHigh half of the client's id of 128 bits
 * @param clientLow the other half
 * @param sequence of the write among the client's
 * @param issuedAtMillis milliseconds since 1970 by the cluster's clock when it was issued, the same
 *     in each repetition
 */
public record RequestId(long clientHigh, long clientLow, long sequence, long issuedAtMillis) {
  static final int BYTES = 3 * Long.BYTES;

  void writeTo(ByteBuffer out) {
    out.putLong(clientHigh).putLong(clientLow).putLong(sequence);
  }
}
