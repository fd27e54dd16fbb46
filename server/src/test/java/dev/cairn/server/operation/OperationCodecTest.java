// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.operation;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cairn.server.operation.KeyOperation.Revision;
import dev.cairn.server.storage.KeyRange;
import dev.cairn.server.value.BitField;
import dev.cairn.server.value.Bits;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The bytes of each operation and query, in {@code operations.txt}: they lie on disks already. A
 * change there is a new format; {@code -Dcairn.rewrite=true} writes new lines.
 */
public class OperationCodecTest {
  private static final Path GOLDEN =
      Path.of("src/test/resources/dev/cairn/server/partition/operations.txt");

  private static final byte[] KEY = "key".getBytes(UTF_8);
  private static final byte[] OTHER = "other".getBytes(UTF_8);
  private static final byte[] VALUE = "value".getBytes(UTF_8);
  private static final List<BitField> STEPS =
      List.of(
          new BitField(BitField.Action.INCREMENT, true, 64, 7, -2, BitField.Overflow.FAIL),
          new BitField(BitField.Action.SET, false, 5, 1, 3, BitField.Overflow.SATURATE));

  /** One of each kind at least, with nothing left at its default. */
  public static List<Operation> operations() {
    Expiry at = new Expiry(Expiry.Kind.AT, 0x0102030405060708L);
    Expiry after = new Expiry(Expiry.Kind.AFTER, -5);
    Condition equal = new Condition(Condition.Kind.IF_DIGEST_NOT_EQUAL, OTHER);
    List<Operation> all =
        new ArrayList<>(
            List.of(
                new Operation.Put(KEY, VALUE),
                new Operation.Put(KEY, VALUE, at, equal, true),
                new Operation.Delete(KEY),
                new Operation.Delete(KEY, equal, true),
                new KeyOperation.Expire(KEY, after, KeyOperation.Expire.IF_LATER, true),
                new ValueOperation.Append(KEY, VALUE, 77),
                new ValueOperation.Overwrite(KEY, 4, VALUE),
                new ValueOperation.Increment(KEY, -3),
                new ValueOperation.IncrementFloat(KEY, "1.5".getBytes(UTF_8)),
                new ValueOperation.BitFields(KEY, STEPS),
                new KeyOperation.BitCombine(Bits.Combination.XOR, KEY, List.of(OTHER, KEY)),
                new KeyOperation.Rename(KEY, OTHER, true),
                new KeyOperation.Copy(KEY, OTHER, true),
                new KeyOperation.PutAll(
                    List.of(new KeyOperation.Pair(KEY, VALUE)),
                    Expiry.KEEP,
                    Condition.Kind.IF_ABSENT),
                new Operation.Clear(),
                new Operation.Sweep(1_000),
                new KeyOperation.Transaction(
                    List.of(new KeyOperation.Seen(OTHER, 0x1122334455667788L)),
                    List.of(
                        new Operation.Put(KEY, VALUE), new Operation.Read(new Query.Get(OTHER)))),
                Revision.put(
                    KEY, VALUE, after, Condition.of(Condition.Kind.IF_VERSION, List.of(7L, 9L))),
                Revision.delete(KEY, Condition.of(Condition.Kind.IF_NOT_VERSION, List.of(7L)))));
    queries().forEach(query -> all.add(new Operation.Read(query)));
    return all;
  }

  public static List<Query> queries() {
    Bits.Span span = new Bits.Span(-3, 9, true);
    return List.of(
        new Query.Get(KEY),
        new Query.Exists(KEY),
        new Query.Count(),
        new Query.Facts(KEY),
        new ValueQuery.Slice(KEY, 1, -1),
        new ValueQuery.BitCount(KEY, span),
        new ValueQuery.BitPosition(KEY, true, span, true),
        new ValueQuery.BitFields(KEY, List.of(BitField.bit(9))),
        new ValueQuery.DigestOf(KEY),
        new ValueQuery.Common(KEY, OTHER),
        new Query.Range(new KeyRange(KEY, OTHER), 10, 1_000, true),
        new Query.Version(KEY),
        new Query.Fetch(KEY, 1, -2));
  }

  @Test
  void bytesStayAsTheyAre() throws IOException {
    StringBuilder written = new StringBuilder();
    for (Operation operation : operations()) {
      written
          .append(operation.getClass().getSimpleName())
          .append(operation instanceof Operation.Read read ? name(read.query()) : "")
          .append(' ')
          .append(HexFormat.of().formatHex(bytes(operation)))
          .append('\n');
    }
    if (Boolean.getBoolean("cairn.rewrite")) {
      Files.writeString(GOLDEN, written);
    }
    assertThat(GOLDEN).hasContent(written.toString());
  }

  @Test
  void everyKindIsHere() {
    assertThat(
            Stream.of(Operation.Whole.class, ValueOperation.class, KeyOperation.class)
                .flatMap(kinds -> Stream.of(kinds.getPermittedSubclasses())))
        .allSatisfy(
            kind ->
                assertThat(operations())
                    .as("%s is missing above", kind)
                    .anyMatch(kind::isInstance));
    assertThat(
            Stream.of(Query.Whole.class, ValueQuery.class)
                .flatMap(kinds -> Stream.of(kinds.getPermittedSubclasses())))
        .allSatisfy(
            kind ->
                assertThat(queries()).as("%s is missing above", kind).anyMatch(kind::isInstance));
  }

  @Test
  void whatIsWrittenIsReadAndCutAnywhereRefused() throws IOException {
    for (Operation operation : operations()) {
      byte[] bytes = bytes(operation);
      assertThat(OperationCodec.sizeOf(List.of(operation))).isEqualTo(bytes.length);
      assertThat(OperationCodec.readOperations(ByteBuffer.wrap(bytes)))
          .usingRecursiveComparison()
          .isEqualTo(List.of(operation));
      for (int length = 0; length < bytes.length; length++) {
        ByteBuffer cut = ByteBuffer.wrap(Arrays.copyOf(bytes, length));
        assertThatThrownBy(() -> OperationCodec.readOperations(cut))
            .isInstanceOfAny(IOException.class, BufferUnderflowException.class);
      }
    }
  }

  @Test
  void whatIsOutOfBoundsIsRefused() {
    refused("00000001 63", "unknown opcode 99");
    refused("00000001 05 63", "unknown query 99");
    refused("00000001 08 00000001 61 ffffffff 00000000", "out of bounds");
    refused("00000001 06 00000001 61 07 0000000000000000 00 00", "unknown number 7");
    refused("00000001 0b 00000001 61 00000001 01 00 40 0000000000000000", "bit field of 64");
    refused("00000001 0c 04", "unknown number 4");
    refused("00000001 0f 7fffffff", "a count of");
    refused("00000001 12 00000000 00000001 12 00000000 00000000", "a transaction in a transaction");
    refused("00000001 12 7fffffff", "a count of");
    refused(
        "00000001 13 00000001 61 00 00 0000000000000000 07 00000007 00000000000000",
        "versions of 7 bytes");
    refused("00000001 05 0b 00000000 00000000 00000000 00000001 01", "a range of 0 keys");
    refused("00000001 05 0b 00000000 00000000 00002711 00000001 00", "a range of 10001 keys");
    refused("00000001 05 0b 00000000 00000000 00000001 00400001 00", "or 4194305 bytes");
  }

  private static void refused(String hex, String why) {
    byte[] start = HexFormat.of().parseHex(hex.replace(" ", ""));
    byte[] bytes = Arrays.copyOf(start, start.length + 16);
    assertThatThrownBy(() -> OperationCodec.readOperations(ByteBuffer.wrap(bytes)))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(why);
  }

  private static String name(Query query) {
    return "." + query.getClass().getSimpleName();
  }

  private static byte[] bytes(Operation operation) {
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.toIntExact(OperationCodec.sizeOf(List.of(operation))));
    OperationCodec.writeOperations(bytes, List.of(operation));
    return bytes.array();
  }
}
