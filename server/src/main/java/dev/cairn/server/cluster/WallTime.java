// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.cluster;

import java.util.OptionalLong;

/**
 * What time it is, milliseconds since 1970, by the wall clocks of several nodes ({@link
 * WallClocks}).
 *
 * @param earliest it is not before this, while at most one of the clocks is wrong at a time; empty
 *     where that cannot be told yet
 * @param latest it is not after this, likewise
 * @param apparent the lower middle of what the clocks say just now: moved by two that are wrong one
 *     right after the other
 */
public record WallTime(OptionalLong earliest, OptionalLong latest, long apparent) {}
