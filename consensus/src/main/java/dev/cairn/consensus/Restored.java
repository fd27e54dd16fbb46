// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus;

import java.util.List;

/**
 * What a member finds on its disk when its group is opened.
 *
 * @param hardState term and vote; term 0 and null at first
 * @param base where the log begins: the entry before its first, and the configuration that held
 *     there
 * @param entries what the log has behind the base, without data; consecutive
 * @param data what the state machine's durable data covers. A witness gives its base.
 */
public record Restored(
    HardState hardState, SnapshotReference base, List<Entry> entries, SnapshotReference data) {}
