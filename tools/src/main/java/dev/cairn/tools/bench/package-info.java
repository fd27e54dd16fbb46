// SPDX-License-Identifier: Apache-2.0
/**
 * The load generator behind {@code ./cairn bench}: what to ask ({@link dev.cairn.tools.bench.Mix},
 * {@link dev.cairn.tools.bench.KeyChooser}), when ({@link dev.cairn.tools.bench.Pacing}), of whom
 * ({@link dev.cairn.tools.bench.Network}), and what came of it ({@link
 * dev.cairn.tools.bench.Measurement}, {@link dev.cairn.tools.bench.BenchResult}).
 *
 * <p>One thread owns all of it while it runs, sockets included: a generator that needs little CPU
 * disturbs little of what it measures on the same machine. Touches {@code dev.cairn.protocol}, the
 * client's {@code Address}, HdrHistogram, Commons RNG and Jackson; must know of no server but what
 * any server of Redis' protocol answers.
 */
package dev.cairn.tools.bench;
