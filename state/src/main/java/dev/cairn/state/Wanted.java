// SPDX-License-Identifier: Apache-2.0
package dev.cairn.state;

import java.util.Collection;

/**
 * What entries will ask a state for, so far as that is known before they are applied.
 *
 * @param keys that they read or change
 * @param ids of their writes
 * @param entries how many they are
 * @param timeMillis the latest partition time that they bring
 */
public record Wanted(
    Collection<byte[]> keys, Collection<RequestId> ids, int entries, long timeMillis) {}
