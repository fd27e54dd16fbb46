// SPDX-License-Identifier: Apache-2.0
package dev.cairn.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class RespTest {
  private static final RespReader.Bounds SMALL = new RespReader.Bounds(3, 4, 5, 8);

  @Property(tries = 300)
  void everyValueIsReadBackAsWrittenWhereverItIsCut(@ForAll("values") RespValue value) {
    byte[] bytes = bytes(value, 3);
    for (int cut = 0; cut <= bytes.length; cut++) {
      RespReader reader = new RespReader();
      reader.feed(bytes, 0, cut);
      Optional<RespValue> early = reader.next();
      assertThat(early.isPresent()).isEqualTo(cut == bytes.length);
      reader.feed(ByteBuffer.wrap(bytes, cut, bytes.length - cut));
      assertThat(early.or(reader::next)).contains(value);
      assertThat(reader.next()).isEmpty();
      assertThat(reader.pendingBytes()).isZero();
    }
  }

  @Property(tries = 100)
  void aStreamOfValuesComesOutInOrderByteByByte(@ForAll("streams") List<RespValue> values) {
    RespReader reader = new RespReader();
    List<RespValue> read = new ArrayList<>();
    for (RespValue value : values) {
      for (byte one : bytes(value, 3)) {
        reader.feed(new byte[] {one}, 0, 1);
        reader.next().ifPresent(read::add);
      }
    }
    assertThat(read).isEqualTo(values);
  }

  @Property(tries = 2000)
  void randomBytesAreValuesOrAProtocolErrorAndNothingElse(@ForAll byte[] bytes) {
    RespReader reader = new RespReader(SMALL);
    try {
      reader.feed(bytes, 0, bytes.length);
      while (reader.next().isPresent()) {
        // on to the next
      }
    } catch (RespProtocolException expected) {
      assertThatThrownBy(reader::next).isSameAs(expected);
    }
  }

  @Test
  void resp2SaysInItsOwnTypesWhatRespThreeAdds() {
    assertThat(text(RespValue.NIL, 2)).isEqualTo("$-1\r\n");
    assertThat(text(RespValue.NIL, 3)).isEqualTo("_\r\n");
    assertThat(text(new RespValue.NilArray(), 2)).isEqualTo("*-1\r\n");
    assertThat(text(new RespValue.NilArray(), 3)).isEqualTo("_\r\n");
    assertThat(text(new RespValue.Bool(true), 2)).isEqualTo(":1\r\n");
    assertThat(text(new RespValue.Decimal(1.5), 2)).isEqualTo("$3\r\n1.5\r\n");
    assertThat(text(new RespValue.BigNumber(BigInteger.TEN), 2)).isEqualTo("$2\r\n10\r\n");
    assertThat(text(new RespValue.Verbatim("txt", new byte[] {'a'}), 2)).isEqualTo("$1\r\na\r\n");
    assertThat(text(new RespValue.Verbatim("txt", new byte[] {'a'}), 3))
        .isEqualTo("=5\r\ntxt:a\r\n");
    RespValue.Entry entry = new RespValue.Entry(RespValue.bulk("k"), new RespValue.Int(1));
    assertThat(text(new RespValue.Dictionary(List.of(entry)), 2))
        .isEqualTo("*2\r\n$1\r\nk\r\n:1\r\n");
    assertThat(text(new RespValue.Dictionary(List.of(entry)), 3))
        .isEqualTo("%1\r\n$1\r\nk\r\n:1\r\n");
    assertThat(text(new RespValue.Attributed(List.of(entry), RespValue.OK), 2))
        .isEqualTo("+OK\r\n");
    assertThat(text(new RespValue.Attributed(List.of(entry), RespValue.OK), 3))
        .isEqualTo("|1\r\n$1\r\nk\r\n:1\r\n+OK\r\n");
  }

  @Test
  void bothNullsOfRespTwoAndBulkErrorsAreRead() {
    assertThat(read("$-1\r\n*-1\r\n!5\r\nERR x\r\n"))
        .containsExactly(RespValue.NIL, RespValue.NIL, new RespValue.ErrorReply("ERR x"));
  }

  @Test
  void anErrorCannotForgeASecondReply() {
    assertThat(text(new RespValue.ErrorReply("ERR a\r\n+OK"), 2)).isEqualTo("-ERR a  +OK\r\n");
  }

  @Test
  void aRequestIsAnArrayOfBulks() {
    assertThat(new String(RespWriter.command("GET", "ä"), StandardCharsets.UTF_8))
        .isEqualTo("*2\r\n$3\r\nGET\r\n$2\r\nä\r\n");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "*1\r\n*1\r\n*1\r\n:1\r\n",
        "*4\r\n:1\r\n:1\r\n:1\r\n:1\r\n",
        "%2\r\n:1\r\n:1\r\n:1\r\n:1\r\n",
        "$5\r\nhello\r\n",
        "+1234567\r\n"
      })
  void atTheLimitIsRead(String bytes) {
    RespReader reader = new RespReader(SMALL);
    byte[] raw = bytes.getBytes(StandardCharsets.ISO_8859_1);
    reader.feed(raw, 0, raw.length);
    assertThat(reader.next()).isPresent();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "*1\r\n*1\r\n*1\r\n*1\r\n",
        "*5\r\n",
        "%3\r\n",
        "$6\r\n",
        "+12345678\r\n",
        "+123456789",
        "*-2\r\n",
        "$-2\r\n",
        "$99999999999999999999\r\n",
        "$x\r\n",
        "*?\r\n",
        "$1\r\nab\r\n",
        "#x\r\n",
        ",x\r\n",
        "(x\r\n",
        "=3\r\nabc\r\n",
        "%9223372036854775807\r\n",
        "%4611686018427387905\r\n",
        "|0\r\n|0\r\n:1\r\n",
        "\r\n",
        "x\r\n",
        "+a\rb\r\n"
      })
  void pastTheLimitIsRefused(String bytes) {
    RespReader reader = new RespReader(SMALL);
    byte[] raw = bytes.getBytes(StandardCharsets.ISO_8859_1);
    reader.feed(raw, 0, raw.length);
    assertThatThrownBy(reader::next).isInstanceOf(RespProtocolException.class);
  }

  @Test
  void topologyRoundTrips() {
    Topology.Node a = new Topology.Node("a".repeat(40), "127.0.0.1", 5000, 25_000, true);
    Topology.Node b = new Topology.Node("b".repeat(40), "::1", 5001, 0, false);
    Topology topology =
        new Topology(
            "c".repeat(40),
            7,
            List.of(a, b),
            List.of(
                new Topology.Partition(
                    0, 0, 8191, List.of(a.id(), b.id()), Optional.empty(), Optional.of(b.id())),
                new Topology.Partition(
                    1, 8192, 16_383, List.of(b.id()), Optional.of(a.id()), Optional.empty())));
    RespValue sent = TopologyCodec.encode(topology, OptionalLong.of(5));
    assertThat(TopologyCodec.decode(readOne(bytes(sent, 2)))).isEqualTo(topology);
    assertThat(TopologyCodec.decode(readOne(bytes(sent, 3)))).isEqualTo(topology);
    assertThat(TopologyCodec.time(readOne(bytes(sent, 2)))).hasValue(5);
    RespValue none = TopologyCodec.encode(Topology.NONE, OptionalLong.empty());
    assertThat(TopologyCodec.decode(none)).isEqualTo(Topology.NONE);
    assertThat(TopologyCodec.time(none)).isEmpty();
  }

  @Test
  void whatIsNoTopologyIsRefused() {
    for (RespValue value :
        List.of(
            RespValue.OK,
            new RespValue.ErrorReply("ERR no"),
            RespValue.array(new RespValue.Int(1)))) {
      assertThatThrownBy(() -> TopologyCodec.decode(value))
          .isInstanceOf(RespProtocolException.class);
    }
  }

  @Test
  void replicaAttributeRoundTrips() {
    ReplicaAttribute attribute =
        new ReplicaAttribute(
            "127.0.0.1:5000",
            List.of(
                new ReplicaAttribute.Replica("127.0.0.1:5000", true),
                new ReplicaAttribute.Replica("127.0.0.1:5001", false)),
            0);
    RespValue reply = readOne(bytes(attribute.before(RespValue.OK), 3));
    assertThat(ReplicaAttribute.of(reply)).contains(attribute);
    assertThat(((RespValue.Attributed) reply).value()).isEqualTo(RespValue.OK);
    ReplicaAttribute ofRead = new ReplicaAttribute("h:1", List.of(), 1_200);
    assertThat(ReplicaAttribute.of(ofRead.before(RespValue.NIL))).contains(ofRead);
    assertThat(ReplicaAttribute.of(RespValue.OK)).isEmpty();
  }

  @Provide
  Arbitrary<List<RespValue>> streams() {
    return values().list().ofMaxSize(10);
  }

  @Provide
  Arbitrary<RespValue> values() {
    return value(3);
  }

  private static Arbitrary<RespValue> value(int depth) {
    Arbitrary<String> line =
        Arbitraries.strings().alpha().numeric().withChars(' ', 'ä').ofMaxLength(20);
    Arbitrary<byte[]> bytes = Arbitraries.bytes().array(byte[].class).ofMaxSize(40);
    Arbitrary<RespValue> leaf =
        Arbitraries.oneOf(
            line.map(RespValue.SimpleString::new),
            line.map(RespValue.ErrorReply::new),
            Arbitraries.longs().map(RespValue.Int::new),
            bytes.map(RespValue.Bulk::new),
            Arbitraries.just(RespValue.NIL),
            Arbitraries.doubles().map(RespValue.Decimal::new),
            Arbitraries.of(true, false).map(RespValue.Bool::new),
            Arbitraries.bigIntegers().map(RespValue.BigNumber::new),
            bytes.map(body -> new RespValue.Verbatim("txt", body)));
    if (depth == 0) {
      return leaf;
    }
    Arbitrary<RespValue> inner = Arbitraries.lazy(() -> value(depth - 1));
    Arbitrary<List<RespValue>> many = inner.list().ofMaxSize(3);
    Arbitrary<List<RespValue.Entry>> entries =
        many.map(list -> list.stream().map(v -> new RespValue.Entry(v, v)).toList());
    Arbitrary<RespValue> plain =
        Arbitraries.oneOf(
            leaf,
            many.map(RespValue.Array::new),
            many.map(RespValue.Collection::new),
            many.map(RespValue.Push::new),
            entries.map(RespValue.Dictionary::new));
    Arbitrary<RespValue> attributed =
        net.jqwik.api.Combinators.combine(
                entries, plain.filter(v -> !(v instanceof RespValue.Attributed)))
            .as(RespValue.Attributed::new);
    return Arbitraries.oneOf(plain, attributed);
  }

  private static List<RespValue> read(String text) {
    RespReader reader = new RespReader();
    byte[] raw = text.getBytes(StandardCharsets.UTF_8);
    reader.feed(raw, 0, raw.length);
    List<RespValue> values = new ArrayList<>();
    for (Optional<RespValue> value = reader.next(); value.isPresent(); value = reader.next()) {
      values.add(value.get());
    }
    return values;
  }

  private static RespValue readOne(byte[] bytes) {
    RespReader reader = new RespReader();
    reader.feed(bytes, 0, bytes.length);
    return reader.next().orElseThrow();
  }

  private static String text(RespValue value, int version) {
    return new String(bytes(value, version), StandardCharsets.UTF_8);
  }

  private static byte[] bytes(RespValue value, int version) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    new RespWriter(out).write(value, version);
    return out.toByteArray();
  }
}
