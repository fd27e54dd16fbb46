// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.resp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.protocol.RespWriter;
import dev.cairn.server.command.RequestMemory;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Requests that were well-formed once, spoiled at random and cut at random: they must come out as
 * requests or as a protocol error, hold no more memory than allowed, and give all of it back. As
 * many as {@link #INPUTS} unless {@code -Dcairn.fuzz.minutes=10} says for how long.
 */
final class DecoderFuzzTest {
  private static final int INPUTS = 20_000;
  private static final int VALUE_BYTES_MAX = 4_096;
  private static final long REQUEST_BYTES_MAX = 64 * 1024;
  private static final long NODE_BYTES_MAX = 256 * 1024;

  private static final List<byte[]> CORPUS =
      List.of(
          RespWriter.command("SET", "key", "value", "EX", "10"),
          RespWriter.command("MGET", "a", "b", "", "\r\n"),
          RespWriter.command("SET", "key", "x".repeat(VALUE_BYTES_MAX)),
          RespWriter.command("SET", "key", "x".repeat(VALUE_BYTES_MAX + 1)),
          text("GET key\r\nSET 'a b' \"c\\x41\\n\"\r\n"),
          text("*0\r\n*-1\r\n\r\n\n*1\r\n$4\r\nPING\r\n"),
          text("*1048576\r\n$0\r\n\r\n"),
          text("*2147483647\r\n"),
          text("*1\r\n$536870912\r\n"),
          text("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
          text("$3\r\nabc\r\n+OK\r\n:1\r\n"));

  private static final List<byte[]> TOKENS =
      List.of(
          text("\r\n"),
          text("*"),
          text("$"),
          text("-1"),
          text("99999999999999999999"),
          text("\""),
          text("'"),
          text("\\x"),
          text("\0"),
          text("*3\r\n"),
          text("$4294967296\r\n"),
          text(" "));

  @Test
  @Timeout(value = 2, unit = TimeUnit.HOURS)
  void spoiledRequestsCrashNothingAndLeaveNoMemoryBehind() {
    long seed = Long.getLong("cairn.fuzz.seed", System.nanoTime());
    long minutes = Long.getLong("cairn.fuzz.minutes", 0);
    Random random = new Random(seed);
    long until = System.nanoTime() + TimeUnit.MINUTES.toNanos(minutes);
    long inputs = 0;
    while (minutes > 0 ? System.nanoTime() < until : inputs < INPUTS) {
      byte[] input = input(random);
      try {
        decode(input, random);
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError(
            "seed %d, input %d: %s".formatted(seed, inputs, HexFormat.of().formatHex(input)), e);
      }
      inputs++;
    }
    System.out.printf("%d inputs, seed %d%n", inputs, seed);
  }

  private static void decode(byte[] input, Random random) {
    RequestMemory memory = new RequestMemory(NODE_BYTES_MAX);
    RespDecoder decoder = new RespDecoder(VALUE_BYTES_MAX, REQUEST_BYTES_MAX, memory);
    int requests = 0;
    try {
      int from = 0;
      while (from < input.length) {
        int to = Math.min(input.length, from + 1 + random.nextInt(input.length));
        decoder.feed(Unpooled.copiedBuffer(input, from, to - from));
        for (RespRequest next = decoder.next(); next != null; next = decoder.next()) {
          memory.give(next.bytes());
          requests++;
          if (next.http()) {
            return; // whoever reads on is no RESP decoder
          }
        }
        decoder.settle();
        assertThat(memory.bytes()).isBetween(0L, NODE_BYTES_MAX);
        from = to;
      }
    } catch (ProtocolError refused) {
      assertThat(refused.getMessage()).isNotEmpty();
    } finally {
      decoder.close();
    }
    assertThat(requests).as("no request out of nothing").isLessThanOrEqualTo(input.length);
    assertThat(memory.bytes()).isZero();
  }

  private static byte[] input(Random random) {
    byte[] input = CORPUS.get(random.nextInt(CORPUS.size()));
    for (int i = random.nextInt(8); i > 0; i--) {
      input = spoiled(input, random);
    }
    return input;
  }

  private static byte[] spoiled(byte[] input, Random random) {
    if (input.length == 0) {
      return TOKENS.get(random.nextInt(TOKENS.size()));
    }
    int at = random.nextInt(input.length);
    return switch (random.nextInt(6)) {
      case 0 -> {
        byte[] changed = input.clone();
        changed[at] = (byte) random.nextInt(256);
        yield changed;
      }
      case 1 -> Arrays.copyOf(input, at);
      case 2 ->
          joined(Arrays.copyOf(input, at), TOKENS.get(random.nextInt(TOKENS.size())), input, at);
      case 3 ->
          joined(Arrays.copyOf(input, at), new byte[0], input, Math.min(input.length, at + 3));
      case 4 -> joined(input, CORPUS.get(random.nextInt(CORPUS.size())), new byte[0], 0);
      default -> {
        byte[] changed = input.clone();
        changed[at] ^= (byte) (1 << random.nextInt(8));
        yield changed;
      }
    };
  }

  /** At most a few values long: a long input finds nothing that a short one does not. */
  private static byte[] joined(byte[] start, byte[] middle, byte[] end, int endFrom) {
    List<byte[]> parts = new ArrayList<>(List.of(start, middle));
    parts.add(Arrays.copyOfRange(end, endFrom, end.length));
    byte[] all = new byte[parts.stream().mapToInt(part -> part.length).sum()];
    int at = 0;
    for (byte[] part : parts) {
      System.arraycopy(part, 0, all, at, part.length);
      at += part.length;
    }
    return all.length > 4 * VALUE_BYTES_MAX ? Arrays.copyOf(all, 4 * VALUE_BYTES_MAX) : all;
  }

  private static byte[] text(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }
}
