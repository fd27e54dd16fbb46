// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import java.io.DataOutputStream;
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
 *   operation ::= opcode:1 keyLength:4 key (PUT: valueLength:4 value)
 *   opcode    ::= 1 PUT | 2 DELETE
 *   format    ::= 1
 * </pre>
 *
 * Numbers are big-endian. An unknown format, flag or opcode is refused: a replica that guessed
 * would differ from the others.
 */
final class EntryCodec {
  static final int FORMAT = 1;

  private static final int PUT = 1;
  private static final int DELETE = 2;
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
      size += 1 + (request.id().isPresent() ? 3 * Long.BYTES : 0) + sizeOf(request.operations());
    }
    ByteBuffer out = ByteBuffer.allocate(size);
    out.put((byte) FORMAT).putLong(entry.partitionTimeMillis()).putInt(entry.requests().size());
    for (Request request : entry.requests()) {
      out.put((byte) (request.id().isPresent() ? FLAG_CLIENT_ID : 0));
      if (request.id().isPresent()) {
        RequestId id = request.id().get();
        out.putLong(id.clientHigh()).putLong(id.clientLow()).putLong(id.sequence());
      }
      writeOperations(out, request.operations());
    }
    return out.array();
  }

  /** How many bytes {@link #writeOperations} writes. */
  static int sizeOf(List<Operation> operations) {
    int size = Integer.BYTES;
    for (Operation operation : operations) {
      size += 1 + Integer.BYTES + operation.key().length;
      if (operation instanceof Operation.Put put) {
        size += Integer.BYTES + put.value().length;
      }
    }
    return size;
  }

  static void writeOperations(ByteBuffer out, List<Operation> operations) {
    out.putInt(operations.size());
    for (Operation operation : operations) {
      if (operation instanceof Operation.Put put) {
        writeBytes(out.put((byte) PUT), put.key());
        writeBytes(out, put.value());
      } else {
        writeBytes(out.put((byte) DELETE), operation.key());
      }
    }
  }

  private static void writeBytes(ByteBuffer out, byte[] bytes) {
    out.putInt(bytes.length).put(bytes);
  }

  static void writeBytes(DataOutputStream out, byte[] bytes) throws IOException {
    out.writeInt(bytes.length);
    out.write(bytes);
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
      int count = readCount(in);
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
        requests.add(new Request(id, readOperations(in)));
      }
      if (in.hasRemaining()) {
        throw new IOException("log entry with " + in.remaining() + " bytes too many");
      }
      return new Entry(time, requests);
    } catch (BufferUnderflowException e) {
      throw new IOException("log entry cut short at " + bytes.length + " bytes", e);
    }
  }

  static List<Operation> readOperations(ByteBuffer in) throws IOException {
    int count = readCount(in);
    List<Operation> operations = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      int opcode = in.get();
      byte[] key = readBytes(in);
      operations.add(
          switch (opcode) {
            case PUT -> new Operation.Put(key, readBytes(in));
            case DELETE -> new Operation.Delete(key);
            default -> throw new IOException("log entry with unknown opcode " + opcode);
          });
    }
    return operations;
  }

  /**
   * A count of things of at least one byte each, so that what is allocated for them is bounded by
   * what is there.
   */
  static int readCount(ByteBuffer in) throws IOException {
    int count = in.getInt();
    if (count < 0 || count > in.remaining()) {
      throw new IOException("a count of " + count + " with " + in.remaining() + " bytes left");
    }
    return count;
  }

  static byte[] readBytes(ByteBuffer in) throws IOException {
    byte[] bytes = new byte[readCount(in)];
    in.get(bytes);
    return bytes;
  }
}
