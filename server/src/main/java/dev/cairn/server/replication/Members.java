// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.replication;

import dev.cairn.consensus.Configuration;
import dev.cairn.consensus.Member;
import dev.cairn.consensus.Role;
import dev.cairn.server.raft.Peer;
import java.util.Collection;
import java.util.List;

/** Members of a group as the node names them, and as consensus does. */
final class Members {
  private Members() {}

  static Peer ofNode(dev.cairn.consensus.Peer peer) {
    return new Peer(peer.node(), Math.toIntExact(peer.incarnation()));
  }

  static dev.cairn.consensus.Peer ofGroup(Peer peer) {
    return new dev.cairn.consensus.Peer(peer.nodeId(), peer.incarnation());
  }

  /** A voter, and what it keeps. */
  static Member voter(Peer peer, Collection<Peer> witnesses) {
    return new Member(ofGroup(peer), witnesses.contains(peer) ? Role.WITNESS : Role.REPLICA);
  }

  static List<Peer> voters(Configuration configuration) {
    return ofNodes(configuration.voters());
  }

  static List<Peer> ofNodes(List<Member> members) {
    return members.stream().map(member -> ofNode(member.peer())).toList();
  }
}
