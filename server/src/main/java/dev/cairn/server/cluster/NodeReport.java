// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.cluster;

import dev.cairn.server.metrics.CommandMetrics;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What a node says of itself, twice a second, whenever it begins to lead or ceases to, and when it
 * has taken on a new state of the cluster.
 *
 * <pre>
 *   report    ::= format:1 clusterId:utf nodeId:utf version:utf epoch:8 rights:8 protection wallMillis:8 flags:1
 *                 host:utf clientPort:2 clusterPort:2 freeBytes:8 freeBytesMin:8 figures
 *                 count:2 reached:utf* count:4 partition*
 *   figures   ::= upMillis:8 diskBytes:8 heapUsedBytes:8 heapMaxBytes:8 residentBytes:8
 *                 reads:8 writes:8 failed:8 count:1 (micros:8 count:8)*
 *   flags     ::= bit 0: the node is stopping; others 0
 *   partition ::= index:4 incarnation:4 status:1 term:8 appliedIndex:8 durableIndex:8 lastLogIndex:8 logBytes:8
 *                 votersChange:1
 *   status    ::= 1 CREATED | 2 FOLLOWS | 3 LEADS | 4 FAILED | 5 LOST | 6 DAMAGED
 * </pre>
 *
 * @param clusterId the cluster it belongs to
 * @param nodeId its id
 * @param version its version of Cairn
 * @param known what it has taken on of the cluster's own state, and whom it lets in
 * @param wallMillis its wall clock, milliseconds since 1970
 * @param stopping whether it is giving away what it leads, and wants nothing back
 * @param announced where clients are told to find it
 * @param room how much room its disk has
 * @param figures what it uses, and what it has answered
 * @param reaches the ids of the other nodes that answered it lately ({@link Reach})
 * @param partitions one for each replica or witness that it holds
 */
public record NodeReport(
    String clusterId,
    String nodeId,
    String version,
    Known known,
    long wallMillis,
    boolean stopping,
    Announced announced,
    Room room,
    Figures figures,
    Set<String> reaches,
    List<PartitionReport> partitions) {
  private static final int FORMAT = 8;
  private static final int BUCKETS_MAX = 64;
  private static final int PARTITIONS_MAX = 16384;
  private static final int FLAG_STOPPING = 1;

  public NodeReport {
    reaches = Set.copyOf(reaches);
    partitions = List.copyOf(partitions);
  }

  /**
   * What a node has taken on of the cluster's own state, and whom it lets in.
   *
   * @param epoch the placement by which the report was made, or an earlier one: what it says of
   *     partitions says nothing of those that were placed anew since
   * @param rightsVersion the rights that the node acts on
   * @param protection how it is protected from those who reach it
   */
  public record Known(long epoch, long rightsVersion, NodeProtection protection) {}

  /** The placement by which it was made, or an earlier one. */
  public long epoch() {
    return known.epoch();
  }

  /** The rights that the node acts on. */
  public long rightsVersion() {
    return known.rightsVersion();
  }

  /**
   * The room on a node's disk.
   *
   * @param freeBytes what it can still write
   * @param freeBytesMin below this it takes no writes that need more
   */
  public record Room(long freeBytes, long freeBytesMin) {
    /** Of a disk that has enough, for all that is known. */
    public static final Room ENOUGH = new Room(Long.MAX_VALUE, 0);

    /** Whether it is too little. */
    public boolean low() {
      return freeBytes < freeBytesMin;
    }
  }

  /**
   * What a node uses, and what it has answered since it started.
   *
   * @param upMillis since when it runs; also the clock of what it counts
   * @param diskBytes the size of the disk of its data folder
   * @param heapUsedBytes of the JVM's heap
   * @param heapMaxBytes what the heap may grow to
   * @param residentBytes of the whole process in memory; 0 where the system does not say
   * @param answered what clients asked it
   */
  public record Figures(
      long upMillis,
      long diskBytes,
      long heapUsedBytes,
      long heapMaxBytes,
      long residentBytes,
      CommandMetrics.Totals answered) {
    /** Of a node of which nothing is known. */
    public static final Figures NONE = new Figures(0, 0, 0, 0, 0, CommandMetrics.Totals.NONE);

    private void write(DataOutputStream out) throws IOException {
      out.writeLong(upMillis);
      out.writeLong(diskBytes);
      out.writeLong(heapUsedBytes);
      out.writeLong(heapMaxBytes);
      out.writeLong(residentBytes);
      out.writeLong(answered.reads());
      out.writeLong(answered.writes());
      out.writeLong(answered.failed());
      out.writeByte(answered.within().size());
      for (CommandMetrics.Bucket bucket : answered.within()) {
        out.writeLong(bucket.micros());
        out.writeLong(bucket.count());
      }
    }

    private static Figures read(DataInputStream in) throws IOException {
      long upMillis = in.readLong();
      long diskBytes = in.readLong();
      long heapUsedBytes = in.readLong();
      long heapMaxBytes = in.readLong();
      long residentBytes = in.readLong();
      long reads = in.readLong();
      long writes = in.readLong();
      long failed = in.readLong();
      int count = in.readUnsignedByte();
      if (count > BUCKETS_MAX) {
        throw new IOException("node report with " + count + " buckets of durations");
      }
      List<CommandMetrics.Bucket> within = new ArrayList<>(count);
      for (int i = 0; i < count; i++) {
        within.add(new CommandMetrics.Bucket(in.readLong(), in.readLong()));
      }
      return new Figures(
          upMillis,
          diskBytes,
          heapUsedBytes,
          heapMaxBytes,
          residentBytes,
          new CommandMetrics.Totals(reads, writes, failed, within));
    }
  }

  /** What a replica does just now. */
  public enum Status {
    /** Its marker is on disk; the group is not open. */
    CREATED(1),
    /** Open and following, or looking for a leader. */
    FOLLOWS(2),
    /** Open and leading. A witness that leads accepts no writes, and reports that it follows. */
    LEADS(3),
    /** Stopped after a local fault. */
    FAILED(4),
    /**
     * Not opened: the disk does not hold the marker of the incarnation that the cluster expects.
     */
    LOST(5),
    /** Stopped: its data on disk is not what was written. It is rebuilt from another replica. */
    DAMAGED(6);

    private final int code;

    Status(int code) {
      this.code = code;
    }

    private static Status of(int code) throws IOException {
      for (Status status : values()) {
        if (status.code == code) {
          return status;
        }
      }
      throw new IOException("node report with status " + code);
    }
  }

  /**
   * A replica's or witness' state.
   *
   * @param index the partition
   * @param incarnation the marker that the node's log holds, 0 for none
   * @param term its term
   * @param appliedIndex applied, in memory
   * @param durableIndex applied and flushed; the log up to here is not needed by this replica
   * @param lastLogIndex the last index of its log on disk
   * @param logBytes about how many bytes its log takes
   * @param votersChange as the leader: those who vote are not, or not for certain, those of the
   *     placement yet
   */
  public record PartitionReport(
      int index,
      int incarnation,
      Status status,
      long term,
      long appliedIndex,
      long durableIndex,
      long lastLogIndex,
      long logBytes,
      boolean votersChange) {}

  /** What the report says of a partition. */
  public Optional<PartitionReport> partition(int index) {
    return partitions.stream().filter(partition -> partition.index() == index).findFirst();
  }

  byte[] encode() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(512 + 56 * partitions.size());
    DataOutputStream out = new DataOutputStream(bytes);
    try {
      out.writeByte(FORMAT);
      out.writeUTF(clusterId);
      out.writeUTF(nodeId);
      out.writeUTF(version);
      out.writeLong(known.epoch());
      out.writeLong(known.rightsVersion());
      known.protection().write(out);
      out.writeLong(wallMillis);
      out.writeByte(stopping ? FLAG_STOPPING : 0);
      out.writeUTF(announced.host());
      out.writeShort(announced.clientPort());
      out.writeShort(announced.clusterPort());
      out.writeLong(room.freeBytes());
      out.writeLong(room.freeBytesMin());
      figures.write(out);
      out.writeShort(reaches.size());
      for (String reached : reaches) {
        out.writeUTF(reached);
      }
      out.writeInt(partitions.size());
      for (PartitionReport partition : partitions) {
        out.writeInt(partition.index());
        out.writeInt(partition.incarnation());
        out.writeByte(partition.status().code);
        out.writeLong(partition.term());
        out.writeLong(partition.appliedIndex());
        out.writeLong(partition.durableIndex());
        out.writeLong(partition.lastLogIndex());
        out.writeLong(partition.logBytes());
        out.writeBoolean(partition.votersChange());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e); // a byte array does not fail
    }
    return bytes.toByteArray();
  }

  static NodeReport decode(byte[] bytes) throws IOException {
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes));
    int format = in.readUnsignedByte();
    if (format != FORMAT) {
      throw new IOException("node report of format " + format + ", this version reads " + FORMAT);
    }
    String clusterId = in.readUTF();
    String nodeId = in.readUTF();
    String version = in.readUTF();
    Known known = new Known(in.readLong(), in.readLong(), NodeProtection.read(in));
    long wallMillis = in.readLong();
    int flags = in.readUnsignedByte();
    if ((flags & ~FLAG_STOPPING) != 0) {
      throw new IOException("node report with unknown flags " + flags);
    }
    Announced announced =
        new Announced(in.readUTF(), in.readUnsignedShort(), in.readUnsignedShort());
    Room room = new Room(in.readLong(), in.readLong());
    Figures figures = Figures.read(in);
    int reached = in.readUnsignedShort();
    Set<String> reaches = new HashSet<>();
    for (int i = 0; i < reached; i++) {
      reaches.add(in.readUTF());
    }
    int count = in.readInt();
    if (count < 0 || count > PARTITIONS_MAX) {
      throw new IOException("node report with " + count + " partitions");
    }
    List<PartitionReport> partitions = new ArrayList<>(Math.min(count, 64));
    for (int i = 0; i < count; i++) {
      partitions.add(
          new PartitionReport(
              in.readInt(),
              in.readInt(),
              Status.of(in.readUnsignedByte()),
              in.readLong(),
              in.readLong(),
              in.readLong(),
              in.readLong(),
              in.readLong(),
              in.readBoolean()));
    }
    return new NodeReport(
        clusterId,
        nodeId,
        version,
        known,
        wallMillis,
        flags != 0,
        announced,
        room,
        figures,
        reaches,
        partitions);
  }
}
