// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.cairn.protocol.RespValue;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;

/** The answer to {@code CAIRN STATUS}, as far as tests read it. */
@JsonIgnoreProperties(ignoreUnknown = true)
public record Status(
    String clusterId,
    long epoch,
    int replicationFactor,
    boolean healthy,
    List<Problem> problems,
    List<Node> nodes,
    List<Partition> partitionList) {
  private static final ObjectMapper JSON = new ObjectMapper();

  public Status {
    problems = problems == null ? List.of() : List.copyOf(problems);
    nodes = nodes == null ? List.of() : List.copyOf(nodes);
    partitionList = partitionList == null ? List.of() : List.copyOf(partitionList);
  }

  /** What is wrong: {@code state} is pending, set or clearing. */
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Problem(String name, String subject, String state, long ageMillis, String text) {}

  /** A member. */
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Node(
      String name,
      String id,
      boolean up,
      boolean heard,
      boolean reached,
      int leads,
      int replicas,
      int witnesses) {}

  /** A partition; {@code leader} and {@code witness} are null when there is none. */
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Partition(
      int index,
      int firstSlot,
      int lastSlot,
      String leader,
      long term,
      List<Replica> replicas,
      Replica witness,
      int canLose) {}

  /** A voter. */
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Replica(String node, boolean up, boolean counts) {}

  /** Asks a node. */
  static Status at(NodeProcess node) throws IOException {
    try (RespConnection connection = node.connect(Duration.ofSeconds(5))) {
      RespValue reply = connection.call("CAIRN", "STATUS");
      if (!(reply instanceof RespValue.Bulk document)) {
        throw new IOException("CAIRN STATUS answered " + RespConnection.text(reply));
      }
      return JSON.readValue(new String(document.bytes(), StandardCharsets.UTF_8), Status.class);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("the status is malformed", e);
    }
  }

  /** How many nodes, whichever they are, every partition can lose. */
  public int canLose() {
    return partitionList.stream().mapToInt(Partition::canLose).min().orElse(0);
  }

  /** Whether nothing is wrong now, though what was may be told still. */
  boolean isWell() {
    return problems.stream().allMatch(problem -> problem.state().equals("clearing"));
  }

  /** Whether a problem of that name is told, in any state. */
  public boolean has(String problem) {
    return problems.stream().anyMatch(one -> one.name().equals(problem));
  }

  /** The partition of a slot. */
  Partition partitionOfSlot(int slot) {
    return partitionList.stream()
        .filter(partition -> partition.firstSlot() <= slot && slot <= partition.lastSlot())
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("no partition has slot " + slot));
  }
}
