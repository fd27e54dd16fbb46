// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.differential;

import dev.cairn.protocol.RespValue;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * Whether what a node replied to a pipeline is what Redis replied. Replies are equal, error texts
 * too, but for what cannot be:
 *
 * <ul>
 *   <li>times to live differ by a second and by as long as a pipeline took;
 *   <li>KEYS has its own order, and SCAN's cursors are its own: what both list as a whole is
 *       compared as a set;
 *   <li>RANDOMKEY names some key, and MEMORY USAGE some number of bytes;
 *   <li>OBJECT ENCODING, IDLETIME and REFCOUNT say how a server keeps a value: both say something,
 *       or both nothing.
 * </ul>
 *
 * <p>For one connection of a lane, which knows what it has queued behind a MULTI.
 */
final class PipelineReplies {
  private static final Set<String> OF_ITS_OWN = Set.of("OBJECT", "MEMORY", "RANDOMKEY");

  /** What is watched stays watched, and what is queued stays queued. */
  private static final RespValue EXEC_ALONE = new RespValue.ErrorReply("ERR EXEC without MULTI");

  private final String tag;
  private final List<List<byte[]>> queued = new ArrayList<>();

  /**
   * Of a lane.
   *
   * @param tag what its keys begin with
   */
  PipelineReplies(String tag) {
    this.tag = tag;
  }

  /** Nothing is queued any more. */
  void reset() {
    queued.clear();
  }

  /** Compares the replies to the next command. */
  boolean agree(List<byte[]> words, RespValue expected, RespValue actual, long slackMillis) {
    String name = Differential.name(words);
    boolean agree =
        (name.equals("EXEC")
                && expected instanceof RespValue.Array one
                && actual instanceof RespValue.Array other)
            ? transactionsAgree(one.elements(), other.elements(), slackMillis)
            : alike(words, expected, actual, slackMillis);
    if (expected.equals(new RespValue.SimpleString("QUEUED"))) {
      queued.add(words);
    } else if ((name.equals("EXEC") && !expected.equals(EXEC_ALONE))
        || (name.equals("DISCARD") && expected.equals(RespValue.OK))) {
      queued.clear();
    }
    return agree;
  }

  private boolean transactionsAgree(
      List<RespValue> expected, List<RespValue> actual, long slackMillis) {
    boolean agree = expected.size() == actual.size() && expected.size() == queued.size();
    for (int i = 0; agree && i < queued.size(); i++) {
      agree = alike(queued.get(i), expected.get(i), actual.get(i), slackMillis);
    }
    return agree;
  }

  private boolean alike(
      List<byte[]> words, RespValue expected, RespValue actual, long slackMillis) {
    if (expected.equals(actual)) {
      return true;
    }
    String name = Differential.name(words);
    if (expected instanceof RespValue.Array one && actual instanceof RespValue.Array other) {
      return name.equals("KEYS")
          ? ofLane(one).equals(ofLane(other))
          : name.equals("SCAN")
              && (!Differential.isStart(words) || scannedAlike(one.elements(), other.elements()));
    }
    if (OF_ITS_OWN.contains(name)) {
      return saysSomething(expected) && saysSomething(actual);
    }
    return Differential.nearInTime(name, expected, actual, slackMillis);
  }

  private static boolean saysSomething(RespValue reply) {
    return reply instanceof RespValue.Bulk || reply instanceof RespValue.Int;
  }

  private boolean scannedAlike(List<RespValue> expected, List<RespValue> actual) {
    RespValue end = RespValue.bulk("0");
    boolean whole = expected.get(0).equals(end) && actual.get(0).equals(end);
    return !whole
        || ofLane((RespValue.Array) expected.get(1))
            .equals(ofLane((RespValue.Array) actual.get(1)));
  }

  /** Keys of other lanes come and go. */
  private Set<String> ofLane(RespValue.Array listed) {
    Set<String> keys = new TreeSet<>();
    for (RespValue key : listed.elements()) {
      String text = new String(((RespValue.Bulk) key).bytes(), StandardCharsets.ISO_8859_1);
      if (text.startsWith(tag)) {
        keys.add(text);
      }
    }
    return keys;
  }
}
