// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.cluster;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.cairn.server.peer.Answer;
import dev.cairn.server.peer.PeerAddress;
import dev.cairn.server.peer.PeerTransport;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How nodes that were given the same list become one cluster, once.
 *
 * <p>Each node asks all others on its list who they are. Then:
 *
 * <ul>
 *   <li>someone belongs to a cluster that lists <em>this node's id</em>: join it, that is what the
 *       founder decided;
 *   <li>someone belongs to a cluster that does not: wait. If the cluster knows this node's name
 *       under another id, its disk was replaced, and it must not pass for the node that voted
 *       before: the {@link Controller} gives it the place of the old one under the next
 *       incarnation, and then it is listed;
 *   <li>all are empty and were given the same list, copies and partitions: the first node of the
 *       list founds the cluster, with a random id, and writes that down before it tells anybody;
 *       the others learn it as above;
 *   <li>anything else, or somebody silent: wait, and say for whom.
 * </ul>
 *
 * <p>Invariants: a node that met a formed cluster never founds one; nobody founds with a node
 * missing; the founder's record is on disk before the first answer that names it, so a crash leaves
 * either no cluster or one that all can learn of.
 *
 * <pre>
 *   hello ::= JSON {format, member, settings, founded: ClusterState | null}    question and answer alike
 * </pre>
 */
public final class Formation {
  private static final Logger log = LoggerFactory.getLogger(Formation.class);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int FORMAT = 2;
  private static final long ASK_EVERY_MILLIS = 200;
  private static final long ANSWER_WITHIN_MILLIS = 1_000;
  private static final long APPLICANT_FOR_NANOS = TimeUnit.SECONDS.toNanos(3);
  private static final long SAY_AGAIN_AFTER_ROUNDS = 50;

  private final Member self;
  private final List<Address> listed;
  private final String settings;
  private final CreationSettings creation;
  private final Supplier<String> newClusterId;
  private final PeerTransport transport;
  private final Map<Address, Hello> answers = new ConcurrentHashMap<>();
  private final Map<String, Applicant> applicants =
      new ConcurrentHashMap<>(); // by name; a node asks until it is in
  private volatile ClusterState founded;
  private volatile String waitingFor = "this node has just started";
  private ScheduledFuture<?> asking; // guarded by this
  private Optional<ClusterState> decision = Optional.empty(); // guarded by this; made once
  private long round;
  private String said = "";

  /**
   * A node of the list that every node is given at its first start.
   *
   * @param name {@code host:clientPort}
   * @param peerHost its peer address
   * @param peerPort its peer port
   */
  public record Address(String name, String peerHost, int peerPort) {
    /** Where its peer port is. */
    public PeerAddress peerAddress() {
      return new PeerAddress(peerHost, peerPort);
    }
  }

  private record Applicant(Member node, long askedNanos) {}

  private record Hello(Member member, String settings, Optional<ClusterState> founded) {}

  /**
   * Prepares; nothing happens before {@link #answerOthers} and {@link #form}.
   *
   * @param self this node, with its id
   * @param listed all nodes of the list, this one included
   * @param creation what is fixed at creation, as far as it was given
   * @param newClusterId makes a random id, 40 hex digits
   */
  public Formation(
      Member self,
      List<Address> listed,
      CreationSettings creation,
      Supplier<String> newClusterId,
      PeerTransport transport) {
    this.self = self;
    this.listed = listed.stream().sorted(Comparator.comparing(Address::name)).toList();
    this.creation = creation;
    this.newClusterId = newClusterId;
    this.transport = transport;
    this.settings =
        "cluster="
            + String.join(",", this.listed.stream().map(Address::name).toList())
            + " replication-factor="
            + creation.replicationFactorNow()
            + " partitions="
            + creation.partitionsNow();
  }

  /** Answers other nodes from now on. */
  public void answerOthers() {
    transport.handle(
        PeerMessageKind.HELLO,
        (body, answer) -> {
          try {
            noteApplicant(decode(body).member());
            answer.accept(encode());
          } catch (IOException e) {
            log.warn("a peer introduced itself in a way that cannot be read: {}", e.getMessage());
          }
        });
  }

  private void noteApplicant(Member node) {
    ClusterState record = founded;
    boolean knownName =
        record != null && record.members().stream().anyMatch(m -> m.name().equals(node.name()));
    if (knownName && !node.id().equals(self.id())) {
      applicants.put(node.name(), new Applicant(node, System.nanoTime()));
    }
  }

  /** Nodes that have asked lately and say that they belong to no cluster, by name. */
  Map<String, Member> applicants() {
    Map<String, Member> lately = new TreeMap<>();
    applicants.forEach(
        (name, applicant) -> {
          if (System.nanoTime() - applicant.askedNanos() < APPLICANT_FOR_NANOS) {
            lately.put(name, applicant.node());
          }
        });
    return lately;
  }

  /** Tells others from now on that this node belongs to a cluster. Its record must be on disk. */
  public void formed(ClusterState record) {
    founded = record;
  }

  /** What the formation waits for, for a person; empty once formed. */
  public String waitingFor() {
    return founded == null ? waitingFor : "";
  }

  /**
   * Asks until there is a cluster.
   *
   * @param decided called with the record to write down before {@link #formed} is called; again,
   *     and with the same record, when it threw before that
   */
  public synchronized void form(
      ScheduledExecutorService scheduler, Consumer<ClusterState> decided) {
    asking =
        scheduler.scheduleWithFixedDelay(
            () -> ask(decided), 0, ASK_EVERY_MILLIS, TimeUnit.MILLISECONDS);
  }

  private synchronized void ask(Consumer<ClusterState> decided) {
    try {
      if (decision.isEmpty()) {
        decision = decide();
      }
      if (decision.isPresent()) {
        if (founded == null) {
          decided.accept(decision.get());
        }
        asking.cancel(false);
        return;
      }
      for (Address address : listed) {
        // Itself too: if another node answers there, one address was given to two.
        transport.ask(
            address.peerAddress(),
            PeerMessageKind.HELLO,
            encode(),
            ANSWER_WITHIN_MILLIS,
            answer -> receive(address, answer));
      }
    } catch (RuntimeException e) {
      log.error("could not form a cluster; trying again", e);
    }
  }

  private void receive(Address address, Answer answer) {
    if (answer instanceof Answer.Received received) {
      try {
        answers.put(address, decode(received.body()));
      } catch (IOException e) {
        answers.remove(address);
        log.warn("node={} gave an answer that cannot be read: {}", address.name(), e.getMessage());
      }
    } else {
      answers.remove(address);
    }
  }

  private Optional<ClusterState> decide() {
    List<String> silent = new ArrayList<>();
    List<Member> members = new ArrayList<>(List.of(self));
    for (Address address : listed) {
      Hello hello = answers.get(address);
      if (address.name().equals(self.name())) {
        if (hello != null && !hello.member().id().equals(self.id())) {
          return waitFor(twoClaim(address, hello.member()));
        }
      } else if (hello == null) {
        silent.add(address.name());
      } else if (hello.founded().isPresent()) {
        return joined(address, hello.founded().get());
      } else if (!hello.settings().equals(settings)) {
        return waitFor(
            address.name()
                + " was started with "
                + hello.settings()
                + ", this node with "
                + settings
                + "; give all nodes the same");
      } else {
        members.add(hello.member());
      }
    }
    if (!silent.isEmpty()) {
      return waitFor("no answer from " + String.join(", ", silent) + "; start them too");
    }
    if (!listed.get(0).name().equals(self.name())) {
      return waitFor(listed.get(0).name() + " is about to found the cluster");
    }
    members.sort(Comparator.comparing(Member::name));
    return Optional.of(
        ClusterState.founded(
            newClusterId.get(),
            creation.replicationFactorNow(),
            creation.partitionsNow(),
            members));
  }

  private String twoClaim(Address address, Member other) {
    return "two nodes claim one address: %s, peers at %s, is this node's, %s, and node %s answers there; start each with a host and ports of its own"
        .formatted(address.name(), address.peerAddress(), self.id(), other.id());
  }

  private Optional<ClusterState> joined(Address from, ClusterState state) {
    if (state.member(self.id()).isPresent()) {
      if (creation.contradict(state)) {
        return waitFor(
            from.name()
                + " belongs to a cluster with replication-factor="
                + state.replicationFactor()
                + " partitions="
                + state.partitionCount()
                + ", this node was started with "
                + creation.given()
                + "; restart it with the cluster's, or without");
      }
      return Optional.of(state);
    }
    boolean nameKnown =
        state.members().stream().anyMatch(member -> member.name().equals(self.name()));
    return waitFor(
        nameKnown
            ? "cluster "
                + state.clusterId()
                + " knows "
                + self.name()
                + " with another disk, so this empty one cannot vote in its place; the cluster takes it in as a new node as"
                + " soon as a majority of the others is up"
            : "cluster "
                + state.clusterId()
                + " of "
                + from.name()
                + " does not list "
                + self.name()
                + "; a running cluster cannot take in more nodes yet: start this node with the --cluster of its"
                + " own cluster, or form a new one of all nodes on empty --data folders and move the data there by"
                + " './cairn export' and './cairn import'");
  }

  private Optional<ClusterState> waitFor(String reason) {
    waitingFor = reason;
    if (!reason.equals(said) || ++round % SAY_AGAIN_AFTER_ROUNDS == 0) {
      said = reason;
      log.info("waiting to form a cluster: {}", reason);
    }
    return Optional.empty();
  }

  private byte[] encode() {
    ObjectNode hello = JSON.createObjectNode();
    hello.put("format", FORMAT);
    hello.set("member", JSON.valueToTree(self));
    hello.put("settings", settings);
    ClusterState record = founded;
    hello.set("founded", record == null ? JSON.nullNode() : JSON.valueToTree(record));
    try {
      return JSON.writeValueAsBytes(hello);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Hello decode(byte[] body) throws IOException {
    JsonNode hello = JSON.readTree(body);
    int format = hello.path("format").asInt(-1);
    if (format != FORMAT) {
      throw new IOException("greeting of format " + format + ", this version reads " + FORMAT);
    }
    JsonNode record = hello.get("founded");
    return new Hello(
        JSON.treeToValue(hello.get("member"), Member.class),
        hello.path("settings").asText(),
        record == null || record.isNull()
            ? Optional.empty()
            : Optional.of(ClusterState.decode(JSON.writeValueAsBytes(record))));
  }
}
