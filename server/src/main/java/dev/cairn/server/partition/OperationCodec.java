// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

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
 *               | 5 key start:8 end:8                                     PART
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
  static final int PUT = 1;
  static final int DELETE = 2;
  static final int PUT_IF = 3;
  static final int DELETE_IF = 4;
  static final int READ = 5;
  static final int EXPIRE = 6;
  static final int APPEND = 7;
  static final int OVERWRITE = 8;
  static final int INCREMENT = 9;
  static final int INCREMENT_FLOAT = 10;
  static final int BIT_FIELDS = 11;
  static final int BIT_COMBINE = 12;
  static final int RENAME = 13;
  static final int COPY = 14;
  static final int PUT_ALL = 15;
  static final int CLEAR = 16;
  static final int SWEEP = 17;
  static final int TRANSACTION = 18;
  static final int REVISION = 19;

  static final int GET = 1;
  static final int EXISTS = 2;
  static final int COUNT = 3;
  static final int FACTS = 4;
  static final int PART = 5;
  static final int BIT_COUNT = 6;
  static final int BIT_POSITION = 7;
  static final int READ_BIT_FIELDS = 8;
  static final int DIGEST = 9;
  static final int COMMON = 10;
  static final int RANGE = 11;
  static final int VERSION = 12;
  static final int FETCH = 13;

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

  static void writeOperations(ByteBuffer buffer, List<Operation> operations) {
    ByteSink out = ByteSink.into(buffer).four(operations.size());
    for (Operation operation : operations) {
      operation.write(out.one(operation.opcode()));
    }
  }

  /** How many bytes {@link #writeQueries} writes. */
  static long sizeOfQueries(List<Query> queries) {
    ByteSink counted = ByteSink.counting();
    queries.forEach(query -> write(query, counted));
    return (long) Integer.BYTES + counted.size();
  }

  static void writeQueries(ByteBuffer buffer, List<Query> queries) {
    ByteSink out = ByteSink.into(buffer).four(queries.size());
    queries.forEach(query -> write(query, out));
  }

  static void write(Query query, ByteSink out) {
    query.write(out.one(query.opcode()));
  }

  static void write(List<BitField> steps, ByteSink out) {
    out.four(steps.size());
    for (BitField step : steps) {
      out.choice(step.action()).flag(step.signed()).one(step.width());
      out.eight(step.offset()).eight(step.argument()).choice(step.overflow());
    }
  }

  static void write(Bits.Span span, ByteSink out) {
    out.eight(span.start()).eight(span.end()).flag(span.bits());
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
    if (inTransaction && opcode == TRANSACTION) {
      throw new IOException("a transaction in a transaction");
    }
    return switch (opcode) {
      case PUT -> new Operation.Put(readBytes(in), readBytes(in));
      case DELETE -> new Operation.Delete(readBytes(in));
      case PUT_IF ->
          new Operation.Put(
              readBytes(in), readBytes(in), Expiry.read(in), Condition.read(in), readFlag(in));
      case DELETE_IF -> new Operation.Delete(readBytes(in), Condition.read(in), readFlag(in));
      case READ -> new Operation.Read(readQuery(in));
      case EXPIRE ->
          new KeyOperation.Expire(
              readBytes(in), Expiry.read(in), readSmall(in, ONLY_MAX), readFlag(in));
      case APPEND -> new ValueOperation.Append(readBytes(in), readBytes(in), in.getInt());
      case OVERWRITE -> new ValueOperation.Overwrite(readBytes(in), in.getInt(), readBytes(in));
      case INCREMENT -> new ValueOperation.Increment(readBytes(in), in.getLong());
      case INCREMENT_FLOAT -> new ValueOperation.IncrementFloat(readBytes(in), readBytes(in));
      case BIT_FIELDS -> new ValueOperation.BitFields(readBytes(in), readSteps(in));
      case BIT_COMBINE ->
          new KeyOperation.BitCombine(
              readEnum(in, Bits.Combination.values()), readBytes(in), readKeys(in));
      case RENAME -> new KeyOperation.Rename(readBytes(in), readBytes(in), readFlag(in));
      case COPY -> new KeyOperation.Copy(readBytes(in), readBytes(in), readFlag(in));
      case PUT_ALL ->
          new KeyOperation.PutAll(
              readPairs(in), Expiry.read(in), readEnum(in, Condition.Kind.values()));
      case CLEAR -> new Operation.Clear();
      case SWEEP -> new Operation.Sweep(in.getInt());
      case TRANSACTION -> new KeyOperation.Transaction(readSeen(in), readOperations(in, true));
      case REVISION ->
          new Revision(
              readBytes(in),
              readFlag(in) ? Optional.of(readBytes(in)) : Optional.empty(),
              Expiry.read(in),
              Condition.read(in));
      default -> throw new IOException("unknown opcode " + opcode);
    };
  }

  /** As {@link #readOperations}. */
  static List<Query> readQueries(ByteBuffer in) throws IOException {
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
      case GET -> new Query.Get(readBytes(in));
      case EXISTS -> new Query.Exists(readBytes(in));
      case COUNT -> new Query.Count();
      case FACTS -> new Query.Facts(readBytes(in));
      case PART -> new ValueQuery.Part(readBytes(in), in.getLong(), in.getLong());
      case BIT_COUNT -> new ValueQuery.BitCount(readBytes(in), readSpan(in));
      case BIT_POSITION ->
          new ValueQuery.BitPosition(readBytes(in), readFlag(in), readSpan(in), readFlag(in));
      case READ_BIT_FIELDS -> new ValueQuery.BitFields(readBytes(in), readSteps(in));
      case DIGEST -> new ValueQuery.DigestOf(readBytes(in));
      case COMMON -> new ValueQuery.Common(readBytes(in), readBytes(in));
      case RANGE -> readRange(in);
      case VERSION -> new Query.Version(readBytes(in));
      case FETCH -> new Query.Fetch(readBytes(in), in.getLong(), in.getLong());
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

  static <E> E readEnum(ByteBuffer in, E[] values) throws IOException {
    return values[readSmall(in, values.length - 1)];
  }

  private static boolean readFlag(ByteBuffer in) throws IOException {
    return readSmall(in, 1) == 1;
  }

  private static int readSmall(ByteBuffer in, int max) throws IOException {
    int value = in.get();
    if (value < 0 || value > max) {
      throw new IOException("unknown number " + value + " where at most " + max + " is known");
    }
    return value;
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
