// SPDX-License-Identifier: Apache-2.0
/**
 * What Redis' string commands do to a value: numbers, bits, digests, subsequences; and Redis'
 * patterns. Pure functions of byte arrays that they never modify; must never know keys, storage or
 * the protocol.
 *
 * <p>Imports nothing of ours.
 */
package dev.cairn.server.value;
