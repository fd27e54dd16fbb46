// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The bytes of one log entry of a partition. They outlive the process and cross between nodes.
 *
 * <pre>
 *   entry     ::= format:1 partitionTimeMillis:8 requestCount:4 request*
 *   request   ::= flags:1 clientId:16? sequence:8? operationCount:4 operation*
 *   flags     ::= bit 0: clientId and sequence follow; others 0
 *   operation ::= as in OperationCodec
 *   format    ::= 1
 * </pre>
 *
 * Numbers are big-endian. An unknown format, flag or opcode is refused: a replica that guessed
 * would differ from the others.
 */
final class EntryCodec {
  static final int FORMAT = 1;

  private static final int FLAG_CLIENT_ID = 1;

  private EntryCodec() {}

  /**
   * What an entry holds.
   *
   * @param partitionTimeMillis the leader's partition time when it proposed
   * @param requests in the order in which they are applied, each atomically
   */
  record Entry(long partitionTimeMillis, List<Request> requests) {}

  /**
   * Operations that are applied together.
   *
   * @param id by which the state machine recognises a retry; empty where the client gave none
   */
  record Request(Optional<RequestId> id, List<Operation> operations) {}

  /** A client's 128-bit id and the number of its request. */
  record RequestId(long clientHigh, long clientLow, long sequence) {}

  /**
   * One array of the right size, filled once: a value of 16 MiB must not be copied from buffer to
   * larger buffer.
   */
  static byte[] encode(Entry entry) {
    int size = 1 + Long.BYTES + Integer.BYTES;
    for (Request request : entry.requests()) {
      size += 1 + (request.id().isPresent() ? 3 * Long.BYTES : 0);
      size += (int) OperationCodec.sizeOf(request.operations());
    }
    ByteBuffer out = ByteBuffer.allocate(size);
    out.put((byte) FORMAT).putLong(entry.partitionTimeMillis()).putInt(entry.requests().size());
    for (Request request : entry.requests()) {
      out.put((byte) (request.id().isPresent() ? FLAG_CLIENT_ID : 0));
      if (request.id().isPresent()) {
        RequestId id = request.id().get();
        out.putLong(id.clientHigh()).putLong(id.clientLow()).putLong(id.sequence());
      }
      OperationCodec.writeOperations(out, request.operations());
    }
    return out.array();
  }

  /**
   * Reads an entry.
   *
   * @throws IOException when the bytes are none, or of a format, flag or opcode that this version
   *     does not know
   */
  static Entry decode(byte[] bytes) throws IOException {
    ByteBuffer in = ByteBuffer.wrap(bytes);
    try {
      int format = in.get();
      if (format != FORMAT) {
        throw new IOException(
            "log entry of format "
                + format
                + ", this version of Cairn reads "
                + FORMAT
                + "; start the version that wrote it");
      }
      long time = in.getLong();
      int count = OperationCodec.readCount(in);
      List<Request> requests = new ArrayList<>(count);
      for (int i = 0; i < count; i++) {
        int flags = in.get();
        if ((flags & ~FLAG_CLIENT_ID) != 0) {
          throw new IOException("log entry with unknown flags " + flags);
        }
        Optional<RequestId> id =
            flags == 0
                ? Optional.empty()
                : Optional.of(new RequestId(in.getLong(), in.getLong(), in.getLong()));
        requests.add(new Request(id, OperationCodec.readOperations(in)));
      }
      if (in.hasRemaining()) {
        throw new IOException("log entry with " + in.remaining() + " bytes too many");
      }
      return new Entry(time, requests);
    } catch (BufferUnderflowException e) {
      throw new IOException("log entry cut short at " + bytes.length + " bytes", e);
    }
  }
}
