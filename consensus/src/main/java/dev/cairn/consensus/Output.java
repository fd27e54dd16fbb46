// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus;

import java.util.List;

/**
 * What a round of a group brought, to be carried out in this order.
 *
 * @param write for the log; null if there is nothing. {@link Group#durable} answers it.
 * @param messages to be sent now
 * @param applicable the state machine may apply entries up to here
 * @param question the group's latest question whether it still leads, if a {@link Shard} has to ask
 *     it; 0 if not
 * @param grants reads that may be answered from the state as it is
 * @param refusedReads reads that will get no answer here: this member does not lead any more
 * @param wanted entries to be read from the log
 * @param offer a snapshot to be fetched; null if there is none
 * @param deadlineMillis when {@link Group#tick} is due at the latest
 */
public record Output(
    Write write,
    List<Message> messages,
    long applicable,
    long question,
    List<ReadGrant> grants,
    List<Long> refusedReads,
    List<EntriesWanted> wanted,
    SnapshotOffer offer,
    long deadlineMillis) {}
