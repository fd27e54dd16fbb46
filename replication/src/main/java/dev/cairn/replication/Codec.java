// SPDX-License-Identifier: Apache-2.0
package dev.cairn.replication;

import dev.cairn.consensus.Configuration;
import dev.cairn.consensus.Member;
import dev.cairn.consensus.Peer;
import dev.cairn.consensus.Role;
import dev.cairn.consensus.SnapshotReference;
import dev.cairn.log.LogException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInput;
import java.io.DataInputStream;
import java.io.DataOutput;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

/**
 * The bytes of what consensus keeps in a log beside entries' data: whom a replica voted for, who it
 * is, and who belongs to its group. Numbers are big-endian.
 *
 * <pre>
 *   vote, marker    version:1 peer                        a vote of no bytes is for nobody
 *   configuration   version:1 epoch:8 members members peers
 *                                                         voters, outgoing voters, learners
 *   members         count:2 (role:1 peer)*                role 1 replica, 2 witness
 *   reference       version:1 index:8 term:8 configurationIndex:8 configuration without version
 *   peers           count:2 peer*
 *   peer            incarnation:8 length:2 node           UTF-8, as java.io.DataOutput has it
 * </pre>
 *
 * The version is 1. A reader skips what follows the fields that it knows.
 */
public final class Codec {
  private static final int VERSION = 1;
  static final byte REPLICA = 1;
  static final byte WITNESS = 2;

  /** Puts a value behind others. */
  private interface Writer {
    void write(DataOutput out) throws IOException;
  }

  /** Takes a value. */
  private interface Reader<T> {
    T read(DataInput in) throws IOException;
  }

  private Codec() {}

  /** The bytes of a vote or a marker. */
  public static byte[] bytesOf(Peer peer) {
    return bytes(out -> write(peer, out));
  }

  /** Reads what {@link #bytesOf(Peer)} wrote. */
  public static Peer peer(byte[] bytes) {
    return value(bytes, Codec::readPeer);
  }

  /** The bytes of a configuration. */
  public static byte[] bytesOf(Configuration configuration) {
    return bytes(out -> write(configuration, out));
  }

  /** Reads what {@link #bytesOf(Configuration)} wrote. */
  public static Configuration configuration(byte[] bytes) {
    return value(bytes, Codec::readConfiguration);
  }

  /** The bytes of what names a state. */
  public static byte[] bytesOf(SnapshotReference reference) {
    return bytes(
        out -> {
          out.writeLong(reference.index());
          out.writeLong(reference.term());
          out.writeLong(reference.configurationIndex());
          write(reference.configuration(), out);
        });
  }

  /** Reads what {@link #bytesOf(SnapshotReference)} wrote. */
  public static SnapshotReference reference(byte[] bytes) {
    return value(
        bytes,
        in -> {
          long index = in.readLong();
          long term = in.readLong();
          long configurationIndex = in.readLong();
          return new SnapshotReference(index, term, readConfiguration(in), configurationIndex);
        });
  }

  private static byte[] bytes(Writer writer) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    try {
      out.writeByte(VERSION);
      writer.write(out);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  private static <T> T value(byte[] bytes, Reader<T> reader) {
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes));
    try {
      int version = in.readUnsignedByte();
      if (version != VERSION) {
        throw new LogException(
            LogException.Kind.FOREIGN,
            "a record of the log has version "
                + version
                + "; this release reads version "
                + VERSION
                + ". Start the release that wrote it, or a newer one.");
      }
      return reader.read(in);
    } catch (IOException e) {
      throw new LogException(LogException.Kind.DAMAGED, "a record of the log cannot be read", e);
    }
  }

  // ---- Parts that others have in theirs ----

  static void write(Peer peer, DataOutput out) throws IOException {
    out.writeLong(peer.incarnation());
    out.writeUTF(peer.node());
  }

  static Peer readPeer(DataInput in) throws IOException {
    long incarnation = in.readLong();
    return new Peer(in.readUTF(), incarnation);
  }

  static void write(Member member, DataOutput out) throws IOException {
    out.writeByte(member.role() == Role.WITNESS ? WITNESS : REPLICA);
    write(member.peer(), out);
  }

  static Member readMember(DataInput in) throws IOException {
    byte role = in.readByte();
    if (role != REPLICA && role != WITNESS) {
      throw new IOException("there is no role " + role);
    }
    return new Member(readPeer(in), role == WITNESS ? Role.WITNESS : Role.REPLICA);
  }

  static void write(Configuration configuration, DataOutput out) throws IOException {
    out.writeLong(configuration.epoch());
    writeMembers(configuration.voters(), out);
    writeMembers(configuration.outgoing(), out);
    out.writeShort(configuration.learners().size());
    for (Peer learner : configuration.learners()) {
      write(learner, out);
    }
  }

  static Configuration readConfiguration(DataInput in) throws IOException {
    long epoch = in.readLong();
    List<Member> voters = readMembers(in);
    List<Member> outgoing = readMembers(in);
    List<Peer> learners = new ArrayList<>();
    for (int left = in.readUnsignedShort(); left > 0; left--) {
      learners.add(readPeer(in));
    }
    return new Configuration(epoch, voters, outgoing, learners);
  }

  private static void writeMembers(List<Member> members, DataOutput out) throws IOException {
    out.writeShort(members.size());
    for (Member member : members) {
      write(member, out);
    }
  }

  private static List<Member> readMembers(DataInput in) throws IOException {
    List<Member> members = new ArrayList<>();
    for (int left = in.readUnsignedShort(); left > 0; left--) {
      members.add(readMember(in));
    }
    return members;
  }
}
