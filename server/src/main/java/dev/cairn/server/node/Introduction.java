// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.cairn.server.cluster.Addresses;
import dev.cairn.server.cluster.ClusterState;
import dev.cairn.server.cluster.Member;
import dev.cairn.server.cluster.PeerMessageKind;
import dev.cairn.server.node.StartNumbers.Start;
import dev.cairn.server.node.StartNumbers.Verdict;
import dev.cairn.server.peer.AcceptedConnection;
import dev.cairn.server.peer.Answer;
import dev.cairn.server.peer.PeerAddress;
import dev.cairn.server.peer.PeerRun;
import dev.cairn.server.peer.PeerTransport;
import dev.cairn.server.peer.Traffic;
import dev.cairn.server.raft.LogLostException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A node of a cluster says to the others which start of it this is, and where it is; they say who
 * they are, and whether that can be (docs/design/decisions/0028 and 0029).
 *
 * <p>Members are asked where they were last, and so is whoever is at the addresses of {@code
 * --cluster}: after a cluster has formed the list is where to ask first, no more. The node asks at
 * its own address too, and where it was before: nobody else may answer there.
 *
 * <p>A node that has moved opens its groups only once a majority of the members, itself included,
 * has noted where it is and which start this is, since a process with the same folder may still run
 * where it was.
 *
 * <pre>
 *   told   ::= JSON {format, cluster, member, starts: [start ...]}       start: {@link StartNumbers}
 *   answer ::= JSON {format, verdict, cluster, member, known}
 * </pre>
 *
 * <p>{@code cluster} is the cluster's id, null without one; {@code member} is who speaks; {@code
 * known} is where the one who answers has the other, or null.
 *
 * <p>Threads: any. Questions of others are answered on threads that may wait for the disk.
 */
final class Introduction implements AutoCloseable {
  /** A run that was heard within this time runs; longer than two reports take. */
  private static final long HEARD_WITHIN_MILLIS = 1_500;

  /** So long another run must be heard of before this one gives up: a dead one is not. */
  private static final long OTHER_RUN_MILLIS = 3_000;

  private static final int FORMAT = 2;
  private static final long ANSWER_WITHIN_MILLIS = 1_000;
  private static final long TELL_AGAIN_MILLIS_MIN = 250;
  private static final long TELL_AGAIN_MILLIS_MAX = 1_000;
  private static final Logger log = LoggerFactory.getLogger(Introduction.class);
  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .build();

  private final Member self;
  private final StartNumbers starts;
  private final Addresses addresses;
  private final PeerTransport transport;
  private final List<PeerAddress> listed;
  private final Set<String> noted =
      ConcurrentHashMap.newKeySet(); // ids of those that have noted it
  private final Set<Object> asked = ConcurrentHashMap.newKeySet(); // those whose answer is due
  private final Map<String, String> runs =
      new ConcurrentHashMap<>(); // the others' start ids, by id
  private final AtomicBoolean scheduled = new AtomicBoolean();
  private volatile ClusterState cluster; // null before there is one
  private volatile long otherRunSince; // monotonic; 0 while nobody hears another run of this node
  private volatile Runnable tellAgain = () -> {};

  record Told(int format, String cluster, Member member, List<Start> starts) {
    Told {
      starts = List.copyOf(starts);
    }
  }

  record Reply(int format, Verdict verdict, String cluster, Member member, String known) {}

  /** What is heard, by and by. */
  interface Heard {
    /** This folder is an older copy, and why. */
    void older(String why);

    /** Another process with this node's identity runs, and where. */
    void otherRun(String why);
  }

  /** Whom to ask: a member wherever it is, or whoever is at an address. */
  private sealed interface Target {}

  private record Node(Member member) implements Target {}

  private record At(PeerAddress address) implements Target {}

  /** What one round of questions brought. */
  private static final class Round {
    private volatile String older;
    private volatile String otherRun;
    private volatile String refused;

    void take(Target target, Reply reply, Introduction asking) {
      switch (reply.verdict()) {
        case OLDER -> older = asking.olderBy(reply.member());
        case RUNS -> otherRun = asking.otherRun(reply);
        case FOREIGN -> {
          if (target instanceof At at && asking.listed.contains(at.address())) {
            refused = asking.foreign(at.address(), reply);
          }
        }
        case NOTED, NOT_NOW -> {}
      }
      if (target instanceof At at
          && at.address().equals(asking.self.peerAddress())
          && !reply.member().id().equals(asking.self.id())) {
        refused = asking.twoClaim(reply.member());
      }
    }
  }

  /**
   * Says nothing yet.
   *
   * @param self this node where it is now, with the number of this start
   * @param listed where to ask besides
   */
  Introduction(
      Member self,
      StartNumbers starts,
      Addresses addresses,
      PeerTransport transport,
      List<PeerAddress> listed) {
    this.self = self;
    this.starts = starts;
    this.addresses = addresses;
    this.transport = transport;
    this.listed = List.copyOf(listed);
    addresses.told(self);
  }

  /** Answers other nodes from now on, and takes nothing of runs that are over. */
  void answerOthers() {
    starts.watch(
        (node, startId) -> transport.hearsOtherRun(node, startId, HEARD_WITHIN_MILLIS),
        transport::fenceAgain);
    transport.openToAll(PeerMessageKind.START);
    transport.openToAll(PeerMessageKind.HELLO);
    transport.fence(starts::isOver);
    transport.onGreeting(this::greeted);
    transport.handleApart(PeerMessageKind.START, this::answer);
  }

  /** A peer that has started anew has to be told anew, and so has one that knows a later start. */
  private void greeted(PeerRun peer, boolean superseded) {
    if (!peer.startId().equals(runs.put(peer.nodeId(), peer.startId())) || superseded) {
      noted.remove(peer.nodeId());
      tellAgain.run();
    }
  }

  private void answer(AcceptedConnection from, byte[] body, Consumer<byte[]> answer) {
    try {
      Told told = JSON.readValue(body, Told.class);
      if (told.format() != FORMAT) {
        throw new IOException("format " + told.format() + ", this version reads " + FORMAT);
      }
      answer.accept(encode(reply(told)));
    } catch (IOException e) {
      log.warn(
          "peer={} told of its start in a way that cannot be read: {}",
          from.remoteAddress(),
          e.getMessage());
    }
  }

  private Reply reply(Told told) {
    ClusterState now = cluster;
    String id = now == null ? null : now.clusterId();
    if (id == null || !id.equals(told.cluster())) {
      return new Reply(FORMAT, id == null ? Verdict.NOT_NOW : Verdict.FOREIGN, id, self, null);
    }
    if (told.member().id().equals(self.id())) {
      boolean itself = told.starts().equals(starts.own());
      return new Reply(FORMAT, itself ? Verdict.NOTED : Verdict.RUNS, id, self, self.name());
    }
    Verdict verdict = starts.note(told.member().id(), told.starts());
    if (verdict == Verdict.NOTED) {
      addresses.told(told.member());
    }
    String known =
        addresses.members().stream()
            .filter(member -> member.id().equals(told.member().id()))
            .map(Member::name)
            .findFirst()
            .orElse(null);
    return new Reply(FORMAT, verdict, id, self, known);
  }

  /** Who belongs to the cluster, and where they are, from now on. Does not block. */
  void follow(ClusterState state) {
    cluster = state;
    starts.follow(state);
    addresses.follow(state);
    tellAgain.run();
  }

  /** Notes nothing more: another run of this node may do so from now on. */
  @Override
  public void close() {
    starts.close();
  }

  /**
   * Tells all of this start, before any group is opened, and waits for what they say, but not for
   * long: a node that is down or frozen holds no start up. A node of which another run is heard
   * waits until that is over, or gives up.
   *
   * @param waitMillis at most so long for the answers, when the node is where it was
   * @throws LogLostException when one of them knows that the folder is an older copy
   * @throws StartException when this node cannot be, and why
   */
  void begin(long waitMillis) throws StartException, LogLostException {
    long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(OTHER_RUN_MILLIS);
    while (true) {
      Round round = ask(targets(true), hasMoved() ? ANSWER_WITHIN_MILLIS : waitMillis);
      if (round.refused != null) {
        throw new StartException(round.refused);
      }
      if (round.otherRun == null) {
        if (round.older != null) {
          throw new LogLostException(round.older, null);
        }
        return;
      }
      if (System.nanoTime() - until >= 0) {
        throw new StartException(round.otherRun);
      }
      pause();
    }
  }

  private static void pause() {
    try {
      TimeUnit.MILLISECONDS.sleep(TELL_AGAIN_MILLIS_MIN);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private Round ask(List<Target> targets, long waitMillis) {
    Round round = new Round();
    CountDownLatch answers = new CountDownLatch(targets.size());
    for (Target target : targets) {
      boolean under =
          tell(
              target,
              reply -> {
                reply.ifPresent(heard -> round.take(target, heard, this));
                answers.countDown();
              });
      if (!under) {
        answers.countDown();
      }
    }
    try {
      if (!answers.await(waitMillis, TimeUnit.MILLISECONDS)) {
        log.debug("{} did not say in time whether they know of a later start", answers.getCount());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return round;
  }

  /** Whether a majority of the members, this one included, has noted this start and its address. */
  boolean isNoted() {
    return noted.size() + 1 > cluster.members().size() / 2;
  }

  /** Whether peers have to look for this node elsewhere than where the cluster has it. */
  boolean hasMoved() {
    return cluster
        .member(self.id())
        .filter(logged -> !logged.peerAddress().equals(self.peerAddress()))
        .isPresent();
  }

  /** Whether this node has moved and opens nothing, since too few know. */
  boolean hasMovedUnnoticed() {
    return cluster != null && hasMoved() && !isNoted();
  }

  /** This node, where it is now. */
  Member self() {
    return self;
  }

  /** For whom a node that has moved waits, for a person. */
  String waitingFor() {
    return "this node has moved from %s to %s, and waits until a majority of the %d nodes knows; no answer yet from %s"
        .formatted(
            cluster.member(self.id()).map(Member::name).orElse("nowhere"),
            self.name(),
            cluster.members().size(),
            String.join(", ", missing().stream().map(Member::name).toList()));
  }

  /** Goes on telling until all members have noted it, those too that start anew or come later. */
  void keepTelling(ScheduledExecutorService scheduler, Heard heard) {
    tellAgain = () -> tellLater(scheduler, heard, 0);
    tellAgain.run();
  }

  private void tellLater(ScheduledExecutorService scheduler, Heard heard, long delayMillis) {
    if (!scheduled.compareAndSet(false, true)) {
      return;
    }
    try {
      scheduler.schedule(
          () -> {
            scheduled.set(false);
            if (cluster == null || missing().isEmpty()) {
              return;
            }
            targets(false).forEach(target -> tell(target, reply -> deal(target, reply, heard)));
            long next = Math.max(TELL_AGAIN_MILLIS_MIN, delayMillis * 2);
            tellLater(scheduler, heard, Math.min(next, TELL_AGAIN_MILLIS_MAX));
          },
          delayMillis,
          TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException stopping) {
      log.trace("the node stops before all were told of its start", stopping);
    }
  }

  private void deal(Target target, Optional<Reply> reply, Heard heard) {
    Round round = new Round();
    reply.ifPresent(answer -> round.take(target, answer, this));
    if (round.older != null) {
      heard.older(round.older);
    } else if (round.otherRun != null) {
      long now = System.nanoTime();
      if (otherRunSince == 0) {
        otherRunSince = now;
      } else if (now - otherRunSince > TimeUnit.MILLISECONDS.toNanos(OTHER_RUN_MILLIS)) {
        heard.otherRun(round.otherRun);
      }
    } else if (reply.isPresent() && reply.get().verdict() == Verdict.NOTED) {
      otherRunSince = 0;
    }
  }

  /** The other members that have not noted this start. */
  private List<Member> missing() {
    return addresses.members().stream()
        .filter(member -> !member.id().equals(self.id()) && !noted.contains(member.id()))
        .toList();
  }

  /**
   * Whom to ask.
   *
   * @param starting also this node's own address, and where it was
   */
  private List<Target> targets(boolean starting) {
    Set<PeerAddress> places = new HashSet<>(listed);
    places.remove(self.peerAddress());
    if (starting) {
      places.add(self.peerAddress());
      cluster.member(self.id()).map(Member::peerAddress).ifPresent(places::add);
    } else {
      addresses.members().forEach(member -> places.remove(member.peerAddress()));
    }
    List<Target> targets = new ArrayList<>();
    missing().forEach(member -> targets.add(new Node(member)));
    places.forEach(place -> targets.add(new At(place)));
    return targets;
  }

  /**
   * One question to a target is under way at a time.
   *
   * @return whether it was asked; only then {@code done} is called, once
   */
  private boolean tell(Target target, Consumer<Optional<Reply>> done) {
    Object key = target instanceof Node node ? node.member().id() : target;
    if (!asked.add(key)) {
      return false;
    }
    byte[] body = encode(new Told(FORMAT, cluster.clusterId(), self, starts.own()));
    Consumer<Answer> answered =
        answer -> {
          asked.remove(key);
          done.accept(read(target, answer));
        };
    if (target instanceof Node node) {
      Executor here = Runnable::run;
      transport.sendApart(
          Traffic.CONTROL,
          node.member().id(),
          PeerMessageKind.START,
          body,
          ANSWER_WITHIN_MILLIS,
          here,
          answered);
    } else {
      PeerAddress address = ((At) target).address();
      transport.ask(address, PeerMessageKind.START, body, ANSWER_WITHIN_MILLIS, answered);
    }
    return true;
  }

  private Optional<Reply> read(Target target, Answer answer) {
    if (!(answer instanceof Answer.Received received)) {
      return Optional.empty();
    }
    try {
      Reply reply = JSON.readValue(received.body(), Reply.class);
      if (reply.format() != FORMAT || reply.verdict() == null || reply.member() == null) {
        throw new IOException("format " + reply.format() + ", this version reads " + FORMAT);
      }
      boolean ours = cluster.clusterId().equals(reply.cluster());
      if (ours && !reply.member().id().equals(self.id())) {
        addresses.told(reply.member());
        if (reply.verdict() == Verdict.NOTED) {
          noted.add(reply.member().id());
        }
      }
      return Optional.of(reply);
    } catch (IOException e) {
      log.warn("{} gave an answer that cannot be read: {}", target, e.getMessage());
      return Optional.empty();
    }
  }

  private String olderBy(Member member) {
    return "the data folder is an older copy of this node's: "
        + member.name()
        + " has seen a later start of it, and what this node voted and acknowledged since is missing."
        + " One node's folder must not be put back beside others that went on.";
  }

  private String otherRun(Reply reply) {
    return "node %s, whose data folder this is, runs already at %s, as %s says. One node is one process: stop that one first to move it, or give this one a folder of its own as --data"
        .formatted(self.id(), reply.known(), reply.member().name());
  }

  private String foreign(PeerAddress address, Reply reply) {
    return "the data folder belongs to cluster %s, and node %s at %s of --cluster to cluster %s: give this node its own folder as --data, or that cluster's nodes as --cluster"
        .formatted(cluster.clusterId(), reply.member().name(), address, reply.cluster());
  }

  private String twoClaim(Member other) {
    return "two nodes claim one address: %s, peers at %s, is this node's, %s, and node %s answers there; start each with a host and ports of its own"
        .formatted(self.name(), self.peerAddress(), self.id(), other.id());
  }

  private static byte[] encode(Object document) {
    try {
      return JSON.writeValueAsBytes(document);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }
}
