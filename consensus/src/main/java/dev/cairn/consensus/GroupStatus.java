// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus;

import java.util.Optional;

/**
 * How a member stands.
 *
 * @param term the highest it has seen
 * @param leads whether it leads in that term
 * @param leader who does, if known
 * @param commit how far it knows entries to be committed
 * @param applied how far the state machine has come
 * @param flushed how far its data is durable without the log
 * @param base the entry before the log's first
 * @param last the log's last entry
 * @param durable how far the log is on disk
 * @param configuration who belongs to the group, by the log's latest such entry
 * @param configurationIndex where that entry stands
 * @param changeDone whether this member leads and all voters have that configuration, which is not
 *     joint, on their disks: whom it does not name is needed no more. Before, one of the voters may
 *     have to be elected by members that only a former configuration names.
 */
public record GroupStatus(
    long term,
    boolean leads,
    Optional<Peer> leader,
    long commit,
    long applied,
    long flushed,
    long base,
    long last,
    long durable,
    Configuration configuration,
    long configurationIndex,
    boolean changeDone) {}
