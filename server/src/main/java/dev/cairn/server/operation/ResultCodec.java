// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.operation;

import dev.cairn.state.RequestIds;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * The bytes of results: on their way between nodes, and kept with a request's id ({@link
 * RequestIds}).
 *
 * <pre>
 *   results ::= count:4 result*
 *   result  ::= 1 | 2 | 3 value:8 | 4 length:4 bytes                          OK | NIL | INT | BYTES
 *             | 5 results | 6 mistake:1                                       MANY | FAILED
 *             | 100 why:1                                                     NOT_APPLIED
 *   mistake ::= a number of Mistake
 *   why     ::= 0 FORGOTTEN | 1 EARLY | 2 ANSWER_TOO_LARGE
 * </pre>
 *
 * Numbers are big-endian.
 */
public final class ResultCodec {
  private static final int OK = 1;
  private static final int NIL = 2;
  private static final int INT = 3;
  private static final int BYTES = 4;
  private static final int MANY = 5;
  private static final int FAILED = 6;
  private static final int NOT_APPLIED = 100;
  private static final int RESULT_DEPTH_MAX = 4;

  private ResultCodec() {}

  /** The results of one request, for whoever keeps them. */
  public static byte[] encode(List<Result> results) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(32);
    try {
      write(new DataOutputStream(bytes), results);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // a byte array does not fail
    }
    return bytes.toByteArray();
  }

  /** Writes one request's results. */
  public static void write(DataOutputStream out, List<Result> results) throws IOException {
    out.writeInt(results.size());
    for (Result result : results) {
      writeResult(out, result);
    }
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
      writeBytes(out, bytes.value());
    } else if (result instanceof Result.Many many) {
      out.writeByte(MANY);
      write(out, many.results());
    } else if (result instanceof Result.Failed failed) {
      out.writeByte(FAILED);
      out.writeByte(failed.mistake().number());
    } else if (result instanceof Result.NotApplied notApplied) {
      out.writeByte(NOT_APPLIED);
      out.writeByte(
          switch (notApplied.why()) {
            case FORGOTTEN -> 0;
            case EARLY -> 1;
            case ANSWER_TOO_LARGE -> 2;
          });
    }
  }

  private static void writeBytes(DataOutputStream out, byte[] bytes) throws IOException {
    out.writeInt(bytes.length);
    out.write(bytes);
  }

  /** Reads what {@link #encode} wrote. */
  public static List<Result> decode(ByteBuffer in) throws IOException {
    return readResults(in, ByteSource.readCount(in), 0);
  }

  private static List<Result> readResults(ByteBuffer in, int count, int depth) throws IOException {
    if (depth > RESULT_DEPTH_MAX) {
      throw new IOException("results nested more than " + RESULT_DEPTH_MAX + " deep");
    }
    List<Result> results = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      int kind = in.get();
      results.add(
          switch (kind) {
            case OK -> new Result.Ok();
            case NIL -> new Result.Nil();
            case INT -> new Result.Int(in.getLong());
            case BYTES -> new Result.Bytes(ByteSource.readBytes(in));
            case MANY -> new Result.Many(readResults(in, ByteSource.readCount(in), depth + 1));
            case FAILED -> new Result.Failed(Mistake.of(in.get()));
            case NOT_APPLIED -> new Result.NotApplied(readWhy(in));
            default -> throw new IOException("unknown result " + kind);
          });
    }
    return results;
  }

  private static Result.NotApplied.Why readWhy(ByteBuffer in) throws IOException {
    int why = in.get();
    return switch (why) {
      case 0 -> Result.NotApplied.Why.FORGOTTEN;
      case 1 -> Result.NotApplied.Why.EARLY;
      case 2 -> Result.NotApplied.Why.ANSWER_TOO_LARGE;
      default -> throw new IOException("unknown reason " + why);
    };
  }
}
