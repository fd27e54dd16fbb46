// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus;

/**
 * A read that may be answered now.
 *
 * @param token what the reader gave
 * @param index the state's applied index is at least this
 */
public record ReadGrant(long token, long index) {}
