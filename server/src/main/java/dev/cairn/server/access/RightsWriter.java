// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.access;

import java.util.List;
import java.util.function.Consumer;

/** Changes the rights of the whole cluster. */
@FunctionalInterface
public interface RightsWriter {
  /** A node that belongs to no cluster yet, or serves nothing just now. */
  RightsWriter NONE =
      (change, done) ->
          done.accept(
              new Outcome.Refused(
                  Outcome.Reason.NOT_NOW,
                  "this node takes part in no cluster just now, and rights are the cluster's;"
                      + " nothing was changed. Try again when CAIRN STATUS says that it has formed"));

  /**
   * Changes rights. Returns at once.
   *
   * @param done what became of it, once, on any thread, within seconds
   */
  void change(Change change, Consumer<Outcome> done);

  /** What is to be changed. Names and rules have a byte a character. */
  sealed interface Change {
    /**
     * ACL SETUSER.
     *
     * @param rules passwords as hashes ({@link UserRules#hashed})
     */
    record Set(String user, List<String> rules) implements Change {
      public Set {
        rules = List.copyOf(rules);
      }
    }

    /** ACL DELUSER. */
    record Delete(List<String> users) implements Change {
      public Delete {
        users = List.copyOf(users);
      }
    }

    /**
     * The users after it.
     *
     * @throws RuleException with what to tell the client
     */
    default Users of(Users before) throws RuleException {
      if (this instanceof Set set) {
        return before.with(set.user(), set.rules());
      }
      return before.without(((Delete) this).users());
    }
  }

  /** What became of a change. */
  sealed interface Outcome {
    /**
     * It holds: it is in the log for good.
     *
     * @param removed how many users it took away
     * @param behind nodes that are up and have not applied it yet, by name; empty: all have
     */
    record Applied(int removed, List<String> behind) implements Outcome {
      public Applied {
        behind = List.copyOf(behind);
      }
    }

    /** Nothing was changed, and nothing will be. */
    record Refused(Reason reason, String message) implements Outcome {}

    /** It may or may not hold. */
    record Unknown(String message) implements Outcome {}

    /** Why nothing was changed. */
    enum Reason {
      /** The change cannot be made; a text of Redis'. */
      WRONG,
      /** There is no cluster, or no majority of its voters. */
      NOT_NOW
    }
  }
}
