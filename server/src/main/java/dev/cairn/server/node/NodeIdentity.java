// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import dev.cairn.server.cluster.ClusterState;
import dev.cairn.server.cluster.Member;
import dev.cairn.server.storage.DurableFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;

/**
 * Who this node is, for good: {@code node.yaml} in its data folder, written at first start before
 * anything else, and once more when its cluster has formed. A node with another file is another
 * node.
 *
 * <pre>
 *   format: 2
 *   nodeId: "40 hex digits"
 *   name: "127.0.0.1:5000"        its name at first registration: its place on the ring
 *   clusterId: "40 hex digits"    null until the cluster has formed, as are the three below
 *   replicationFactor: 2
 *   partitions: 6
 *   members:
 *   - id: "40 hex digits"
 *     name: "127.0.0.1:5000"
 *     host: "127.0.0.1"
 *     clientPort: 5000
 *     clusterPort: 25000
 *     peerHost: "127.0.0.1"
 *     peerPort: 15000
 *     incarnation: 1
 *     start: 1
 * </pre>
 *
 * <p>Where the members are now stands in the cluster's state; here is where they were when the node
 * entered the cluster.
 *
 * <p>Every write is whole and fsynced (temporary file, fsync, rename, fsync of the folder).
 *
 * @param nodeId 40 hex digits, random
 * @param name {@code host:port} at first registration
 * @param cluster the cluster that the node belongs to; empty before it has formed
 */
public record NodeIdentity(String nodeId, String name, Optional<FormedCluster> cluster) {
  /** The format that this release writes, and the only one it reads. */
  public static final int FORMAT = 2;

  static final String FILE = "node.yaml";
  private static final int ID_BYTES = 20;

  private static final ObjectMapper YAML =
      JsonMapper.builder(
              YAMLFactory.builder()
                  .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
                  .disable(YAMLGenerator.Feature.SPLIT_LINES)
                  .build())
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .build();

  public NodeIdentity {
    checkId(nodeId, "nodeId");
    if (name == null || name.isEmpty()) {
      throw new IllegalArgumentException("name is missing");
    }
  }

  /**
   * What was fixed when the cluster formed.
   *
   * @param clusterId 40 hex digits
   * @param replicationFactor full copies wanted
   * @param partitions how many there are
   * @param members the first nodes, by name
   */
  public record FormedCluster(
      String clusterId, int replicationFactor, int partitions, List<Member> members) {
    public FormedCluster {
      checkId(clusterId, "clusterId");
      if (replicationFactor < 1 || partitions < 1 || members == null || members.isEmpty()) {
        throw new IllegalArgumentException(
            "a formed cluster has replicationFactor, partitions and members");
      }
      members = List.copyOf(members);
    }

    /** What of a cluster's state never changes, and its members now. */
    public static FormedCluster of(ClusterState state) {
      return new FormedCluster(
          state.clusterId(), state.replicationFactor(), state.partitionCount(), state.members());
    }

    /** The cluster as it was when it had just formed: without a placement. */
    public ClusterState state() {
      return ClusterState.founded(clusterId, replicationFactor, partitions, members);
    }
  }

  /** A new node's. Nothing is written yet. */
  public static NodeIdentity create(String name, RandomGenerator random) {
    return new NodeIdentity(randomId(random), name, Optional.empty());
  }

  /** 40 random hex digits, for a node or a cluster. */
  public static String randomId(RandomGenerator random) {
    byte[] bytes = new byte[ID_BYTES];
    random.nextBytes(bytes);
    return HexFormat.of().formatHex(bytes);
  }

  /** The same node, as a member of a cluster that has formed. */
  public NodeIdentity formed(FormedCluster formed) {
    return new NodeIdentity(nodeId, name, Optional.of(formed));
  }

  /** Puts it on disk; when this returns it is there for good. */
  public void save(DataFolder folder) throws IOException {
    DurableFiles.replace(folder.path().resolve(FILE), Document.of(this).toBytes());
  }

  /**
   * Reads it; empty when this is a new node's folder.
   *
   * @throws StartException when it is damaged, or of a format that this release does not know
   */
  public static Optional<NodeIdentity> load(DataFolder folder) throws StartException {
    return load(folder.path());
  }

  /** As {@link #load(DataFolder)}. */
  static Optional<NodeIdentity> load(Path folder) throws StartException {
    Path file = folder.resolve(FILE);
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    try {
      JsonNode tree = YAML.readTree(Files.readString(file, StandardCharsets.UTF_8));
      int format = tree.path("format").asInt(-1);
      if (format != FORMAT) {
        throw new StartException(
            "%s has format %s; this release reads format %d only: start the release that wrote it, or"
                    .formatted(file, tree.path("format").asText("unknown"), FORMAT)
                + " upgrade this one");
      }
      return Optional.of(YAML.treeToValue(tree, Document.class).identity());
    } catch (JsonProcessingException | IllegalArgumentException e) {
      String message =
          e instanceof JsonProcessingException json ? json.getOriginalMessage() : e.getMessage();
      throw new StartException(
          "%s is damaged (%s): restore it, or remove the whole data folder and let the node come back"
                  .formatted(file, message.lines().findFirst().orElse(""))
              + " empty",
          e);
    } catch (IOException e) {
      throw new StartException("cannot read %s: %s".formatted(file, e), e);
    }
  }

  private static void checkId(String id, String field) {
    if (id == null || !id.matches("[0-9a-f]{40}")) {
      throw new IllegalArgumentException(field + " is not 40 hex digits: " + id);
    }
  }

  /** The file's own shape; package-private for the mapper. */
  @JsonPropertyOrder({
    "format",
    "nodeId",
    "name",
    "clusterId",
    "replicationFactor",
    "partitions",
    "members"
  })
  record Document(
      int format,
      String nodeId,
      String name,
      String clusterId,
      Integer replicationFactor,
      Integer partitions,
      List<Entry> members) {
    static Document of(NodeIdentity identity) {
      FormedCluster formed = identity.cluster().orElse(null);
      return formed == null
          ? new Document(FORMAT, identity.nodeId(), identity.name(), null, null, null, null)
          : new Document(
              FORMAT,
              identity.nodeId(),
              identity.name(),
              formed.clusterId(),
              formed.replicationFactor(),
              formed.partitions(),
              formed.members().stream().map(Entry::of).toList());
    }

    NodeIdentity identity() {
      if (clusterId == null) {
        if (replicationFactor != null || partitions != null || members != null) {
          throw new IllegalArgumentException("members without a clusterId");
        }
        return new NodeIdentity(nodeId, name, Optional.empty());
      }
      if (replicationFactor == null || partitions == null || members == null) {
        throw new IllegalArgumentException("a clusterId without all of the rest");
      }
      return new NodeIdentity(
          nodeId,
          name,
          Optional.of(
              new FormedCluster(
                  clusterId,
                  replicationFactor,
                  partitions,
                  members.stream().map(Entry::member).toList())));
    }

    byte[] toBytes() throws IOException {
      String head =
          "# Who this node is. Written by Cairn; a changed or copied file is another node's.\n";
      return (head + YAML.writeValueAsString(this)).getBytes(StandardCharsets.UTF_8);
    }
  }

  @JsonPropertyOrder({
    "id",
    "name",
    "host",
    "clientPort",
    "clusterPort",
    "peerHost",
    "peerPort",
    "incarnation",
    "start"
  })
  record Entry(
      String id,
      String name,
      String host,
      int clientPort,
      int clusterPort,
      String peerHost,
      int peerPort,
      int incarnation,
      long start) {
    static Entry of(Member member) {
      return new Entry(
          member.id(),
          member.name(),
          member.host(),
          member.clientPort(),
          member.clusterPort(),
          member.peerHost(),
          member.peerPort(),
          member.incarnation(),
          member.start());
    }

    Member member() {
      checkId(id, "a member's id");
      return new Member(
          id, name, host, clientPort, clusterPort, peerHost, peerPort, incarnation, start);
    }
  }
}
