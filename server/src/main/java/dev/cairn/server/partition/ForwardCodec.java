// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import dev.cairn.server.operation.ByteSource;
import dev.cairn.server.operation.EntryCodec;
import dev.cairn.server.operation.OperationCodec;
import dev.cairn.server.operation.Query;
import dev.cairn.server.operation.Request;
import dev.cairn.server.operation.Result;
import dev.cairn.server.operation.ResultCodec;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Batches on their way from the node that was asked to the node that leads, and back.
 *
 * <pre>
 *   write   ::= format:1 partition:4 timeoutMillis:4 count:4 request*
 *   read    ::= format:1 partition:4 timeoutMillis:4 count:4 (queryCount:4 query*)*
 *   reply   ::= format:1 (done | refused | unknown)
 *   done    ::= 1 index:8 term:8 ageMillis:8 count:4 results*
 *   refused ::= 2 reason:1 leaderLength:4 leader                              leader: node id, or empty
 *   reason  ::= 1 NOT_LEADER | 2 NOT_READY | 3 BUSY | 4 NO_ROOM
 *   unknown ::= 3 length:4 why
 *   format  ::= 1
 * </pre>
 *
 * Requests are written as in {@link EntryCodec}, queries as in {@link OperationCodec}, results as
 * in {@link ResultCodec}. Numbers are big-endian.
 */
public final class ForwardCodec {
  private static final int FORMAT = 1;
  private static final int DONE = 1;
  private static final int REFUSED = 2;
  private static final int UNKNOWN = 3;

  private ForwardCodec() {}

  /**
   * A forwarded batch.
   *
   * @param <R> {@link Request}, or a list of {@link Query}
   * @param timeoutMillis how long the sender waits
   */
  public record Forwarded<R>(int partition, int timeoutMillis, List<R> requests) {}

  private interface Writer {
    void write(DataOutputStream out) throws IOException;
  }

  private static byte[] bytes(Writer writer) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);
    try {
      DataOutputStream out = new DataOutputStream(bytes);
      out.writeByte(FORMAT);
      writer.write(out);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // a byte array does not fail
    }
    return bytes.toByteArray();
  }

  /** Writes a batch of writes. */
  public static byte[] encodeWrites(Forwarded<Request> forwarded) {
    long size = 0;
    for (Request request : forwarded.requests()) {
      size += EntryCodec.sizeOf(request);
    }
    ByteBuffer out = ByteBuffer.allocate(sizeWith(size));
    writeHead(out, forwarded);
    forwarded.requests().forEach(request -> EntryCodec.writeRequest(out, request));
    return out.array();
  }

  /** Writes a batch of reads. */
  public static byte[] encodeReads(Forwarded<List<Query>> forwarded) {
    long size = 0;
    for (List<Query> queries : forwarded.requests()) {
      size += OperationCodec.sizeOfQueries(queries);
    }
    ByteBuffer out = ByteBuffer.allocate(sizeWith(size));
    writeHead(out, forwarded);
    forwarded.requests().forEach(queries -> OperationCodec.writeQueries(out, queries));
    return out.array();
  }

  private static int sizeWith(long size) {
    return Math.toIntExact(1 + 3 * Integer.BYTES + size);
  }

  private static void writeHead(ByteBuffer out, Forwarded<?> forwarded) {
    out.put((byte) FORMAT).putInt(forwarded.partition()).putInt(forwarded.timeoutMillis());
    out.putInt(forwarded.requests().size());
  }

  /** Reads a batch of writes. */
  public static Forwarded<Request> decodeWrites(byte[] body) throws IOException {
    return decode(body, EntryCodec::readRequest);
  }

  /** Reads a batch of reads. */
  public static Forwarded<List<Query>> decodeReads(byte[] body) throws IOException {
    return decode(body, OperationCodec::readQueries);
  }

  private interface Reader<R> {
    R read(ByteBuffer in) throws IOException;
  }

  private static <R> Forwarded<R> decode(byte[] body, Reader<R> reader) throws IOException {
    ByteBuffer in = ByteBuffer.wrap(body);
    try {
      readFormat(in);
      int partition = in.getInt();
      int timeoutMillis = in.getInt();
      int count = ByteSource.readCount(in);
      List<R> requests = new ArrayList<>(count);
      for (int i = 0; i < count; i++) {
        requests.add(reader.read(in));
      }
      return new Forwarded<>(partition, timeoutMillis, requests);
    } catch (BufferUnderflowException e) {
      throw new IOException("forwarded batch cut short at " + body.length + " bytes", e);
    }
  }

  private static void readFormat(ByteBuffer in) throws IOException {
    int format = in.get();
    if (format != FORMAT) {
      throw new IOException("peer message of format " + format + ", this version reads " + FORMAT);
    }
  }

  /** Writes what became of a batch. */
  public static byte[] encodeReply(BatchReply reply) {
    return bytes(
        out -> {
          if (reply instanceof BatchReply.Done done) {
            out.writeByte(DONE);
            out.writeLong(done.index());
            out.writeLong(done.term());
            out.writeLong(done.ageMillis());
            out.writeInt(done.results().size());
            for (List<Result> results : done.results()) {
              ResultCodec.write(out, results);
            }
          } else if (reply instanceof BatchReply.Refused refused) {
            out.writeByte(REFUSED);
            out.writeByte(refused.reason().code());
            writeBytes(out, refused.leaderId().orElse("").getBytes(StandardCharsets.UTF_8));
          } else if (reply instanceof BatchReply.Unknown unknown) {
            out.writeByte(UNKNOWN);
            writeBytes(out, unknown.why().getBytes(StandardCharsets.UTF_8));
          }
        });
  }

  private static void writeBytes(DataOutputStream out, byte[] bytes) throws IOException {
    out.writeInt(bytes.length);
    out.write(bytes);
  }

  /** Reads what became of a batch. */
  public static BatchReply decodeReply(byte[] body) throws IOException {
    ByteBuffer in = ByteBuffer.wrap(body);
    try {
      readFormat(in);
      int kind = in.get();
      return switch (kind) {
        case DONE -> readDone(in);
        case REFUSED -> readRefused(in);
        case UNKNOWN ->
            new BatchReply.Unknown(new String(ByteSource.readBytes(in), StandardCharsets.UTF_8));
        default -> throw new IOException("unknown reply " + kind);
      };
    } catch (BufferUnderflowException e) {
      throw new IOException("reply cut short at " + body.length + " bytes", e);
    }
  }

  private static BatchReply readDone(ByteBuffer in) throws IOException {
    long index = in.getLong();
    long term = in.getLong();
    long ageMillis = in.getLong();
    int count = ByteSource.readCount(in);
    List<List<Result>> results = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      results.add(ResultCodec.decode(in));
    }
    return new BatchReply.Done(results, index, term, ageMillis);
  }

  private static BatchReply readRefused(ByteBuffer in) throws IOException {
    BatchReply.Reason reason = BatchReply.Reason.of(in.get());
    String leader = new String(ByteSource.readBytes(in), StandardCharsets.UTF_8);
    return new BatchReply.Refused(
        reason, leader.isEmpty() ? Optional.empty() : Optional.of(leader));
  }
}
