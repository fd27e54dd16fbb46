// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.server.access.AccessControl;
import dev.cairn.server.access.Audit;
import dev.cairn.server.access.Login;
import dev.cairn.server.access.Users;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** A user's connections are counted once each, whenever they end. */
class ClientRightsTest {
  private static final Login ADA = new Login("ada", Login.Kind.PASSWORD, "a");
  private static final Login DEFAULT = new Login("default", Login.Kind.PASSWORD, "d");

  /** One connection a user. */
  private final AccessControl access =
      new AccessControl(
          CommandTable.catalog(),
          Users.open(CommandTable.catalog()),
          Optional.empty(),
          new AccessControl.Rules(1, 0, true),
          Audit.NONE);

  private ClientRights opened() {
    ClientRights rights = new ClientRights();
    rights.begin(access);
    return rights;
  }

  @Test
  void aLoginThatIsAnsweredAfterTheConnectionClosedCountsForNobody() {
    ClientRights gone = opened();
    gone.close(access);
    gone.enter(access, ADA);
    assertThat(opened().enter(access, ADA)).isTrue();
  }

  @Test
  void theSameUserMayLogInAgainOnItsConnection() {
    ClientRights only = opened();
    assertThat(only.enter(access, ADA)).isTrue();
    assertThat(only.enter(access, ADA)).isTrue();
    assertThat(opened().enter(access, ADA)).isFalse();
    only.close(access);
    assertThat(opened().enter(access, ADA)).isTrue();
  }

  @Test
  void whoBecomesAnotherMakesRoom() {
    ClientRights first = opened();
    assertThat(first.enter(access, ADA)).isTrue();
    assertThat(first.enter(access, DEFAULT)).isTrue();
    assertThat(opened().enter(access, ADA)).isTrue();
    assertThat(opened().enter(access, DEFAULT)).isFalse();
  }

  /** Also after RESET, and among the user's connections. */
  @Test
  void whoShowsACertificateIsItsUserUntilItLogsInAsAnother() {
    ClientRights first = opened();
    assertThat(first.shows(access, "default")).isPresent();
    assertThat(first.shows(access, "nobody")).isEmpty();
    assertThat(first.shows(access, "default")).isPresent();
    assertThat(opened().shows(access, "default")).as("it has one connection").isEmpty();
    assertThat(first.enter(access, ADA)).isTrue();
    assertThat(first.name()).isEqualTo("ada");
    first.begin(access);
    assertThat(first.name()).isEqualTo("default");
    assertThat(opened().enter(access, ADA)).isTrue();
    first.close(access);
    assertThat(opened().shows(access, "default")).isPresent();
  }

  @Test
  void whoNeverLoggedInLeavesNoRoomBehind() {
    ClientRights in = opened();
    assertThat(in.enter(access, DEFAULT)).isTrue();
    opened().close(access);
    assertThat(opened().enter(access, DEFAULT)).isFalse();
  }
}
