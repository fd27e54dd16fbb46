// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.server.FreePorts;
import dev.cairn.server.peer.LocalPeers;
import dev.cairn.server.peer.PeerAddress;
import dev.cairn.server.peer.PeerTransport;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Where members are, by what is logged and by what later starts of them tell. */
class AddressesTest {
  private static final String CLUSTER = "c".repeat(40);
  private static final ClusterState LOGGED =
      ClusterState.founded(
          CLUSTER, 2, 6, List.of(member("a", 5000, 1), member("b", 5001, 1), member("c", 5002, 1)));

  private PeerTransport transport;
  private Addresses addresses;

  @BeforeEach
  void open() throws IOException {
    transport = LocalPeers.listen(FreePorts.next());
    addresses = new Addresses("a", transport);
    addresses.follow(LOGGED);
  }

  @AfterEach
  void close() {
    transport.close();
  }

  private static Member member(String id, int port, long start) {
    return new Member(id, "h:" + port, "h", port, port + 20_000, "h", port + 10_000, 1, start);
  }

  @Test
  void whatALaterStartTellsCountsAtOnceAndIsThenLogged() {
    assertThat(addresses.moved(LOGGED)).as("nothing is new").isEmpty();
    addresses.told(member("b", 6001, 2));
    assertThat(transport.located("b")).contains(new PeerAddress("h", 16_001));
    List<Member> moved = List.of(member("a", 5000, 1), member("b", 6001, 2), member("c", 5002, 1));
    assertThat(addresses.moved(LOGGED)).contains(moved);
    ClusterState next = LOGGED.next(moved, List.of());
    addresses.follow(next);
    assertThat(addresses.moved(next)).isEmpty();
  }

  @Test
  void whatAnEarlierStartTellsDoesNot() {
    addresses.told(member("b", 6001, 3));
    addresses.told(member("b", 6002, 2));
    addresses.told(member("c", 6003, 1));
    assertThat(transport.located("b")).contains(new PeerAddress("h", 16_001));
    assertThat(transport.located("c")).contains(new PeerAddress("h", 15_002));
  }

  @Test
  void aRestartWhereItWasIsNotLogged() {
    addresses.told(member("b", 5001, 9));
    assertThat(addresses.moved(LOGGED)).isEmpty();
  }

  @Test
  void anIncarnationStays() {
    ClusterState later =
        LOGGED.next(
            List.of(
                new Member("b", "h:5001", "h", 5001, 25_001, "h", 15_001, 4, 1),
                member("a", 5000, 1)),
            List.of());
    addresses.follow(later);
    addresses.told(member("b", 6001, 2));
    assertThat(addresses.moved(later).orElseThrow().get(0).incarnation()).isEqualTo(4);
  }

  @Test
  void twoAtOneAddressAreNotLoggedUntilOneSaysWhereItIs() {
    addresses.told(member("b", 5002, 2));
    assertThat(addresses.moved(LOGGED)).isEmpty();
    assertThat(addresses.conflict())
        .map(text -> text.contains("two nodes claim one address") && text.contains("h:5002"))
        .isEqualTo(Optional.of(true));
    addresses.told(member("c", 5001, 2));
    assertThat(addresses.conflict()).isEmpty();
    assertThat(addresses.moved(LOGGED))
        .contains(List.of(member("a", 5000, 1), member("b", 5002, 2), member("c", 5001, 2)));
  }
}
