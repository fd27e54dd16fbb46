// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus;

import dev.cairn.consensus.Batch.Led;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a shard and the shard of one other node tell each other of who leads: one beat, whatever the
 * number of groups (CockroachDB's coalesced heartbeats).
 *
 * <p>Invariants:
 *
 * <ol>
 *   <li>A list has a version, and a version one content. A group that stands in a list since a
 *       version stands in all versions from there on, as it is.
 *   <li>A reply speaks of the list whose version it names, as its sender follows at the moment of
 *       the reply.
 *   <li>What a process sent before it began anew is not taken.
 * </ol>
 */
final class Beats {
  private record Since(Led led, long version) {}

  private final String node;

  // What is led here.
  private final Map<Long, Since> led = new TreeMap<>();
  private long version;
  private long versionThere;
  private long answeredAt;
  private boolean answersEnded;

  // What is led there.
  private long session;
  private long listVersion;
  private Map<Long, Led> list = Map.of();
  private long heardAt;
  private boolean beatsEnded;

  Beats(String node, long nowMillis) {
    this.node = node;
    this.answeredAt = nowMillis;
    this.heardAt = nowMillis;
  }

  String node() {
    return node;
  }

  // ---- What is led here ----

  /** A group is led here by a term; null if it is not, or has no member there. */
  void leads(long group, Led now) {
    Since before = led.get(group);
    if (now == null ? before == null : before != null && before.led().equals(now)) {
      return;
    }
    version++;
    if (now == null) {
      led.remove(group);
    } else {
      led.put(group, new Since(now, version));
    }
  }

  /** Whether beats go there: something is led, or what was told to a node that lives is not so. */
  boolean isDue(long livesSince) {
    return !led.isEmpty() || (versionThere != version && answeredAt > livesSince);
  }

  Batch.Beat beat(long question) {
    List<Led> all = null;
    if (versionThere != version) {
      all = led.values().stream().map(Since::led).toList();
    }
    return new Batch.Beat(version, all, question);
  }

  /**
   * Takes a reply.
   *
   * @return the groups whose members there follow
   */
  List<Led> replied(Batch.BeatReply reply, long nowMillis) {
    answeredAt = nowMillis;
    versionThere = reply.version();
    List<Led> following = new ArrayList<>();
    for (Since each : led.values()) {
      if (each.version() <= reply.version() && !reply.silent().contains(each.led().group())) {
        following.add(each.led());
      }
    }
    return following;
  }

  /** When a reply came last. */
  long answeredAt() {
    return answeredAt;
  }

  // ---- Silence ----

  /**
   * Whether the node's answers or its own beats came before a moment only. Each is said once: they
   * end at different moments, and others rely on the one than on the other.
   */
  boolean fellSilent(long before) {
    boolean noAnswers = answersNeeded() && answeredAt <= before;
    boolean noBeats = beatsNeeded() && heardAt <= before;
    boolean news = (noAnswers && !answersEnded) || (noBeats && !beatsEnded);
    answersEnded = noAnswers;
    beatsEnded = noBeats;
    return news;
  }

  /** When {@link #fellSilent} has news; Long.MAX_VALUE while nothing is to be waited for. */
  long silentAt(long afterMillis) {
    long answers = answersNeeded() && !answersEnded ? answeredAt : Long.MAX_VALUE - afterMillis;
    long beats = beatsNeeded() && !beatsEnded ? heardAt : Long.MAX_VALUE - afterMillis;
    return Math.min(answers, beats) + afterMillis;
  }

  private boolean answersNeeded() {
    return !led.isEmpty();
  }

  private boolean beatsNeeded() {
    return !list.isEmpty();
  }

  // ---- What is led there ----

  long session() {
    return session;
  }

  /** The process there began anew: it knows of nothing, and nothing of it is known. */
  void begin(long newSession) {
    session = newSession;
    versionThere = 0;
    listVersion = 0;
    list = Map.of();
  }

  /**
   * Takes a beat.
   *
   * @return whether the list is another one now
   */
  boolean heard(Batch.Beat beat, long nowMillis) {
    if (beat.version() < listVersion) {
      return false; // it was overtaken
    }
    boolean changed = beat.version() > listVersion && beat.led() != null;
    if (changed) {
      listVersion = beat.version();
      list = new TreeMap<>();
      beat.led().forEach(each -> list.put(each.group(), each));
    }
    if (beat.version() == listVersion) {
      heardAt = nowMillis;
    }
    return changed;
  }

  /** The version of the list that is known here; 0 for none. */
  long listVersion() {
    return listVersion;
  }

  Map<Long, Led> list() {
    return list;
  }

  /** When the node there last said what it leads. */
  long heardAt() {
    return heardAt;
  }
}
