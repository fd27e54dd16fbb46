// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.List;

/**
 * The answer to {@code CAIRN STATUS} (docs/reference/formats.md has the grammar). Fields that a
 * later version adds are ignored, lists that an earlier one lacks are empty, and so are {@code
 * notProtected} and {@code certificateDays} null.
 */
@JsonIgnoreProperties(ignoreUnknown = true)
record StatusDocument(
    String clusterId,
    long epoch,
    int replicationFactor,
    int partitions,
    boolean healthy,
    List<Problem> problems,
    String answeredBy,
    List<Node> nodes,
    List<Partition> partitionList,
    String notProtected,
    Long certificateDays) {
  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .disable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .build();

  StatusDocument {
    problems = problems == null ? List.of() : List.copyOf(problems);
    nodes = nodes == null ? List.of() : List.copyOf(nodes);
    partitionList = partitionList == null ? List.of() : List.copyOf(partitionList);
  }

  /**
   * What is wrong; {@code state}: pending for its first five seconds, then set, and clearing for
   * the five after its end.
   */
  record Problem(String name, String state, long ageMillis, String text) {}

  /**
   * A member; up when it is heard and reached. {@code heardMillisAgo} is null when it was never
   * heard.
   */
  record Node(
      String name,
      String id,
      boolean up,
      boolean heard,
      boolean reached,
      Long heardMillisAgo,
      int leads,
      int replicas,
      int witnesses,
      String version) {}

  /** A partition; {@code canLose}: how many of its voters may still fail. */
  record Partition(
      int index,
      int firstSlot,
      int lastSlot,
      String leader,
      long term,
      List<Replica> replicas,
      Witness witness,
      int canLose) {
    Partition {
      replicas = replicas == null ? List.of() : List.copyOf(replicas);
    }
  }

  /**
   * A full copy; {@code counts}: it is up and lacks nothing old; {@code lag} in log entries behind
   * the leader, null when not known.
   */
  record Replica(String node, boolean up, boolean counts, Long lag) {}

  /** The voter without data. */
  record Witness(String node, boolean up, boolean counts) {}

  static StatusDocument parse(String json) {
    try {
      return JSON.readValue(json, StatusDocument.class);
    } catch (JsonProcessingException malformed) {
      throw new IllegalStateException(
          "the node's status cannot be read (is it of another version?): "
              + malformed.getOriginalMessage(),
          malformed);
    }
  }
}
