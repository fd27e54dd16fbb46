// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.operation;

import dev.cairn.state.RequestId;
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
 *   request   ::= flags:1 (clientId:16 sequence:8 issuedAtMillis:8)? operationCount:4 operation*
 *   flags     ::= bit 0: an id follows; others 0
 *   operation ::= as in OperationCodec
 *   format    ::= 1
 * </pre>
 *
 * Numbers are big-endian. An unknown format, flag or opcode is refused: a replica that guessed
 * would differ from the others.
 */
public final class EntryCodec {
  static final int FORMAT = 1;

  private static final int FLAG_ID = 1;
  private static final int ID_BYTES = 4 * Long.BYTES;

  private EntryCodec() {}

  /**
   * What an entry holds.
   *
   * @param partitionTimeMillis the leader's partition time when it proposed
   * @param requests in the order in which they are applied, each atomically
   */
  public record Entry(long partitionTimeMillis, List<Request> requests) {}

  /**
   * One array of the right size, filled once: a value of 16 MiB must not be copied from buffer to
   * larger buffer.
   */
  public static byte[] encode(Entry entry) {
    int size = 1 + Long.BYTES + Integer.BYTES;
    for (Request request : entry.requests()) {
      size += sizeOf(request);
    }
    ByteBuffer out = ByteBuffer.allocate(size);
    out.put((byte) FORMAT).putLong(entry.partitionTimeMillis()).putInt(entry.requests().size());
    entry.requests().forEach(request -> writeRequest(out, request));
    return out.array();
  }

  /** How many bytes {@link #writeRequest} writes. */
  public static int sizeOf(Request request) {
    return 1
        + (request.id().isPresent() ? ID_BYTES : 0)
        + (int) OperationCodec.sizeOf(request.operations());
  }

  public static void writeRequest(ByteBuffer out, Request request) {
    out.put((byte) (request.id().isPresent() ? FLAG_ID : 0));
    request.id().ifPresent(id -> writeId(out, id).putLong(id.issuedAtMillis()));
    OperationCodec.writeOperations(out, request.operations());
  }

  /** What tells one request from all others: when it was issued does not. */
  static ByteBuffer writeId(ByteBuffer out, RequestId id) {
    return out.putLong(id.clientHigh()).putLong(id.clientLow()).putLong(id.sequence());
  }

  /**
   * Reads an entry.
   *
   * @throws IOException when the bytes are none, or of a format, flag or opcode that this version
   *     does not know
   */
  public static Entry decode(byte[] bytes) throws IOException {
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
      int count = ByteSource.readCount(in);
      List<Request> requests = new ArrayList<>(count);
      for (int i = 0; i < count; i++) {
        requests.add(readRequest(in));
      }
      if (in.hasRemaining()) {
        throw new IOException("log entry with " + in.remaining() + " bytes too many");
      }
      return new Entry(time, requests);
    } catch (BufferUnderflowException e) {
      throw new IOException("log entry cut short at " + bytes.length + " bytes", e);
    }
  }

  public static Request readRequest(ByteBuffer in) throws IOException {
    int flags = in.get();
    if ((flags & ~FLAG_ID) != 0) {
      throw new IOException("request with unknown flags " + flags);
    }
    Optional<RequestId> id =
        flags == 0
            ? Optional.empty()
            : Optional.of(new RequestId(in.getLong(), in.getLong(), in.getLong(), in.getLong()));
    return new Request(id, OperationCodec.readOperations(in));
  }
}
