// SPDX-License-Identifier: Apache-2.0
/**
 * The Java client: from a key to the node that leads it, one deadline a call, and an answer that
 * says for certain whether a write happened, did not happen, or is unknown. Touches {@code
 * dev.cairn.protocol} and the JDK only; must never know how a node stores or replicates anything.
 *
 * <p>One PUT goes {@link dev.cairn.client.CairnClient} → {@code Call} (retries, deadline) → {@code
 * Routes} (which node) → {@code Connection} (bytes).
 */
package dev.cairn.client;
