// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus;

import java.util.List;

/**
 * What the log has to write, whole and in this order of fields. Writes take effect in the order of
 * their numbers; "durable up to n" says that all up to n are on disk.
 *
 * @param sequence counts a group's writes from 1 since it was opened
 * @param hardState term and vote; null if they did not change
 * @param reset the snapshot that takes the whole log's place; null if none does
 * @param compactedTo entries up to here are no longer needed; 0 if nothing changes
 * @param entries to append. If the log has an entry at the first one's index, it and all behind it
 *     go first.
 */
public record Write(
    long sequence,
    HardState hardState,
    SnapshotReference reset,
    long compactedTo,
    List<Entry> entries) {}
