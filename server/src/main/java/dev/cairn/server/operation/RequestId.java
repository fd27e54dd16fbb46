// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.operation;

/**
 * By what a partition recognises a write that was sent to it before: a client's 128-bit id, the
 * number of its request, and when it was issued. {@link RequestIds} says what follows from them.
 *
 * @param issuedAtMillis milliseconds since 1970 by the cluster's clock, the same at each repetition
 */
public record RequestId(long clientHigh, long clientLow, long sequence, long issuedAtMillis) {}
