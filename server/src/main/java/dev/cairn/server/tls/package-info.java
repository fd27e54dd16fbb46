// SPDX-License-Identifier: Apache-2.0
/**
 * TLS below every protocol: certificates and keys read from files and read anew when these change,
 * the first handler of every connection, what a peer has to prove, and which engine does the work.
 *
 * <p>Knows nothing of Redis, HTTP or peers' messages. Owns Bouncy Castle, which reads PEM and
 * writes certificates.
 *
 * <p>Imports nothing of ours.
 */
package dev.cairn.server.tls;
