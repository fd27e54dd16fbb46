// SPDX-License-Identifier: Apache-2.0
package dev.cairn.client;

import java.time.Duration;
import java.util.List;

/** What {@link CairnClient.Builder} was told; its methods document each field. */
record Settings(
    List<Address> nodes,
    Duration deadline,
    Duration attemptTimeout,
    Duration retryTime,
    Duration connectTimeout,
    int connectionsPerNode,
    int inFlightMax,
    long inFlightBytesMax,
    int valueBytesMax,
    boolean replicaStates,
    boolean followTopology,
    boolean writeIds,
    Security security,
    ClientListener listener) {}
