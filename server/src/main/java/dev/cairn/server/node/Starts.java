// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.cairn.server.cluster.ClusterState;
import dev.cairn.server.cluster.Member;
import dev.cairn.server.cluster.PeerMessageKind;
import dev.cairn.server.peer.Answer;
import dev.cairn.server.peer.PeerTransport;
import dev.cairn.server.peer.Traffic;
import dev.cairn.server.storage.DurableFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which start of which node this is, so that a data folder put back from an older copy is known for
 * one (docs/decisions/0028-older-copies.md).
 *
 * <p>A node numbers its starts, gives each a random id, and has both on disk before it tells them
 * to the others, with those of the start before. The others keep the last start of each node on
 * their disks. Whoever is told of a start whose predecessor is not the last that he has seen, nor a
 * later one, knows that the folder is older than what this node had: votes and acknowledged writes
 * of its last run are missing from it.
 *
 * <p>Invariants: no start is told before it is on disk, so a node that was killed at any moment is
 * never taken for a copy; an answer that a start was noted means that it is on the disk of whoever
 * gave it. Nodes that were down in the run that is missing, or do not answer, cannot tell: who can,
 * and is heard later, tells later.
 *
 * <pre>
 *   starts.json ::= {format, node, last: start, seen: {node id: start ...}}
 *   start       ::= {number, id}                 counted from 1; 0 with an empty id: none
 *   told        ::= JSON {format, node, before: start, now: start}
 *   answer      ::= JSON {format, verdict: NOTED | OLDER | NOT_NOW}
 * </pre>
 *
 * <p>Threads: any; questions of others are answered on threads that may wait for the disk.
 */
final class Starts {
  static final String FILE = "starts.json";

  private static final int FORMAT = 1;
  private static final long ANSWER_WITHIN_MILLIS = 1_000;
  private static final long TELL_AGAIN_MILLIS = 250;
  private static final Logger log = LoggerFactory.getLogger(Starts.class);
  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .build();

  private final Path file;
  private final String self;
  private final Start before;
  private final Start now;
  private final Map<String, Start> seen; // guarded by this
  private final Set<String> told = ConcurrentHashMap.newKeySet(); // ids of nodes that have noted it
  private final AtomicBoolean telling = new AtomicBoolean();
  private volatile ClusterState cluster; // null before there is one

  /** One start of a node. */
  record Start(long number, String id) {
    static final Start NONE = new Start(0, "");

    Start {
      Objects.requireNonNull(id);
    }
  }

  /** What a node says that was told of a start. */
  enum Verdict {
    /** It is the next one, as far as this node knows, and on this node's disk. */
    NOTED,
    /** This node has seen a later one: the folder is an older copy. */
    OLDER,
    /** This node does not know whether the other is a member, or cannot write: ask again. */
    NOT_NOW
  }

  record Document(int format, String node, Start last, Map<String, Start> seen) {}

  record Told(int format, String node, Start before, Start now) {}

  record Reply(int format, Verdict verdict) {}

  private Starts(Path file, String self, Start before, Start now, Map<String, Start> seen) {
    this.file = file;
    this.self = self;
    this.before = before;
    this.now = now;
    this.seen = seen;
  }

  /**
   * Begins a start of a node. It is on disk when this returns; where it cannot be written, since
   * the disk is full, it does not count and is told to nobody.
   *
   * @param folder the data folder
   * @param self the node's id
   * @param newId makes a random id
   */
  static Starts begin(Path folder, String self, Supplier<String> newId) {
    Path file = folder.resolve(FILE);
    Optional<Document> known = read(file);
    Start before =
        known
            .filter(document -> document.node().equals(self))
            .map(Document::last)
            .orElse(Start.NONE);
    Map<String, Start> seen = new TreeMap<>(known.map(Document::seen).orElse(Map.of()));
    Start now = new Start(before.number() + 1, newId.get());
    try {
      write(file, self, now, seen);
    } catch (IOException e) {
      log.warn("this start cannot be written to {}: {}", file, e.toString());
      now = before;
    }
    return new Starts(file, self, before, now, seen);
  }

  /** What was written last; nothing if that cannot be read, which the others then find out. */
  private static Optional<Document> read(Path file) {
    try {
      if (!Files.exists(file)) {
        return Optional.empty();
      }
      Document document = JSON.readValue(Files.readAllBytes(file), Document.class);
      if (document.format() == FORMAT
          && document.node() != null
          && document.last() != null
          && document.seen() != null) {
        return Optional.of(document);
      }
      log.warn("{} is of format {}, this version reads {}", file, document.format(), FORMAT);
    } catch (IOException e) {
      log.warn("{} cannot be read: {}", file, e.toString());
    }
    return Optional.empty();
  }

  private static void write(Path file, String self, Start last, Map<String, Start> seen)
      throws IOException {
    DurableFiles.replace(file, JSON.writeValueAsBytes(new Document(FORMAT, self, last, seen)));
  }

  /** Answers other nodes from now on. */
  void answerOthers(PeerTransport transport) {
    transport.handleApart(
        PeerMessageKind.START,
        (from, body, answer) -> {
          try {
            Told told = JSON.readValue(body, Told.class);
            answer.accept(encode(new Reply(FORMAT, note(told.node(), told.before(), told.now()))));
          } catch (IOException e) {
            log.warn(
                "peer={} told of its start in a way that cannot be read: {}",
                from.remoteAddress(),
                e.getMessage());
          }
        });
  }

  /** Who belongs to the cluster, from now on: of others nothing is noted. */
  void follow(ClusterState state) {
    cluster = state;
  }

  /**
   * Deals with a start of another node.
   *
   * @param previous the start before it
   * @param start the start
   */
  synchronized Verdict note(String node, Start previous, Start start) {
    ClusterState members = cluster;
    if (members == null || members.member(node).isEmpty()) {
      return Verdict.NOT_NOW;
    }
    Start known = seen.getOrDefault(node, Start.NONE);
    if (known.equals(start)) {
      return Verdict.NOTED;
    }
    if (known.number() > previous.number()
        || (known.number() == previous.number() && !known.equals(previous))) {
      log.error(
          "node={} started from an older copy of its data folder: its start {} follows start {}, and start {} was seen",
          members.member(node).get().name(),
          start.number(),
          previous.number(),
          known.number());
      return Verdict.OLDER;
    }
    Map<String, Start> next = new TreeMap<>(seen);
    next.keySet().removeIf(id -> members.member(id).isEmpty());
    next.put(node, start);
    try {
      write(file, self, now, next);
    } catch (IOException e) {
      log.warn("node={} its start cannot be noted in {}: {}", node, file, e.toString());
      return Verdict.NOT_NOW;
    }
    seen.clear();
    seen.putAll(next);
    return Verdict.NOTED;
  }

  /**
   * Tells all other members of this start, and waits for what they say, but not for long: a node
   * that is down or frozen holds no start up.
   *
   * @param waitMillis at most so long
   * @return why this folder is an older copy, if one of them says so
   */
  Optional<String> tellAll(PeerTransport transport, long waitMillis) {
    ClusterState members = cluster;
    CountDownLatch answers = new CountDownLatch(members.members().size() - 1);
    AtomicReference<String> older = new AtomicReference<>();
    for (Member member : members.members()) {
      if (!member.id().equals(self)) {
        tell(
            transport,
            member,
            verdict -> {
              if (verdict == Verdict.OLDER) {
                older.set(olderBy(member));
              }
              answers.countDown();
            });
      }
    }
    try {
      if (!answers.await(waitMillis, TimeUnit.MILLISECONDS)) {
        log.debug(
            "{} nodes did not say in time whether they know of a later start", answers.getCount());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return Optional.ofNullable(older.get());
  }

  private static String olderBy(Member member) {
    return "the data folder is an older copy of this node's: "
        + member.name()
        + " has seen a later start of it, and what this node voted and acknowledged since is missing."
        + " One node's folder must not be put back beside others that went on.";
  }

  /**
   * Goes on telling until all members have noted it, those too that become members later.
   *
   * @param onOlder told why, when one of them says that this folder is an older copy
   */
  void keepTelling(
      PeerTransport transport, ScheduledExecutorService scheduler, Consumer<String> onOlder) {
    ClusterState members = cluster;
    boolean all = true;
    for (Member member : members.members()) {
      if (!member.id().equals(self) && !told.contains(member.id())) {
        all = false;
        tell(
            transport,
            member,
            verdict -> {
              if (verdict == Verdict.OLDER) {
                onOlder.accept(olderBy(member));
              }
            });
      }
    }
    if (!all && telling.compareAndSet(false, true)) {
      try {
        scheduler.schedule(
            () -> {
              telling.set(false);
              keepTelling(transport, scheduler, onOlder);
            },
            TELL_AGAIN_MILLIS,
            TimeUnit.MILLISECONDS);
      } catch (RejectedExecutionException stopping) {
        log.trace("the node stops before all were told of its start", stopping);
      }
    }
  }

  private void tell(PeerTransport transport, Member member, Consumer<Verdict> done) {
    transport.sendApart(
        Traffic.CONTROL,
        member.peerHost(),
        member.peerPort(),
        PeerMessageKind.START,
        encode(new Told(FORMAT, self, before, now)),
        ANSWER_WITHIN_MILLIS,
        Runnable::run,
        answer -> {
          Verdict verdict = verdict(member, answer);
          if (verdict == Verdict.NOTED) {
            told.add(member.id());
          }
          done.accept(verdict);
        });
  }

  private static Verdict verdict(Member member, Answer answer) {
    if (answer instanceof Answer.Received received) {
      try {
        Verdict verdict = JSON.readValue(received.body(), Reply.class).verdict();
        return verdict == null ? Verdict.NOT_NOW : verdict;
      } catch (IOException e) {
        log.warn(
            "node={} gave an answer that cannot be read: {}",
            member.name(),
            new String(received.body(), StandardCharsets.UTF_8));
      }
    }
    return Verdict.NOT_NOW;
  }

  private static byte[] encode(Object document) {
    try {
      return JSON.writeValueAsBytes(document);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }
}
