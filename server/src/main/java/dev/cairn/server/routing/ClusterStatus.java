// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.routing;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.cairn.server.cluster.Announced;
import dev.cairn.server.cluster.ClusterState;
import dev.cairn.server.cluster.Member;
import dev.cairn.server.cluster.Membership;
import dev.cairn.server.cluster.NodeProtection;
import dev.cairn.server.cluster.NodeReport;
import dev.cairn.server.metrics.CommandMetrics;
import dev.cairn.server.partition.LogLimits;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * The cluster's health as one document: what is wrong, since when, what to do about it, and what
 * can still be lost. {@code docs/reference/formats.md} has its grammar.
 *
 * <p>A look is taken twice a second, whoever asks, so that problems have an age, and another for
 * each document. Threads: any; a look holds the lock and waits for nothing.
 */
public final class ClusterStatus {
  static final long LOOK_EVERY_MILLIS = 500;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final String selfName;
  private final Membership membership;
  private final Supplier<String> waitingFor;
  private final ClusterHealth health;
  private final Supplier<NodeProtection> protection;
  private final LongSupplier nanoTime;
  private Problems tracked = new Problems(); // guarded by this
  private boolean placed; // guarded by this; what was said before holds no longer
  private volatile Seen seen = new Seen(ClusterHealth.Look.NONE, List.of());

  /** A look, and the problems that it left. */
  private record Seen(ClusterHealth.Look look, List<Problems.Problem> problems) {}

  /**
   * Creates the page of a node.
   *
   * @param waitingFor what the node waits for before it has a cluster
   * @param limits how much log a witness may keep
   * @param protection how this node is protected now
   * @param nanoTime a monotonic clock, nanoseconds
   */
  public ClusterStatus(
      String selfName,
      Membership membership,
      Supplier<String> waitingFor,
      LogLimits limits,
      Supplier<NodeProtection> protection,
      LongSupplier nanoTime) {
    this.selfName = selfName;
    this.protection = protection;
    this.membership = membership;
    this.waitingFor = waitingFor;
    this.health = new ClusterHealth(membership, limits);
    this.nanoTime = nanoTime;
  }

  /**
   * Takes a look.
   *
   * @param cluster null before it has formed
   * @param leaderOf who leads a partition, as far as is known here
   */
  synchronized Seen look(ClusterState cluster, IntFunction<Optional<String>> leaderOf) {
    long now = nanoTime.getAsLong();
    ClusterHealth.Look look;
    if (cluster == null) {
      Findings findings = new Findings();
      findings.notFormed(waitingFor.get());
      look = new ClusterHealth.Look(List.of(), List.of(), findings.all(0, 0));
    } else {
      look = health.look(cluster, leaderOf, now);
    }
    if (!placed && cluster != null && !cluster.partitions().isEmpty()) {
      placed = true;
      tracked = new Problems();
    }
    Findings own = new Findings();
    protections(cluster).forEach(own::ofProtection);
    List<Finding> all = new ArrayList<>(look.findings());
    all.addAll(own.all(0, 0));
    seen = new Seen(look, tracked.observe(all, now));
    return seen;
  }

  /** How many nodes, whichever they are, every partition can lose, at the last look. */
  public int canLose() {
    return seen.look().canLose();
  }

  /** For how many seconds a problem of each kind has lasted, 0 where none is set. */
  public Map<ProblemKind, Double> problemSeconds() {
    Map<ProblemKind, Double> seconds = new EnumMap<>(ProblemKind.class);
    for (ProblemKind kind : ProblemKind.values()) {
      seconds.put(kind, 0.0);
    }
    for (Problems.Problem problem : seen.problems()) {
      if (problem.state() != Problems.State.PENDING) {
        double age = problem.ageMillis() / (double) TimeUnit.SECONDS.toMillis(1);
        seconds.merge(problem.kind(), age, Math::max);
      }
    }
    return seconds;
  }

  /** What each member that is up last told of itself, by its id. */
  Map<String, NodeReport.Figures> figures(ClusterState cluster) {
    Map<String, NodeReport.Figures> figures = new TreeMap<>();
    for (Member member : cluster == null ? List.<Member>of() : cluster.members()) {
      if (membership.isUp(member.id())) {
        membership
            .report(member.id())
            .ifPresent(report -> figures.put(member.id(), report.figures()));
      }
    }
    return figures;
  }

  /**
   * How each member that is up says that it is protected, by its name; this node's is the latest.
   */
  private Map<String, NodeProtection> protections(ClusterState cluster) {
    Map<String, NodeProtection> protections = new TreeMap<>();
    for (Member member : cluster == null ? List.<Member>of() : cluster.members()) {
      if (membership.isUp(member.id())) {
        membership
            .report(member.id())
            .ifPresent(report -> protections.put(member.name(), report.known().protection()));
      }
    }
    protections.put(selfName, protection.get());
    return protections;
  }

  String document(ClusterState cluster, IntFunction<Optional<String>> leaderOf) {
    Seen now = look(cluster, leaderOf);
    ObjectNode document = JSON.createObjectNode();
    document.put("answeredBy", selfName);
    if (cluster == null) {
      document.put("clusterId", "").put("epoch", 0);
    } else {
      document
          .put("clusterId", cluster.clusterId())
          .put("epoch", cluster.epoch())
          .put("replicationFactor", cluster.replicationFactor())
          .put("partitions", cluster.partitionCount());
      Map<String, Counts> counts = new TreeMap<>();
      ArrayNode partitionList = JSON.createArrayNode();
      for (ClusterHealth.PartitionView partition : now.look().partitions()) {
        partitionList.add(partition(cluster, partition, counts));
      }
      ArrayNode nodes = document.putArray("nodes");
      for (ClusterHealth.NodeView node : now.look().nodes()) {
        nodes.add(node(node, counts.getOrDefault(node.member().id(), new Counts())));
      }
      document.set("partitionList", partitionList);
    }
    addProblems(document, now.problems());
    Map<String, NodeProtection> protections = protections(cluster);
    String open =
        protections.entrySet().stream()
            .filter(one -> one.getValue().notProtected().isPresent())
            .map(one -> one.getKey() + ": " + one.getValue().notProtected().get())
            .collect(Collectors.joining("; "));
    if (!open.isEmpty()) {
      document.put("notProtected", open);
    }
    protections.values().stream()
        .flatMap(one -> one.certificateDays().stream().boxed())
        .min(Comparator.naturalOrder())
        .ifPresent(days -> document.put("certificateDays", days));
    return text(document);
  }

  /**
   * The document of a node that serves nothing just now, and knows neither members nor leaders.
   *
   * @param selfName that node's name
   * @param why what it waits for, for a person
   * @param sinceMillis for how long it has been so, milliseconds
   */
  public static String ofClosedNode(String selfName, String why, long sinceMillis) {
    ObjectNode document = JSON.createObjectNode();
    document.put("answeredBy", selfName).put("clusterId", "").put("epoch", 0);
    boolean set = sinceMillis >= TimeUnit.NANOSECONDS.toMillis(Problems.SET_AFTER_NANOS);
    addProblems(
        document,
        List.of(
            new Problems.Problem(
                ProblemKind.NODE_CLOSED,
                selfName,
                set ? Problems.State.SET : Problems.State.PENDING,
                sinceMillis,
                "Node "
                    + selfName
                    + " serves nothing just now: "
                    + why
                    + ". It comes back by itself; ask another node how the cluster is.")));
    return text(document);
  }

  private static void addProblems(ObjectNode document, List<Problems.Problem> problems) {
    document.put("healthy", problems.isEmpty());
    ArrayNode list = document.putArray("problems");
    for (Problems.Problem problem : problems) {
      list.addObject()
          .put("name", problem.kind().slug())
          .put("subject", problem.subject())
          .put("state", problem.state().slug())
          .put("ageMillis", problem.ageMillis())
          .put("text", problem.text());
    }
  }

  private static String text(ObjectNode document) {
    try {
      return JSON.writeValueAsString(document);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private ObjectNode node(ClusterHealth.NodeView view, Counts counts) {
    Member member = view.member();
    Announced announced = membership.announced(member);
    Membership.Contact contact = view.contact();
    boolean up = contact == Membership.Contact.UP;
    ObjectNode node = JSON.createObjectNode();
    node.put("name", member.name())
        .put("id", member.id())
        .put("host", announced.host())
        .put("clientPort", announced.clientPort())
        .put("clusterPort", announced.clusterPort())
        .put("up", up)
        .put("heard", up || contact == Membership.Contact.UNREACHED)
        .put("reached", up || contact == Membership.Contact.UNHEARD);
    ArrayNode unreachedBy = node.putArray("unreachedBy");
    view.unreachedBy().forEach(unreachedBy::add);
    membership
        .heardMillisAgo(member.id())
        .ifPresent(millis -> node.put("heardMillisAgo", Math.max(0, millis)));
    node.put("leads", counts.leads)
        .put("replicas", counts.replicas)
        .put("witnesses", counts.witnesses)
        .put("version", membership.report(member.id()).map(NodeReport::version).orElse(""));
    membership.report(member.id()).ifPresent(report -> figures(node, report));
    return node;
  }

  private static void figures(ObjectNode node, NodeReport report) {
    NodeReport.Figures figures = report.figures();
    node.put("upMillis", figures.upMillis())
        .put("diskBytes", figures.diskBytes())
        .put("diskFreeBytes", report.room().freeBytes())
        .put("diskLow", report.room().low())
        .put("heapUsedBytes", figures.heapUsedBytes())
        .put("heapMaxBytes", figures.heapMaxBytes())
        .put("residentBytes", figures.residentBytes())
        .put("reads", figures.answered().reads())
        .put("writes", figures.answered().writes())
        .put("failed", figures.answered().failed());
    ArrayNode within = node.putArray("within");
    for (CommandMetrics.Bucket bucket : figures.answered().within()) {
      ObjectNode row = within.addObject();
      if (bucket.micros() == Long.MAX_VALUE) {
        row.putNull("micros");
      } else {
        row.put("micros", bucket.micros());
      }
      row.put("count", bucket.count());
    }
  }

  private static ObjectNode partition(
      ClusterState cluster, ClusterHealth.PartitionView view, Map<String, Counts> counts) {
    ObjectNode node = JSON.createObjectNode();
    node.put("index", view.placement().index())
        .put("firstSlot", view.placement().firstSlot())
        .put("lastSlot", view.placement().lastSlot())
        .put("leader", view.leaderId().map(id -> ClusterHealth.nameOf(cluster, id)).orElse(null))
        .put("term", view.term());
    view.leaderId().ifPresent(id -> counts.computeIfAbsent(id, i -> new Counts()).leads++);
    ArrayNode replicas = node.putArray("replicas");
    node.putNull("witness");
    for (ClusterHealth.VoterView voter : view.voters()) {
      Counts of = counts.computeIfAbsent(voter.replica().nodeId(), id -> new Counts());
      String name = ClusterHealth.nameOf(cluster, voter.replica().nodeId());
      boolean witness = voter.replica().equals(view.placement().witness());
      ObjectNode row = witness ? node.putObject("witness") : replicas.addObject();
      row.put("node", name).put("up", voter.serves()).put("counts", voter.counts());
      if (witness) {
        of.witnesses++;
      } else {
        of.replicas++;
        row.put("lag", voter.lag());
      }
    }
    node.put("canLose", view.canLose());
    return node;
  }

  private static final class Counts {
    private int leads;
    private int replicas;
    private int witnesses;
  }
}
