// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

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
 *   write   ::= format:1 partition:4 timeoutMillis:4 count:4 (operationCount:4 operation*)*
 *   read    ::= format:1 partition:4 timeoutMillis:4 count:4 (queryCount:4 query*)*
 *   query   ::= 1 keyLength:4 key | 2 keyLength:4 key | 3                     GET | EXISTS | COUNT
 *   reply   ::= format:1 (done | refused | unknown)
 *   done    ::= 1 index:8 term:8 count:4 (resultCount:4 result*)*
 *   result  ::= 1 | 2 | 3 value:8 | 4 length:4 bytes                          OK | NIL | INT | BYTES
 *   refused ::= 2 reason:1 leaderLength:4 leader                              leader: node id, or empty
 *   reason  ::= 1 NOT_LEADER | 2 NOT_READY | 3 BUSY
 *   unknown ::= 3 length:4 why
 *   format  ::= 1
 * </pre>
 *
 * Operations are written as in {@link EntryCodec}. Numbers are big-endian.
 */
public final class ForwardCodec {
  private static final int FORMAT = 1;
  private static final int GET = 1;
  private static final int EXISTS = 2;
  private static final int COUNT = 3;
  private static final int OK = 1;
  private static final int NIL = 2;
  private static final int INT = 3;
  private static final int BYTES = 4;
  private static final int DONE = 1;
  private static final int REFUSED = 2;
  private static final int UNKNOWN = 3;

  private ForwardCodec() {}

  /**
   * A forwarded batch.
   *
   * @param <T> {@link Operation} or {@link Query}
   * @param timeoutMillis how long the sender waits
   */
  public record Forwarded<T>(int partition, int timeoutMillis, List<List<T>> requests) {}

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
  public static byte[] encodeWrites(Forwarded<Operation> forwarded) {
    int size = 1 + 3 * Integer.BYTES;
    for (List<Operation> operations : forwarded.requests()) {
      size += EntryCodec.sizeOf(operations);
    }
    ByteBuffer out = ByteBuffer.allocate(size);
    out.put((byte) FORMAT).putInt(forwarded.partition()).putInt(forwarded.timeoutMillis());
    out.putInt(forwarded.requests().size());
    forwarded.requests().forEach(operations -> EntryCodec.writeOperations(out, operations));
    return out.array();
  }

  /** Writes a batch of reads. */
  public static byte[] encodeReads(Forwarded<Query> forwarded) {
    return bytes(
        out -> {
          writeHead(out, forwarded);
          for (List<Query> queries : forwarded.requests()) {
            out.writeInt(queries.size());
            for (Query query : queries) {
              if (query instanceof Query.Get get) {
                out.writeByte(GET);
                EntryCodec.writeBytes(out, get.key());
              } else if (query instanceof Query.Exists exists) {
                out.writeByte(EXISTS);
                EntryCodec.writeBytes(out, exists.key());
              } else {
                out.writeByte(COUNT);
              }
            }
          }
        });
  }

  private static void writeHead(DataOutputStream out, Forwarded<?> forwarded) throws IOException {
    out.writeInt(forwarded.partition());
    out.writeInt(forwarded.timeoutMillis());
    out.writeInt(forwarded.requests().size());
  }

  /** Reads a batch of writes. */
  public static Forwarded<Operation> decodeWrites(byte[] body) throws IOException {
    return decode(body, EntryCodec::readOperations);
  }

  /** Reads a batch of reads. */
  public static Forwarded<Query> decodeReads(byte[] body) throws IOException {
    return decode(body, ForwardCodec::readQueries);
  }

  private interface Reader<T> {
    T read(ByteBuffer in) throws IOException;
  }

  private static <T> Forwarded<T> decode(byte[] body, Reader<List<T>> reader) throws IOException {
    ByteBuffer in = ByteBuffer.wrap(body);
    try {
      readFormat(in);
      int partition = in.getInt();
      int timeoutMillis = in.getInt();
      int count = EntryCodec.readCount(in);
      List<List<T>> requests = new ArrayList<>(count);
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

  private static List<Query> readQueries(ByteBuffer in) throws IOException {
    int count = EntryCodec.readCount(in);
    List<Query> queries = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      int opcode = in.get();
      queries.add(
          switch (opcode) {
            case GET -> new Query.Get(EntryCodec.readBytes(in));
            case EXISTS -> new Query.Exists(EntryCodec.readBytes(in));
            case COUNT -> new Query.Count();
            default -> throw new IOException("unknown query " + opcode);
          });
    }
    return queries;
  }

  /** Writes what became of a batch. */
  public static byte[] encodeReply(BatchReply reply) {
    return bytes(
        out -> {
          if (reply instanceof BatchReply.Done done) {
            out.writeByte(DONE);
            out.writeLong(done.index());
            out.writeLong(done.term());
            out.writeInt(done.results().size());
            for (List<Result> results : done.results()) {
              out.writeInt(results.size());
              for (Result result : results) {
                writeResult(out, result);
              }
            }
          } else if (reply instanceof BatchReply.Refused refused) {
            out.writeByte(REFUSED);
            out.writeByte(refused.reason().code());
            EntryCodec.writeBytes(
                out, refused.leaderId().orElse("").getBytes(StandardCharsets.UTF_8));
          } else if (reply instanceof BatchReply.Unknown unknown) {
            out.writeByte(UNKNOWN);
            EntryCodec.writeBytes(out, unknown.why().getBytes(StandardCharsets.UTF_8));
          }
        });
  }

  private static void writeResult(DataOutputStream out, Result result) throws IOException {
    if (result instanceof Result.Ok) {
      out.writeByte(OK);
    } else if (result instanceof Result.Nil) {
      out.writeByte(NIL);
    } else if (result instanceof Result.Int number) {
      out.writeByte(INT);
      out.writeLong(number.value());
    } else if (result instanceof Result.Bytes bytes) {
      out.writeByte(BYTES);
      EntryCodec.writeBytes(out, bytes.value());
    }
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
            new BatchReply.Unknown(new String(EntryCodec.readBytes(in), StandardCharsets.UTF_8));
        default -> throw new IOException("unknown reply " + kind);
      };
    } catch (BufferUnderflowException e) {
      throw new IOException("reply cut short at " + body.length + " bytes", e);
    }
  }

  private static BatchReply readDone(ByteBuffer in) throws IOException {
    long index = in.getLong();
    long term = in.getLong();
    int count = EntryCodec.readCount(in);
    List<List<Result>> results = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      int resultCount = EntryCodec.readCount(in);
      List<Result> ofRequest = new ArrayList<>(resultCount);
      for (int j = 0; j < resultCount; j++) {
        ofRequest.add(readResult(in));
      }
      results.add(ofRequest);
    }
    return new BatchReply.Done(results, index, term);
  }

  private static Result readResult(ByteBuffer in) throws IOException {
    int kind = in.get();
    return switch (kind) {
      case OK -> new Result.Ok();
      case NIL -> new Result.Nil();
      case INT -> new Result.Int(in.getLong());
      case BYTES -> new Result.Bytes(EntryCodec.readBytes(in));
      default -> throw new IOException("unknown result " + kind);
    };
  }

  private static BatchReply readRefused(ByteBuffer in) throws IOException {
    BatchReply.Reason reason = BatchReply.Reason.of(in.get());
    String leader = new String(EntryCodec.readBytes(in), StandardCharsets.UTF_8);
    return new BatchReply.Refused(
        reason, leader.isEmpty() ? Optional.empty() : Optional.of(leader));
  }
}
