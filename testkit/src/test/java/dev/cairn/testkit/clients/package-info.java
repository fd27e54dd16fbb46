// SPDX-License-Identifier: Apache-2.0
/**
 * Redis' client libraries against a cluster of processes: what docs/guide/clients.md promises of
 * each. A {@link dev.cairn.testkit.clients.Library} is one of them; libraries of other languages
 * are scripts in {@code testkit/clients}.
 */
package dev.cairn.testkit.clients;
