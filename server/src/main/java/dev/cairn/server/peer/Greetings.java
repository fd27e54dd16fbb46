// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.peer;

import java.util.Optional;

/** What is said, and heard, on a connection before anything else. */
interface Greetings {
  /** Who this node is. */
  PeerRun self();

  /**
   * Looks at who answered.
   *
   * @param superseded whether it knows a later start of this node
   * @return why that is not whom to talk to, if so
   */
  Optional<String> heard(PeerRun peer, boolean superseded);

  /** Why what answered is no node of this version, behind its address. */
  default String refusal(int magic, int version, boolean answers) {
    if (magic == Frame.TLS_ONLY) {
      return " takes only nodes that prove themselves over TLS: start this one with a certificate"
          + " and the cluster's --peer-ca, or with its --cluster-secret-file";
    }
    return magic == Frame.MAGIC && answers
        ? " speaks version " + version + " of the peer protocol, this node " + Frame.VERSION
        : " is no peer port of Cairn";
  }
}
