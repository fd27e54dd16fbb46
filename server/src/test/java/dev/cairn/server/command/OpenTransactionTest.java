// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is watched, and that what all connections hold is bounded and given back. */
final class OpenTransactionTest {
  private final Clients clients = new Clients();

  @Test
  void theFirstWatchOfAKeyCounts() {
    OpenTransaction transaction = new OpenTransaction();
    OpenTransaction.Watched first = transaction.watch(keys("a", "b", "a")).get(0);
    assertThat(transaction.watchesBlindly()).isTrue();
    first.found(7);
    assertThat(transaction.watch(keys("a"))).as("its version is known").isEmpty();
    OpenTransaction.Watched again = transaction.watch(keys("b")).get(0);
    again.found(0);
    again.found(9);
    assertThat(transaction.watchesBlindly()).isFalse();
    assertThat(transaction.seen()).extracting(seen -> seen.version()).containsExactly(7L, 0L);
    transaction.unwatch();
    assertThat(transaction.seen()).isEmpty();
    assertThat(transaction.bytes()).isZero();
  }

  @Test
  void whatAllHoldIsBoundedAndGivenBack() {
    ClientState one = client(1);
    ClientState other = client(2);
    long half = Clients.HELD_BYTES_MAX / 2;
    clients.hold(half);
    clients.hold(Clients.HELD_BYTES_MAX - half);
    assertThatThrownBy(() -> clients.hold(1)).hasMessageContaining("hold too much");
    assertThat(clients.held()).isEqualTo(Clients.HELD_BYTES_MAX);

    Clients fresh = new Clients();
    List<byte[]> words = keys("SET", "a", "1");
    fresh.opened(one);
    fresh.hold(OpenTransaction.bytesOf(words));
    one.transaction().begin();
    one.transaction().queue(CommandTable.find("set"), words);
    fresh.hold(OpenTransaction.bytesOf(keys("w")));
    other.transaction().watch(keys("w"));
    assertThat(fresh.held())
        .isEqualTo(one.transaction().bytes() + other.transaction().bytes())
        .isPositive();
    fresh.unwatch(other);
    fresh.unwatch(one);
    assertThat(fresh.held()).isEqualTo(one.transaction().bytes()).isPositive();
    fresh.closed(one);
    assertThat(fresh.held()).isZero();
    assertThat(one.transaction().open()).isFalse();
  }

  private static ClientState client(long id) {
    ClientState.Wire none =
        new ClientState.Wire() {
          @Override
          public void disconnect() {}

          @Override
          public long unsentBytes() {
            return 0;
          }
        };
    return new ClientState(
        id, "127.0.0.1:1", "127.0.0.1:2", 0, 0, ClientState.Defaults.QUORUM, none);
  }

  private static List<byte[]> keys(String... keys) {
    return Arrays.stream(keys).map(key -> key.getBytes(UTF_8)).toList();
  }
}
