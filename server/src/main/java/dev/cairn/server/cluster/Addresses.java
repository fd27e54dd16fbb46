// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.cluster;

import dev.cairn.server.peer.PeerTransport;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where the members are: as the meta group has logged it, or as a later start of a node has told.
 *
 * <p>What a node tells counts here at once, so that a cluster whose nodes have all moved can elect
 * anybody; the {@link Controller} then logs it, so that it outlives this process. The transport is
 * told of both. Nothing rests on an address being right: whoever is there says who he is, and is
 * sent nothing that is for another ({@link PeerTransport}).
 *
 * <p>Threads: any. Nothing blocks.
 */
public final class Addresses {
  private static final Logger log = LoggerFactory.getLogger(Addresses.class);

  private final String selfId;
  private final PeerTransport transport;
  private final Map<String, Member> told = new HashMap<>(); // by id, guarded by this
  private String saidConflict = ""; // guarded by this
  private ClusterState state; // guarded by this; null before there is one

  /** Knows nobody yet. */
  public Addresses(String selfId, PeerTransport transport) {
    this.selfId = selfId;
    this.transport = transport;
  }

  /** Takes a state of the cluster on. */
  public synchronized void follow(ClusterState next) {
    if (state != null) {
      sayWhoMoved(state, next);
    }
    state = next;
    told.keySet().removeIf(id -> next.member(id).isEmpty() && !id.equals(selfId));
    members().forEach(this::locate);
    sayConflict();
  }

  private static void sayWhoMoved(ClusterState before, ClusterState next) {
    for (Member member : next.members()) {
      Optional<Member> was = before.member(member.id());
      if (was.isPresent() && !was.get().isWhere(member)) {
        log.info(
            "node {} has moved from {} to {}, peers at {}",
            member.id(),
            was.get().name(),
            member.name(),
            member.peerAddress());
      }
    }
  }

  /** Takes on where a node says that it is, unless a later start of it has spoken. */
  public synchronized void told(Member node) {
    Member known = told.get(node.id());
    if (known != null && known.start() >= node.start()) {
      return;
    }
    told.put(node.id(), node);
    if (state == null) {
      return;
    }
    for (Member member : members()) {
      if (member.id().equals(node.id())) {
        locate(member);
      }
    }
    sayConflict();
  }

  private void sayConflict() {
    String now = conflict().orElse("");
    if (!now.isEmpty() && !now.equals(saidConflict)) {
      log.warn("{}", now);
    }
    saidConflict = now;
  }

  private void locate(Member member) {
    if (!member.id().equals(selfId)) {
      transport.locate(member.id(), member.peerAddress());
    }
  }

  /** The members, each where it is as far as this node knows; empty before there is a cluster. */
  public synchronized List<Member> members() {
    return state == null ? List.of() : state.members().stream().map(this::now).toList();
  }

  private Member now(Member member) {
    Member later = told.get(member.id());
    return later != null && later.start() > member.start() ? member.at(later) : member;
  }

  /**
   * The members of a state, with the addresses that later starts of them have told; empty when
   * there is nothing new, or two would have one address.
   */
  synchronized Optional<List<Member>> moved(ClusterState from) {
    List<Member> next =
        from.members().stream()
            .map(member -> now(member).isWhere(member) ? member : now(member))
            .toList();
    return next.equals(from.members()) || sharedAddress(next).isPresent()
        ? Optional.empty()
        : Optional.of(next);
  }

  /** What is wrong with where the members say that they are, for a person: two are at one place. */
  synchronized Optional<String> conflict() {
    return state == null ? Optional.empty() : sharedAddress(members());
  }

  private static Optional<String> sharedAddress(List<Member> members) {
    for (Member member : members) {
      for (Member other : members) {
        if (member.id().compareTo(other.id()) < 0
            && (member.name().equals(other.name())
                || member.peerAddress().equals(other.peerAddress()))) {
          return Optional.of(
              "two nodes claim one address: %s, peers at %s, of node %s and %s, peers at %s, of node %s; start each with a host and ports of its own"
                  .formatted(
                      member.name(),
                      member.peerAddress(),
                      member.id(),
                      other.name(),
                      other.peerAddress(),
                      other.id()));
        }
      }
    }
    return Optional.empty();
  }
}
