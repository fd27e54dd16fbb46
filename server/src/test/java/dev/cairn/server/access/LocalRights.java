// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.access;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** Rights of a node that is a cluster by itself: changes hold at once. */
public final class LocalRights implements RightsWriter {
  private final AccessControl access;

  private LocalRights(AccessControl access) {
    this.access = access;
  }

  /** Users of which nobody has changed any yet. */
  public static AccessControl of(Catalog catalog) {
    return of(catalog, AccessControl.Rules.NONE, Audit.NONE);
  }

  /** The same, with what a node says of all users. */
  public static AccessControl of(Catalog catalog, AccessControl.Rules rules, Audit audit) {
    AccessControl access =
        new AccessControl(
            catalog,
            Users.open(catalog),
            Optional.of(Passwords.hash("recover".getBytes(StandardCharsets.UTF_8))),
            rules,
            audit);
    access.writer(new LocalRights(access));
    return access;
  }

  @Override
  public void change(Change change, Consumer<Outcome> done) {
    Users before = access.users();
    try {
      Users after = change.of(before);
      access.follow(after);
      done.accept(
          new Outcome.Applied(Math.max(0, before.all().size() - after.all().size()), List.of()));
    } catch (RuleException wrong) {
      done.accept(new Outcome.Refused(Outcome.Reason.WRONG, wrong.getMessage()));
    }
  }
}
