// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

/**
 * What lies before a group's first entry: the state that a snapshot covers.
 *
 * @param index of the last entry that is covered; 0 for a new group
 * @param term of that entry
 * @param configurationIndex where the configuration that held there stood in the log
 * @param configuration that configuration, as the group encodes it; at most {@link
 *     Change#CONFIGURATION_BYTES_MAX}. Nobody may change the array.
 */
public record Base(long index, long term, long configurationIndex, byte[] configuration) {
  static final Base NONE = new Base(0, 0, 0, new byte[0]);
}
