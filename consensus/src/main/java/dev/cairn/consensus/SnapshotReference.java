// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus;

/**
 * Names a state without carrying it: what the log's entries up to an index came to.
 *
 * @param index of the last entry that it covers
 * @param term of that entry
 * @param configuration that held there
 * @param configurationIndex where that configuration's own entry stood; all members know it by this
 */
public record SnapshotReference(
    long index, long term, Configuration configuration, long configurationIndex) {}
