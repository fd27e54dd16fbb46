// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.operation;

import static dev.cairn.server.operation.ByteSource.readBytes;
import static dev.cairn.server.operation.ByteSource.readCount;
import static dev.cairn.server.operation.ByteSource.readEnum;
import static dev.cairn.server.operation.ByteSource.readFlag;
import static dev.cairn.server.operation.ByteSource.readSmall;

import dev.cairn.server.storage.KeyRange;
import dev.cairn.server.value.BitField;
import dev.cairn.server.value.Bits;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The bytes of operations and queries, in log entries and between nodes.
 *
 * <pre>
 *   operation ::= 1 key value                                             PUT
 *               | 2 key                                                   DELETE
 *               | 3 key value expiry condition answerOld:1                PUT_IF
 *               | 4 key condition answerOld:1                             DELETE_IF
 *               | 5 query                                                 READ
 *               | 6 key expiry only:1 answerValue:1                       EXPIRE
 *               | 7 key bytes lengthMax:4                                 APPEND
 *               | 8 key offset:4 bytes                                    OVERWRITE
 *               | 9 key by:8                                              INCREMENT
 *               | 10 key bytes                                            INCREMENT_FLOAT
 *               | 11 key steps                                            BIT_FIELDS
 *               | 12 how:1 key count:4 key*                               BIT_COMBINE
 *               | 13 key key onlyIfAbsent:1                               RENAME
 *               | 14 key key replace:1                                    COPY
 *               | 15 count:4 (key value)* expiry kind:1                   PUT_ALL
 *               | 16                                                      CLEAR
 *               | 17 keysMax:4                                            SWEEP
 *               | 18 count:4 (key version:8)* count:4 operation*          TRANSACTION, none among its operations
 *               | 19 key (1 value | 0) expiry condition                   REVISION
 *   query     ::= 1 key | 2 key | 3                                       GET | EXISTS | COUNT
 *               | 4 key                                                   FACTS
 *               | 5 key start:8 end:8                                     SLICE
 *               | 6 key span                                              BIT_COUNT
 *               | 7 key one:1 span endless:1                              BIT_POSITION
 *               | 8 key steps                                             READ_BIT_FIELDS
 *               | 9 key                                                   DIGEST
 *               | 10 key key                                              COMMON
 *               | 11 from:bytes to:bytes keysMax:4 bytesMax:4 records:1   RANGE
 *               | 12 key                                                  VERSION
 *               | 13 key start:8 end:8                                    FETCH
 *   key, value, bytes ::= length:4 byte*
 *   expiry    ::= kind:1 millis:8         0 NEVER | 1 KEEP | 2 AT | 3 AFTER
 *   condition ::= kind:1 bytes            0 ALWAYS | 1 IF_ABSENT | 2 IF_PRESENT | 3 IF_EQUAL
 *                                         | 4 IF_NOT_EQUAL | 5 IF_DIGEST_EQUAL | 6 IF_DIGEST_NOT_EQUAL
 *                                         | 7 IF_VERSION | 8 IF_NOT_VERSION: version:8*
 *   only      ::= 1 IF_NONE + 2 IF_ANY + 4 IF_LATER + 8 IF_EARLIER
 *   how       ::= 0 AND | 1 OR | 2 XOR | 3 NOT
 *   span      ::= start:8 end:8 bits:1
 *   steps     ::= count:4 (action:1 signed:1 width:1 offset:8 argument:8 overflow:1)*
 *   action    ::= 0 GET | 1 SET | 2 INCREMENT
 *   overflow  ::= 0 WRAP | 1 SATURATE | 2 FAIL
 * </pre>
 *
 * Numbers are big-endian; a flag is 1 or 0. What is unknown or out of its bounds is refused.
 */
public final class OperationCodec {

  private static final int ONLY_MAX = 15;

  private OperationCodec() {}

  /** How many bytes these operations take in a log entry or a message. */
  public static long sizeOf(List<Operation> operations) {
    long size = Integer.BYTES;
    for (Operation operation : operations) {
      ByteSink counted = ByteSink.counting().one(operation.opcode());
      operation.write(counted);
      size += counted.size();
    }
    return size;
  }

  /** Writes them, in {@link #sizeOf} bytes. */
  static void writeOperations(ByteBuffer buffer, List<Operation> operations) {
    ByteSink out = ByteSink.into(buffer).four(operations.size());
    for (Operation operation : operations) {
      operation.write(out.one(operation.opcode()));
    }
  }

  /** How many bytes {@link #writeQueries} writes. */
  public static long sizeOfQueries(List<Query> queries) {
    ByteSink counted = ByteSink.counting();
    queries.forEach(query -> query.write(counted.one(query.opcode())));
    return (long) Integer.BYTES + counted.size();
  }

  /** Writes queries. */
  public static void writeQueries(ByteBuffer buffer, List<Query> queries) {
    ByteSink out = ByteSink.into(buffer).four(queries.size());
    queries.forEach(query -> query.write(out.one(query.opcode())));
  }

  /**
   * Reads operations.
   *
   * @throws IOException when one is unknown or out of its bounds
   * @throws BufferUnderflowException when the bytes end too early
   */
  static List<Operation> readOperations(ByteBuffer in) throws IOException {
    return readOperations(in, false);
  }

  private static List<Operation> readOperations(ByteBuffer in, boolean inTransaction)
      throws IOException {
    int count = readCount(in);
    List<Operation> operations = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      try {
        operations.add(readOperation(in, inTransaction));
      } catch (IllegalArgumentException e) {
        throw new IOException("operation out of bounds: " + e.getMessage(), e);
      }
    }
    return operations;
  }

  private static Operation readOperation(ByteBuffer in, boolean inTransaction) throws IOException {
    int opcode = in.get();
    if (inTransaction && opcode == Opcode.TRANSACTION) {
      throw new IOException("a transaction in a transaction");
    }
    return switch (opcode) {
      case Opcode.PUT -> new Operation.Put(readBytes(in), readBytes(in));
      case Opcode.DELETE -> new Operation.Delete(readBytes(in));
      case Opcode.PUT_IF ->
          new Operation.Put(
              readBytes(in), readBytes(in), Expiry.read(in), Condition.read(in), readFlag(in));
      case Opcode.DELETE_IF ->
          new Operation.Delete(readBytes(in), Condition.read(in), readFlag(in));
      case Opcode.READ -> new Operation.Read(readQuery(in));
      case Opcode.EXPIRE ->
          new KeyOperation.Expire(
              readBytes(in), Expiry.read(in), readSmall(in, ONLY_MAX), readFlag(in));
      case Opcode.APPEND -> new ValueOperation.Append(readBytes(in), readBytes(in), in.getInt());
      case Opcode.OVERWRITE ->
          new ValueOperation.Overwrite(readBytes(in), in.getInt(), readBytes(in));
      case Opcode.INCREMENT -> new ValueOperation.Increment(readBytes(in), in.getLong());
      case Opcode.INCREMENT_FLOAT ->
          new ValueOperation.IncrementFloat(readBytes(in), readBytes(in));
      case Opcode.BIT_FIELDS -> new ValueOperation.BitFields(readBytes(in), readSteps(in));
      case Opcode.BIT_COMBINE ->
          new KeyOperation.BitCombine(
              readEnum(in, Bits.Combination.values()), readBytes(in), readKeys(in));
      case Opcode.RENAME -> new KeyOperation.Rename(readBytes(in), readBytes(in), readFlag(in));
      case Opcode.COPY -> new KeyOperation.Copy(readBytes(in), readBytes(in), readFlag(in));
      case Opcode.PUT_ALL ->
          new KeyOperation.PutAll(
              readPairs(in), Expiry.read(in), readEnum(in, Condition.Kind.values()));
      case Opcode.CLEAR -> new Operation.Clear();
      case Opcode.SWEEP -> new Operation.Sweep(in.getInt());
      case Opcode.TRANSACTION ->
          new KeyOperation.Transaction(readSeen(in), readOperations(in, true));
      case Opcode.REVISION ->
          new KeyOperation.Revision(
              readBytes(in),
              readFlag(in) ? Optional.of(readBytes(in)) : Optional.empty(),
              Expiry.read(in),
              Condition.read(in));
      default -> throw new IOException("unknown opcode " + opcode);
    };
  }

  /** Reads queries; throws as {@link #readOperations}. */
  public static List<Query> readQueries(ByteBuffer in) throws IOException {
    int count = readCount(in);
    List<Query> queries = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      queries.add(readQuery(in));
    }
    return queries;
  }

  private static Query readQuery(ByteBuffer in) throws IOException {
    int opcode = in.get();
    return switch (opcode) {
      case Opcode.GET -> new Query.Get(readBytes(in));
      case Opcode.EXISTS -> new Query.Exists(readBytes(in));
      case Opcode.COUNT -> new Query.Count();
      case Opcode.FACTS -> new Query.Facts(readBytes(in));
      case Opcode.SLICE -> new ValueQuery.Slice(readBytes(in), in.getLong(), in.getLong());
      case Opcode.BIT_COUNT -> new ValueQuery.BitCount(readBytes(in), readSpan(in));
      case Opcode.BIT_POSITION ->
          new ValueQuery.BitPosition(readBytes(in), readFlag(in), readSpan(in), readFlag(in));
      case Opcode.READ_BIT_FIELDS -> new ValueQuery.BitFields(readBytes(in), readSteps(in));
      case Opcode.DIGEST -> new ValueQuery.DigestOf(readBytes(in));
      case Opcode.COMMON -> new ValueQuery.Common(readBytes(in), readBytes(in));
      case Opcode.RANGE -> readRange(in);
      case Opcode.VERSION -> new Query.Version(readBytes(in));
      case Opcode.FETCH -> new Query.Fetch(readBytes(in), in.getLong(), in.getLong());
      default -> throw new IOException("unknown query " + opcode);
    };
  }

  private static Query readRange(ByteBuffer in) throws IOException {
    KeyRange range = new KeyRange(readBytes(in), readBytes(in));
    try {
      return new Query.Range(range, in.getInt(), in.getInt(), readFlag(in));
    } catch (IllegalArgumentException e) {
      throw new IOException("query out of bounds: " + e.getMessage(), e);
    }
  }

  private static List<byte[]> readKeys(ByteBuffer in) throws IOException {
    int count = readCount(in);
    List<byte[]> keys = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      keys.add(readBytes(in));
    }
    return keys;
  }

  private static List<KeyOperation.Seen> readSeen(ByteBuffer in) throws IOException {
    int count = readCount(in);
    List<KeyOperation.Seen> seen = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      seen.add(new KeyOperation.Seen(readBytes(in), in.getLong()));
    }
    return seen;
  }

  private static List<KeyOperation.Pair> readPairs(ByteBuffer in) throws IOException {
    int count = readCount(in);
    List<KeyOperation.Pair> pairs = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      pairs.add(new KeyOperation.Pair(readBytes(in), readBytes(in)));
    }
    return pairs;
  }

  private static List<BitField> readSteps(ByteBuffer in) throws IOException {
    int count = readCount(in);
    List<BitField> steps = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      BitField.Action action = readEnum(in, BitField.Action.values());
      boolean signed = readFlag(in);
      int width = in.get();
      long offset = in.getLong();
      long argument = in.getLong();
      BitField.Overflow overflow = readEnum(in, BitField.Overflow.values());
      try {
        steps.add(new BitField(action, signed, width, offset, argument, overflow));
      } catch (IllegalArgumentException e) {
        throw new IOException(e.getMessage(), e);
      }
    }
    return steps;
  }

  private static Bits.Span readSpan(ByteBuffer in) throws IOException {
    return new Bits.Span(in.getLong(), in.getLong(), readFlag(in));
  }
}
