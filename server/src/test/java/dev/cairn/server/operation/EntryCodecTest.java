// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.operation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cairn.server.operation.EntryCodec.Entry;
import dev.cairn.state.RequestId;
import java.io.IOException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

public class EntryCodecTest {
  private static final Entry GOLDEN =
      new Entry(
          0x0102030405060708L,
          List.of(
              new Request(
                  Optional.empty(), List.of(new Operation.Put(bytes("key"), bytes("value")))),
              new Request(
                  Optional.of(new RequestId(1, 2, 3, 4)),
                  List.of(new Operation.Delete(bytes("gone"))))));

  /** Bytes that lie on disks already: a change here is a new format. */
  private static final String GOLDEN_HEX =
      "01"
          + "0102030405060708"
          + "00000002"
          + ("00" + "00000001" + "01" + "00000003" + "6b6579" + "00000005" + "76616c7565")
          + ("01" + "0000000000000001" + "0000000000000002")
          + ("0000000000000003" + "0000000000000004")
          + ("00000001" + "02" + "00000004" + "676f6e65");

  @Example
  void bytesOfTheFirstFormatStayAsTheyAre() throws IOException {
    assertThat(HexFormat.of().formatHex(EntryCodec.encode(GOLDEN))).isEqualTo(GOLDEN_HEX);
    assertThat(EntryCodec.decode(HexFormat.of().parseHex(GOLDEN_HEX)))
        .usingRecursiveComparison()
        .isEqualTo(GOLDEN);
  }

  @Example
  void otherFormatFlagOrOpcodeIsRefused() {
    refuses(0, 2, "format 2");
    refuses(13, 2, "flags 2");
    refuses(18, 99, "opcode 99");
  }

  private static void refuses(int position, int value, String why) {
    byte[] bytes = EntryCodec.encode(GOLDEN);
    bytes[position] = (byte) value;
    assertThatThrownBy(() -> EntryCodec.decode(bytes))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(why);
  }

  @Property(tries = 200)
  void whatIsWrittenIsRead(@ForAll("entries") Entry entry) throws IOException {
    assertThat(EntryCodec.decode(EntryCodec.encode(entry)))
        .usingRecursiveComparison()
        .isEqualTo(entry);
  }

  @Property(tries = 50)
  void cutAnywhereItIsRefused(@ForAll("entries") Entry entry) {
    byte[] bytes = EntryCodec.encode(entry);
    for (int length = 0; length < bytes.length; length++) {
      byte[] cut = Arrays.copyOf(bytes, length);
      assertThatThrownBy(() -> EntryCodec.decode(cut)).isInstanceOf(IOException.class);
    }
    assertThatThrownBy(() -> EntryCodec.decode(Arrays.copyOf(bytes, bytes.length + 1)))
        .isInstanceOf(IOException.class);
  }

  @Provide
  Arbitrary<Entry> entries() {
    return Combinators.combine(Arbitraries.longs(), requests().list().ofMaxSize(4)).as(Entry::new);
  }

  public static Arbitrary<Request> requests() {
    Arbitrary<Long> longs = Arbitraries.longs();
    Arbitrary<Optional<RequestId>> ids =
        Combinators.combine(longs, longs, longs, longs).as(RequestId::new).optional();
    return Combinators.combine(ids, operations().list().ofMaxSize(4)).as(Request::new);
  }

  static Arbitrary<Operation> operations() {
    Arbitrary<byte[]> bytes = Arbitraries.bytes().array(byte[].class).ofMaxSize(12);
    return Arbitraries.oneOf(
        Combinators.combine(bytes, bytes).as((key, value) -> new Operation.Put(key, value)),
        bytes.map(key -> new Operation.Delete(key)),
        Arbitraries.of(OperationCodecTest.operations()));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(java.nio.charset.StandardCharsets.UTF_8);
  }
}
