// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.replication;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Who waits for the word that this node leads a group still.
 *
 * <p>Thread: the loop's. Invariant: each is answered once.
 */
final class Confirmations {
  private final Map<Long, Consumer<Optional<String>>> byToken = new HashMap<>();
  private long lastToken;

  /** Somebody waits from now on, under the token that is returned. */
  long add(Consumer<Optional<String>> done) {
    byToken.put(++lastToken, done);
    return lastToken;
  }

  /** It is so. */
  void confirm(long token) {
    answer(token, Optional.empty());
  }

  /** It is not certain. */
  void refuse(long token, String why) {
    answer(token, Optional.of(why));
  }

  private void answer(long token, Optional<String> answer) {
    Consumer<Optional<String>> done = byToken.remove(token);
    if (done != null) {
      Callback.tell(() -> done.accept(answer));
    }
  }

  /** Nobody will know any more. */
  void refuseAll(String why) {
    List<Consumer<Optional<String>>> all = List.copyOf(byToken.values());
    byToken.clear();
    all.forEach(done -> Callback.tell(() -> done.accept(Optional.of(why))));
  }
}
