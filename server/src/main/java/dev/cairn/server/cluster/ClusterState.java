// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.cluster;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * All that the cluster knows of itself: settings fixed at creation, members, placement. Immutable;
 * a change is a whole new document with the next epoch, logged in the meta group (see {@link
 * MetaGroup}).
 *
 * <p>JSON, since it changes a few times a day and is read by people too. {@code
 * docs/reference/formats.md} has the grammar.
 *
 * @param format the version of this document's grammar, {@link #FORMAT}
 * @param clusterId 40 hex digits
 * @param epoch the document's number: 0 before the first one was logged, then one more for each
 *     change
 * @param replicationFactor full copies of each partition, as asked for at creation
 * @param partitionCount partitions, as fixed at creation
 * @param members all nodes, in the order of the names with which they founded the cluster; the
 *     first vote in the meta group
 * @param partitions all placements, by index; empty at epoch 0
 */
public record ClusterState(
    int format,
    String clusterId,
    long epoch,
    int replicationFactor,
    int partitionCount,
    List<Member> members,
    List<Placement> partitions) {
  /** The version of the grammar that this code reads and writes. */
  public static final int FORMAT = 2;

  /** The most members of the meta group that vote; further nodes follow it. */
  static final int META_VOTERS_MAX = 5;

  private static final ObjectMapper JSON =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

  public ClusterState {
    members = List.copyOf(members);
    partitions = List.copyOf(partitions);
  }

  /** The state of a cluster that has just formed: members, and no placement yet. */
  public static ClusterState founded(
      String clusterId, int replicationFactor, int partitionCount, List<Member> members) {
    return new ClusterState(
        FORMAT, clusterId, 0, replicationFactor, partitionCount, members, List.of());
  }

  /** The same cluster with its first placement, computed on the ring. */
  ClusterState withFirstPlacement() {
    Map<String, String> idOfName = new HashMap<>();
    members.forEach(member -> idOfName.put(member.name(), member.id()));
    List<ReplicaSet> sets =
        Ring.place(members.stream().map(Member::name).toList(), partitionCount, replicationFactor);
    List<Placement> placements = new ArrayList<>();
    for (int index = 0; index < partitionCount; index++) {
      ReplicaSet set = sets.get(index);
      placements.add(
          new Placement(
              index,
              Ring.firstSlot(index, partitionCount),
              Ring.firstSlot(index + 1, partitionCount) - 1,
              set.replicas().stream()
                  .map(name -> new Replica(idOfName.get(name), 1, false))
                  .toList(),
              set.witness().map(name -> new Replica(idOfName.get(name), 1, false)).orElse(null)));
    }
    return next(members, placements);
  }

  ClusterState next(List<Member> newMembers, List<Placement> newPartitions) {
    return new ClusterState(
        format, clusterId, epoch + 1, replicationFactor, partitionCount, newMembers, newPartitions);
  }

  /** The member with this id, if there is one. */
  public Optional<Member> member(String nodeId) {
    return members.stream().filter(member -> member.id().equals(nodeId)).findFirst();
  }

  /** Members that vote in the meta group. */
  @JsonIgnore
  public List<Member> metaVoters() {
    return members.subList(0, Math.min(META_VOTERS_MAX, members.size()));
  }

  /** Members that follow the meta group without a vote. */
  @JsonIgnore
  public List<Member> metaLearners() {
    return members.subList(metaVoters().size(), members.size());
  }

  /** In one line: epoch, names of the nodes, how many partitions. */
  public String summary() {
    return "epoch %d: nodes %s, %d partitions"
        .formatted(
            epoch,
            members.stream().map(Member::name).collect(Collectors.joining(",")),
            partitions.size());
  }

  /** The name of the Raft group of a partition. */
  public String groupOf(int partition) {
    return "cairn-" + clusterId + "-p" + partition;
  }

  /** The name of the meta group. */
  @JsonIgnore
  public String metaGroup() {
    return metaGroup(clusterId);
  }

  static String metaGroup(String clusterId) {
    return "cairn-" + clusterId + "-meta";
  }

  /** The document as JSON, UTF-8. */
  public byte[] encode() {
    try {
      return JSON.writeValueAsBytes(this);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Reads a document.
   *
   * @throws IOException when it is none, or of a format that this version does not know
   */
  public static ClusterState decode(byte[] bytes) throws IOException {
    JsonNode tree = JSON.readTree(bytes);
    int format = tree.path("format").asInt(-1);
    if (format != FORMAT) {
      throw new IOException(
          "cluster state has format "
              + format
              + " and this version of Cairn reads "
              + FORMAT
              + "; start the version that wrote it");
    }
    return JSON.treeToValue(tree, ClusterState.class);
  }
}
