// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.peer;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who this node is, where the others are, and which of their runs are over: what decides, at the
 * greeting, whether two ends are whom each other means.
 *
 * <p>Threads: any; nothing blocks.
 */
final class PeerDirectory {
  private static final Logger log = LoggerFactory.getLogger(PeerDirectory.class);

  private final PeerRun self;
  private final Map<String, PeerAddress> addresses = new ConcurrentHashMap<>(); // by node id
  private final Map<String, String> refusals =
      new ConcurrentHashMap<>(); // what the log last said of whom
  private volatile Predicate<PeerRun> superseded = run -> false;
  private volatile PeerTransport.GreetingListener listener = (peer, known) -> {};

  PeerDirectory(PeerRun self) {
    this.self = self;
  }

  PeerRun self() {
    return self;
  }

  Optional<PeerAddress> located(String nodeId) {
    return Optional.ofNullable(addresses.get(nodeId));
  }

  /** Whether that is elsewhere than before. */
  boolean locate(String nodeId, PeerAddress address) {
    return !address.equals(addresses.put(nodeId, address));
  }

  void fence(Predicate<PeerRun> test) {
    superseded = test;
  }

  boolean isOver(PeerRun run) {
    return superseded.test(run);
  }

  void onGreeting(PeerTransport.GreetingListener told) {
    listener = told;
  }

  /** Greetings of a connection for a node. */
  Greetings greetingsOf(String nodeId) {
    return new Greetings() {
      @Override
      public PeerRun self() {
        return self;
      }

      @Override
      public Optional<String> heard(PeerRun peer, boolean byPeerSuperseded) {
        return answered(nodeId, peer, byPeerSuperseded);
      }
    };
  }

  /** Greetings of a connection for whoever is at an address. */
  Greetings greetingsOfAnybody() {
    return new Greetings() {
      @Override
      public PeerRun self() {
        return self;
      }

      @Override
      public Optional<String> heard(PeerRun peer, boolean byPeerSuperseded) {
        return Optional.empty();
      }
    };
  }

  private Optional<String> answered(String nodeId, PeerRun peer, boolean byPeerSuperseded) {
    String refusal = null;
    if (!peer.nodeId().equals(nodeId)) {
      refusal = " is answered by node " + peer.nodeId() + ", not by node " + nodeId;
    } else if (isOver(peer)) {
      refusal = " is answered by start " + peer.start() + " of node " + nodeId + ", which is over";
    }
    if (refusal == null) {
      refusals.remove(nodeId);
      listener.heard(peer, byPeerSuperseded);
    } else if (!refusal.equals(refusals.put(nodeId, refusal))) {
      log.warn("peer={}{}", addresses.get(nodeId), refusal);
    }
    return Optional.ofNullable(refusal);
  }
}
