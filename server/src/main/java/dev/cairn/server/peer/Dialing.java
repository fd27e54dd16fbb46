// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.peer;

import dev.cairn.server.tls.PeerTls;
import io.netty.bootstrap.Bootstrap;
import java.util.concurrent.Executor;

/**
 * How connections to peers are made.
 *
 * @param resolver may block while it looks a host's name up
 * @param tls what both ends prove
 */
record Dialing(Bootstrap bootstrap, Executor resolver, Names names, PeerTls tls) {}
