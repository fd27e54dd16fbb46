// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import dev.cairn.server.cluster.MemberAddress;
import dev.cairn.server.node.SettingSources.Given;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The nodes of which a new cluster forms: those of {@code --cluster}, or those of the quick start.
 * Each stands there once, by its name and by its peer port.
 */
final class FoundingMembers {
  static final int MOST = 1000;
  private static final List<Integer> QUICK_START_PORTS = List.of(5000, 5001, 5002);

  private FoundingMembers() {}

  /**
   * Reads the list.
   *
   * @param reachable by which host others reach this node
   * @param port this node's, for clients
   * @return in the order of their names; empty where none are given and this is no port of the
   *     quick start
   */
  static List<MemberAddress> of(SettingReader reader, String reachable, int port)
      throws StartException {
    Given given = reader.given().get(Setting.CLUSTER);
    if (given == null) {
      if (!QUICK_START_PORTS.contains(port)) {
        return List.of();
      }
      return QUICK_START_PORTS.stream()
          .map(p -> new MemberAddress(reachable, p, p + MemberAddress.PEER_PORT_OFFSET))
          .toList();
    }
    List<MemberAddress> members = new ArrayList<>();
    Set<String> names = new HashSet<>();
    Set<String> peerNames = new HashSet<>();
    for (String text : given.text().split(",", -1)) {
      MemberAddress member;
      try {
        member = MemberAddress.parse(text.strip());
      } catch (IllegalArgumentException e) {
        throw new StartException("%s: %s".formatted(given.origin(), e.getMessage()), e);
      }
      if (!names.add(member.name()) || !peerNames.add(member.peerName())) {
        throw new StartException(
            "%s: %s is there twice (name or peer port): list each node once"
                .formatted(given.origin(), member));
      }
      members.add(member);
      if (members.size() > MOST) {
        throw new StartException("%s: more than %d nodes".formatted(given.origin(), MOST));
      }
    }
    // Sorted: nodes compare their lists, and the order in which a person wrote one means nothing.
    members.sort(Comparator.comparing(MemberAddress::name));
    return members;
  }
}
