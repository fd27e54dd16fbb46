// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.cairn.server.cluster.ClusterState;
import dev.cairn.server.peer.PeerRun;
import dev.cairn.server.storage.DurableFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiPredicate;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which start of which node this is, so that a data folder put back from an older copy is known for
 * one (docs/design/decisions/0028-older-copies.md).
 *
 * <p>A node numbers its starts, gives each a random id, and has both on disk before it tells the
 * others its latest ones. The others keep the last start of each node on their disks. Whoever has
 * seen one that is not among those he is told, and is not older than them, knows that the folder is
 * an older copy: votes and acknowledged writes of that run are missing from it. Who hears another
 * run of the node just now knows that two processes have one folder's identity
 * (docs/design/decisions/0029-addresses-are-looked-up.md). {@link Introduction} does the telling.
 *
 * <p>Invariants: no start is told before it is on disk, so a node that was killed at any moment is
 * never taken for a copy; an answer that a start was noted means that it is on the disk of whoever
 * gave it. Nodes that were not told of the run that is missing, or do not answer, cannot tell: who
 * can, and is heard later, tells later.
 *
 * <pre>
 *   starts.json ::= {format, node, own: [start ...], seen: {node id: start ...}}
 *   start       ::= {number, id}                 counted from 1
 * </pre>
 *
 * <p>{@code own} are the node's latest, oldest first, at most {@link #STARTS_MAX}.
 *
 * <p>Threads: any; {@link #note} may wait for the disk.
 */
final class StartNumbers {
  static final String FILE = "starts.json";

  private static final int FORMAT = 1;
  private static final int STARTS_MAX = 64;
  private static final Logger log = LoggerFactory.getLogger(StartNumbers.class);
  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .build();

  private final Path file;
  private final String self;
  private final List<Start> own; // latest last
  private volatile Map<String, Start> seen; // replaced whole, under lock
  private final ReentrantLock lock = new ReentrantLock();
  private volatile ClusterState cluster; // null before there is one
  private volatile BiPredicate<String, String> otherRunIsUp = (node, startId) -> false;
  private volatile Runnable onNoted = () -> {};
  private boolean closed; // guarded by lock

  /** One start of a node. */
  record Start(long number, String id) {
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
    /** Another process with the same identity runs just now. */
    RUNS,
    /** This node belongs to another cluster. */
    FOREIGN,
    /** This node does not know whether the other is a member, or cannot write: ask again. */
    NOT_NOW
  }

  record Document(int format, String node, List<Start> own, Map<String, Start> seen) {
    Document {
      own = List.copyOf(own);
      seen = Map.copyOf(seen);
    }
  }

  private StartNumbers(Path file, String self, List<Start> own, Map<String, Start> seen) {
    this.file = file;
    this.self = self;
    this.own = own;
    this.seen = Map.copyOf(seen);
  }

  /**
   * Begins a start of a node. It is on disk when this returns; where it cannot be written, since
   * the disk is full, it does not count and is told to nobody.
   *
   * @param folder the data folder
   * @param self the node's id
   * @param newId makes a random id
   * @throws IOException when what was written last cannot be read, or is of another version
   */
  static StartNumbers begin(Path folder, String self, Supplier<String> newId) throws IOException {
    Path file = folder.resolve(FILE);
    Optional<Document> known = read(file);
    List<Start> before =
        known.filter(document -> document.node().equals(self)).map(Document::own).orElse(List.of());
    Map<String, Start> seen = new TreeMap<>(known.map(Document::seen).orElse(Map.of()));
    List<Start> own =
        new ArrayList<>(before.subList(Math.max(0, before.size() + 1 - STARTS_MAX), before.size()));
    long last = own.isEmpty() ? 0 : own.get(own.size() - 1).number();
    own.add(new Start(last + 1, newId.get()));
    try {
      write(file, self, own, seen);
    } catch (IOException e) {
      log.warn("this start cannot be written to {}: {}", file, e.toString());
      own.remove(own.size() - 1);
    }
    return new StartNumbers(file, self, List.copyOf(own), seen);
  }

  /** What was written last; nothing if it is damaged, which the others then find out. */
  private static Optional<Document> read(Path file) throws IOException {
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    byte[] bytes = Files.readAllBytes(file);
    try {
      int format = JSON.readTree(bytes).path("format").asInt(FORMAT);
      if (format != FORMAT) {
        throw new IOException(
            file
                + " has format "
                + format
                + " and this version of Cairn reads "
                + FORMAT
                + "; start the version that wrote it");
      }
      return Optional.of(JSON.readValue(bytes, Document.class));
    } catch (JsonProcessingException e) {
      log.warn("{} is damaged: {}", file, e.getOriginalMessage());
      return Optional.empty();
    }
  }

  private static void write(Path file, String self, List<Start> own, Map<String, Start> seen)
      throws IOException {
    DurableFiles.replace(file, JSON.writeValueAsBytes(new Document(FORMAT, self, own, seen)));
  }

  /** This run, as peers are greeted by it. */
  PeerRun run() {
    return own.isEmpty()
        ? new PeerRun(self, 0, "")
        : new PeerRun(self, latest().number(), latest().id());
  }

  /** This node's latest starts, oldest first; none when the first one could not be written. */
  List<Start> own() {
    return own;
  }

  private Start latest() {
    return own.get(own.size() - 1);
  }

  /** Who belongs to the cluster, from now on: of others nothing is noted. Does not block. */
  void follow(ClusterState state) {
    cluster = state;
  }

  /**
   * Who is heard, and who wants to know.
   *
   * @param otherUp whether another run of a node than that of a start id is heard just now
   * @param noted run whenever a start was noted, so that earlier ones are over; must not block
   */
  void watch(BiPredicate<String, String> otherUp, Runnable noted) {
    otherRunIsUp = otherUp;
    onNoted = noted;
  }

  /** Whether a run of a node is over, since this node has noted another that is not older. */
  boolean isOver(PeerRun run) {
    Start known = seen.get(run.nodeId());
    return known != null && !known.id().equals(run.startId()) && run.start() <= known.number();
  }

  /** Notes nothing more, and writes nothing: another run of this node may do so from now on. */
  void close() {
    lock.lock();
    try {
      closed = true;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Deals with another node's start.
   *
   * @param starts its latest, oldest first, this one the last
   */
  Verdict note(String node, List<Start> starts) {
    ClusterState members = cluster;
    if (members == null || members.member(node).isEmpty()) {
      return Verdict.NOT_NOW;
    }
    Start known = seen.get(node);
    if (!starts.isEmpty() && starts.get(starts.size() - 1).equals(known)) {
      return Verdict.NOTED;
    }
    if (otherRunIsUp.test(node, starts.isEmpty() ? "" : starts.get(starts.size() - 1).id())) {
      return Verdict.RUNS;
    }
    if (known != null && isMissing(known, starts)) {
      log.error(
          "node={} start {} of it was seen and is not among the {} that it tells: its data folder is an older copy",
          node,
          known.number(),
          starts.size());
      return Verdict.OLDER;
    }
    if (starts.isEmpty()) {
      return Verdict.NOTED;
    }
    if (!lock.tryLock()) {
      return Verdict.NOT_NOW; // another waits for the disk: threads for that are few
    }
    try {
      return closed || !Objects.equals(seen.get(node), known)
          ? Verdict.NOT_NOW
          : remember(members, node, starts.get(starts.size() - 1));
    } finally {
      lock.unlock();
    }
  }

  /** Whether a start should be among the latest ones of its node, and is not. */
  private static boolean isMissing(Start known, List<Start> latest) {
    return !latest.contains(known)
        && (latest.isEmpty() || known.number() >= latest.get(0).number());
  }

  private Verdict remember(ClusterState members, String node, Start start) {
    Map<String, Start> next = new TreeMap<>(seen);
    next.keySet().removeIf(id -> members.member(id).isEmpty());
    next.put(node, start);
    try {
      write(file, self, own, next);
    } catch (IOException e) {
      log.warn("node={} its start cannot be noted in {}: {}", node, file, e.toString());
      return Verdict.NOT_NOW;
    }
    seen = Map.copyOf(next);
    onNoted.run();
    return Verdict.NOTED;
  }
}
