// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import com.alipay.sofa.jraft.entity.EnumOutter.EntryType;
import com.alipay.sofa.jraft.entity.LogEntry;
import com.alipay.sofa.jraft.entity.codec.v2.LogEntryV2CodecFactory;
import com.alipay.sofa.jraft.entity.codec.v2.LogOutter.PBLogEntry;
import com.alipay.sofa.jraft.entity.codec.v2.V2Decoder;
import com.alipay.sofa.jraft.entity.codec.v2.V2Encoder;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * A log entry in JRaft's V2 encoding, byte for byte, written into the array in which it is stored
 * and read where it lies.
 *
 * <p>JRaft's own encoder and decoder make an array and a message on the way, for each entry on each
 * node, and for each look at an entry's term. They still do what is rare: entries that name voters,
 * or have a checksum of JRaft's.
 */
final class EntryBytes {
  private static final int HEADER_BYTES = LogEntryV2CodecFactory.HEADER_SIZE;
  private static final int TYPE = tag(PBLogEntry.TYPE_FIELD_NUMBER, WireFormat.WIRETYPE_VARINT);
  private static final int TERM = tag(PBLogEntry.TERM_FIELD_NUMBER, WireFormat.WIRETYPE_VARINT);
  private static final int INDEX = tag(PBLogEntry.INDEX_FIELD_NUMBER, WireFormat.WIRETYPE_VARINT);
  private static final int DATA =
      tag(PBLogEntry.DATA_FIELD_NUMBER, WireFormat.WIRETYPE_LENGTH_DELIMITED);

  private EntryBytes() {}

  private static int tag(int field, int type) {
    return field << 3 | type;
  }

  /**
   * Encodes an entry, of which nothing is changed.
   *
   * @param room bytes to leave free before it
   */
  static byte[] encode(LogEntry entry, int room) {
    if (!isPlain(entry)) {
      byte[] encoded = V2Encoder.INSTANCE.encode(entry);
      byte[] bytes = new byte[room + encoded.length];
      System.arraycopy(encoded, 0, bytes, room, encoded.length);
      return bytes;
    }
    ByteBuffer data = entry.getData() == null ? LogEntry.EMPTY_DATA : entry.getData();
    int type = entry.getType().getNumber();
    long term = entry.getId().getTerm();
    long index = entry.getId().getIndex();
    int size =
        CodedOutputStream.computeEnumSize(PBLogEntry.TYPE_FIELD_NUMBER, type)
            + CodedOutputStream.computeInt64Size(PBLogEntry.TERM_FIELD_NUMBER, term)
            + CodedOutputStream.computeInt64Size(PBLogEntry.INDEX_FIELD_NUMBER, index)
            + CodedOutputStream.computeUInt32Size(PBLogEntry.DATA_FIELD_NUMBER, data.remaining())
            + data.remaining();
    byte[] bytes = new byte[room + HEADER_BYTES + size];
    byte[] magic = LogEntryV2CodecFactory.MAGIC_BYTES;
    System.arraycopy(magic, 0, bytes, room, magic.length);
    bytes[room + magic.length] = LogEntryV2CodecFactory.VERSION;
    CodedOutputStream out = CodedOutputStream.newInstance(bytes, room + HEADER_BYTES, size);
    try {
      out.writeEnum(PBLogEntry.TYPE_FIELD_NUMBER, type);
      out.writeInt64(PBLogEntry.TERM_FIELD_NUMBER, term);
      out.writeInt64(PBLogEntry.INDEX_FIELD_NUMBER, index);
      out.writeTag(PBLogEntry.DATA_FIELD_NUMBER, WireFormat.WIRETYPE_LENGTH_DELIMITED);
      out.writeUInt32NoTag(data.remaining());
      out.write(data.duplicate());
    } catch (IOException e) {
      throw new IllegalStateException("an array took less than its size", e);
    }
    out.checkNoSpaceLeft();
    return bytes;
  }

  private static boolean isPlain(LogEntry entry) {
    return entry.getPeers() == null
        && entry.getOldPeers() == null
        && entry.getLearners() == null
        && entry.getOldLearners() == null
        && !entry.hasChecksum();
  }

  /**
   * Decodes an entry, whose data is a part of the array from then on.
   *
   * @param room bytes before it
   * @return null for what is no entry
   */
  static LogEntry decode(byte[] bytes, int room) {
    int start = room + HEADER_BYTES;
    if (bytes.length < start || !hasHeader(bytes, room)) {
      return null;
    }
    CodedInputStream in = CodedInputStream.newInstance(bytes, start, bytes.length - start);
    LogEntry entry = new LogEntry();
    boolean hasTerm = false;
    boolean hasIndex = false;
    boolean hasData = false;
    try {
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        if (tag == TYPE) {
          entry.setType(EntryType.forNumber(in.readEnum()));
        } else if (tag == TERM) {
          entry.getId().setTerm(in.readInt64());
          hasTerm = true;
        } else if (tag == INDEX) {
          entry.getId().setIndex(in.readInt64());
          hasIndex = true;
        } else if (tag == DATA) {
          int length = in.readRawVarint32();
          int at = start + in.getTotalBytesRead();
          in.skipRawBytes(length);
          if (length > 0) {
            entry.setData(ByteBuffer.wrap(bytes, at, length).slice());
          }
          hasData = true;
        } else {
          return V2Decoder.INSTANCE.decode(Arrays.copyOfRange(bytes, room, bytes.length));
        }
      }
    } catch (IOException e) {
      return null;
    }
    return entry.getType() != null && hasTerm && hasIndex && hasData ? entry : null;
  }

  /** As JRaft has it: the reserved bytes may be anything. */
  private static boolean hasHeader(byte[] bytes, int room) {
    byte[] magic = LogEntryV2CodecFactory.MAGIC_BYTES;
    return Arrays.equals(bytes, room, room + magic.length, magic, 0, magic.length)
        && bytes[room + magic.length] == LogEntryV2CodecFactory.VERSION;
  }
}
