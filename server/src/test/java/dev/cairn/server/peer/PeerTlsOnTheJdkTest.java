// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.peer;

import dev.cairn.server.tls.JdkTls;
import org.junit.jupiter.api.extension.ExtendWith;

/** The same with the other implementation of TLS. */
@ExtendWith(JdkTls.class)
class PeerTlsOnTheJdkTest extends PeerTlsTest {}
