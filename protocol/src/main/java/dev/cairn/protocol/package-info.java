// SPDX-License-Identifier: Apache-2.0
/**
 * What client and node agree on: RESP, slots, topology, error codes, limits. Touches the JDK only;
 * must never know how a node stores or replicates anything.
 */
package dev.cairn.protocol;
