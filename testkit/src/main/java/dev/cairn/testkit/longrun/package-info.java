// SPDX-License-Identifier: Apache-2.0
/**
 * Clients that fight over keys while everything breaks, for as long as one likes.
 *
 * <p>{@link dev.cairn.testkit.longrun.Workload} asks and records, window by window, so that memory
 * stays bounded; {@link dev.cairn.testkit.longrun.Nemesis} injects faults in a seeded order; {@link
 * dev.cairn.testkit.longrun.LongRun} runs both, and says what came of it.
 */
package dev.cairn.testkit.longrun;
