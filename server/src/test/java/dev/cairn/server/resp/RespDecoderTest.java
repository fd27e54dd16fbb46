// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.resp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cairn.protocol.Limits;
import dev.cairn.protocol.RespWriter;
import dev.cairn.server.command.RequestMemory;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class RespDecoderTest {
  private static final int VALUE_BYTES_MAX = 100_000;
  private static final long REQUEST_BYTES_MAX = 300_000;

  private final RequestMemory memory = new RequestMemory(1_000_000);
  private RespDecoder decoder = decoder();

  @Property(tries = 200)
  void arraysComeOutWholeWhereverTheyAreCut(@ForAll("words") List<byte[]> words) throws Exception {
    byte[] bytes = RespWriter.command(words.toArray(byte[][]::new));
    for (int cut = 0; cut <= bytes.length; cut++) {
      decoder = decoder();
      List<RespRequest> early = feed(bytes, 0, cut);
      assertThat(early).hasSize(cut == bytes.length ? 1 : 0);
      List<RespRequest> requests = new ArrayList<>(early);
      requests.addAll(feed(bytes, cut, bytes.length));
      assertThat(requests).hasSize(1);
      assertThat(requests.get(0).words()).usingRecursiveComparison().isEqualTo(words);
      memory.give(requests.get(0).bytes());
      decoder.close();
      assertThat(memory.bytes()).isZero();
    }
  }

  @Property(tries = 3000)
  void randomBytesAreRequestsOrAProtocolErrorAndLeaveNoMemoryBehind(
      @ForAll("nearlyResp") List<byte[]> pieces) {
    decoder = decoder();
    try {
      for (byte[] piece : pieces) {
        // Each as it comes: what follows it in the same piece may end the connection.
        feed(piece, 0, piece.length, request -> memory.give(request.bytes()));
      }
    } catch (ProtocolError expected) {
      assertThat(expected.getMessage()).isNotEmpty();
    }
    decoder.close();
    assertThat(memory.bytes()).isZero();
  }

  @Test
  void aRequestAheadOfAProtocolErrorComesOutBeforeIt() {
    List<RespRequest> requests = new ArrayList<>();
    byte[] bytes = ascii("a b\n'\n");
    assertThatThrownBy(() -> feed(bytes, 0, bytes.length, requests::add))
        .isInstanceOf(ProtocolError.class);
    assertThat(requests).extracting(RespDecoderTest::text).containsExactly("a|b");
    memory.give(requests.get(0).bytes());
    decoder.close();
    assertThat(memory.bytes()).isZero();
  }

  @Test
  void aPipelineComesOutInOrderByteByByte() throws Exception {
    byte[] bytes =
        ascii("*1\r\n$4\r\nPING\r\nGET a\n*0\r\n*-5\r\n\r\nSET a 'b c'\r\n*1\r\n$0\r\n\r\n");
    List<String> read = new ArrayList<>();
    for (int i = 0; i < bytes.length; i++) {
      feed(bytes, i, i + 1).forEach(request -> read.add(text(request)));
    }
    assertThat(read).containsExactly("PING", "GET|a", "SET|a|b c", "");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      quoteCharacter = '`',
      value = {
        "SET a b ~ SET|a|b",
        "  SET\t a   b  ~ SET|a|b",
        "SET \"a b\" 'c d' ~ SET|a b|c d",
        "SET \"\\x41\\t\\\"\" '\\'' ~ SET|A\t\"|'",
        "SET \"\" '' x ~ SET|||x",
        "a\"b\" ~ ab",
        "\"\\xzz\" ~ xzz",
        "ECHO\u000bb\u000c c ~ ECHO\u000bb\u000c|c",
      })
  void inlineWordsFollowRedis(String line, String words) throws Exception {
    String expected = words;
    assertThat(text(all(line + "\r\n").get(0))).isEqualTo(expected.strip());
    decoder = decoder();
    assertThat(text(all(line + "\n").get(0))).isEqualTo(expected.strip());
  }

  @ParameterizedTest
  @CsvSource({
    "*01, Protocol error: invalid multibulk length",
    "*-0, Protocol error: invalid multibulk length",
    "*-, Protocol error: invalid multibulk length",
    "*+1, Protocol error: invalid multibulk length",
    "*1;$04, Protocol error: invalid bulk length",
    "*x, Protocol error: invalid multibulk length",
    "*, Protocol error: invalid multibulk length",
    "*1048577, Protocol error: invalid multibulk length",
    "*99999999999999999999, Protocol error: invalid multibulk length",
    "*1;$-1, Protocol error: invalid bulk length",
    "*1;$x, Protocol error: invalid bulk length",
    "*1;$536870913, Protocol error: invalid bulk length",
    "*1;$99999999999999999999, Protocol error: invalid bulk length",
    "*1;:1, 'Protocol error: expected ''$'', got '':'''",
    "*1;$1;ab, Protocol error: a bulk string does not end where its length says",
    "GET \"a, Protocol error: unbalanced quotes in request",
    "GET 'a'b, Protocol error: unbalanced quotes in request",
  })
  void whatIsNoRequestIsToldInRedisWords(String lines, String error) {
    assertThatThrownBy(() -> all(lines.replace(";", "\r\n") + "\r\n"))
        .isInstanceOf(ProtocolError.class)
        .hasMessage(error);
  }

  @ParameterizedTest
  @ValueSource(strings = {"*1048576\r\n", "*1\r\n$536870912\r\n"})
  void theLargestClaimIsTakenAndCostsNearlyNothing(String header) throws Exception {
    assertThat(all(header)).isEmpty();
    assertThat(memory.bytes()).isLessThan(1024);
  }

  @Test
  void aLineMayHave64KibAndNotOneMore() throws Exception {
    String longest = "a".repeat(Limits.LINE_BYTES_MAX);
    assertThat(all(longest + "\r\n")).hasSize(1);
    decoder = decoder();
    assertThatThrownBy(() -> all(longest + "a\r\n"))
        .hasMessage("Protocol error: too big inline request");
    decoder = decoder();
    assertThatThrownBy(() -> all(longest + "aa"))
        .hasMessage("Protocol error: too big inline request");
    decoder = decoder();
    assertThatThrownBy(() -> all("*" + longest + "aa"))
        .hasMessage("Protocol error: too big mbulk count string");
    decoder = decoder();
    assertThatThrownBy(() -> all("*1\r\n$" + longest + "aa"))
        .hasMessage("Protocol error: too big bulk count string");
  }

  @Test
  void aValueThatIsTooLongIsReadPastAndTheConnectionLivesOn() throws Exception {
    byte[] atLimit = RespWriter.command(ascii("SET"), ascii("a"), new byte[VALUE_BYTES_MAX]);
    RespRequest taken = feed(atLimit, 0, atLimit.length).get(0);
    assertThat(taken.refusal()).isEmpty();
    memory.give(taken.bytes());
    byte[] bytes = RespWriter.command(ascii("SET"), ascii("a"), new byte[VALUE_BYTES_MAX + 1]);
    List<RespRequest> requests = new ArrayList<>();
    for (int i = 0; i < bytes.length; i += 1000) {
      requests.addAll(feed(bytes, i, Math.min(bytes.length, i + 1000)));
      assertThat(memory.bytes()).isLessThan(3000);
    }
    assertThat(requests).hasSize(1);
    assertThat(requests.get(0).refusal())
        .isEqualTo("an argument has 100001 bytes, this node takes at most 100000");
    assertThat(text(all("PING\r\n").get(0))).isEqualTo("PING");
  }

  @Test
  void oneRequestMayNotHoldMoreThanItsBound() {
    String value = "$90000\r\n" + "x".repeat(90_000) + "\r\n";
    assertThatThrownBy(() -> all("*5\r\n" + value.repeat(4)))
        .hasMessage("request holds more than 300000 bytes: send it in smaller ones");
  }

  @Test
  void aNodeMayNotHoldMoreThanItsBound() throws Exception {
    assertThat(memory.take(990_000)).isTrue();
    assertThatThrownBy(() -> all("*2\r\n$20000\r\n" + "x".repeat(20_000)))
        .hasMessage("this node holds too many bytes of requests that are not done: try again");
    decoder.close();
    assertThat(memory.bytes()).isEqualTo(990_000);
  }

  @ParameterizedTest
  @ValueSource(strings = {"GET / HTTP/1.1", "POST /v1/x?y HTTP/1.0"})
  void theFirstLineTellsHttpAndNoLaterOneDoes(String line) throws Exception {
    assertThat(all(line + "\r\n").get(0).http()).isTrue();
    decoder = decoder();
    assertThat(all("PING\r\n" + line + "\r\n").get(1).http()).isFalse();
  }

  @Provide
  Arbitrary<List<byte[]>> words() {
    return Arbitraries.bytes().array(byte[].class).ofMaxSize(30).list().ofMinSize(1).ofMaxSize(4);
  }

  /** Pieces of the grammar and noise, so that random input gets past the first byte. */
  @Provide
  Arbitrary<List<byte[]>> nearlyResp() {
    Arbitrary<byte[]> grammar =
        Arbitraries.of(
                "*",
                "$",
                "1",
                "2",
                "-1",
                "\r\n",
                "\n",
                "\r",
                "ab",
                "\"",
                "'",
                "\\x4",
                " ",
                "*1\r\n",
                "$2\r\n",
                "*3\r\n",
                "$99999\r\n")
            .map(RespDecoderTest::ascii);
    return Arbitraries.oneOf(grammar, grammar, Arbitraries.bytes().array(byte[].class).ofMaxSize(8))
        .list()
        .ofMaxSize(30);
  }

  private RespDecoder decoder() {
    return new RespDecoder(VALUE_BYTES_MAX, REQUEST_BYTES_MAX, memory);
  }

  private List<RespRequest> all(String text) throws ProtocolError {
    byte[] bytes = ascii(text);
    return feed(bytes, 0, bytes.length);
  }

  private List<RespRequest> feed(byte[] bytes, int from, int to) throws ProtocolError {
    List<RespRequest> requests = new ArrayList<>();
    feed(bytes, from, to, requests::add);
    return requests;
  }

  private void feed(byte[] bytes, int from, int to, Consumer<RespRequest> taken)
      throws ProtocolError {
    decoder.feed(Unpooled.wrappedBuffer(Arrays.copyOfRange(bytes, from, to)));
    for (RespRequest next = decoder.next(); next != null; next = decoder.next()) {
      taken.accept(next);
      if (next.http()) {
        break;
      }
    }
    decoder.settle();
  }

  private static String text(RespRequest request) {
    return String.join(
        "|", request.words().stream().map(w -> new String(w, StandardCharsets.UTF_8)).toList());
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }
}
