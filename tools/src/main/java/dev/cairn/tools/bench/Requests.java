// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools.bench;

import dev.cairn.protocol.Slots;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;

/**
 * Writes the requests of operations into buffers. Keys are the prefix and a number of 12 digits.
 * Values are cut at random places from a block of random letters: a server that compresses gains
 * little, as with most data that is worth storing.
 */
final class Requests {
  private static final int DIGITS = 12;
  private static final int BLOCK_BYTES = 64 * 1024;
  private static final String LETTERS =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  private static final byte[] LINE_END = {'\r', '\n'};

  private final byte[] key;
  private final byte[] beforeReadKey;
  private final byte[] beforeWrittenKey;
  private final byte[] beforeValue;
  private final byte[] block;
  private final int valueBytes;
  private final byte[] afterWrite; // WAIT, or nothing
  private final SplittableRandom random;

  Requests(String keyPrefix, int valueBytes, int waitReplicas, SplittableRandom random) {
    byte[] prefix = keyPrefix.getBytes(StandardCharsets.UTF_8);
    key = new byte[prefix.length + DIGITS];
    System.arraycopy(prefix, 0, key, 0, prefix.length);
    beforeReadKey = ascii("*2\r\n$3\r\nGET\r\n$" + key.length + "\r\n");
    beforeWrittenKey = ascii("*3\r\n$3\r\nSET\r\n$" + key.length + "\r\n");
    beforeValue = ascii("\r\n$" + valueBytes + "\r\n");
    String replicas = Integer.toString(waitReplicas);
    afterWrite =
        waitReplicas == 0
            ? new byte[0]
            : ascii(
                "*3\r\n$4\r\nWAIT\r\n$"
                    + replicas.length()
                    + "\r\n"
                    + replicas
                    + "\r\n$4\r\n1000\r\n");
    this.valueBytes = valueBytes;
    this.random = random;
    block = new byte[BLOCK_BYTES + valueBytes];
    for (int i = 0; i < block.length; i++) {
      block[i] = (byte) LETTERS.charAt(random.nextInt(LETTERS.length()));
    }
  }

  /** The most bytes that one operation's request has. */
  int bytesMax() {
    return beforeWrittenKey.length
        + key.length
        + beforeValue.length
        + valueBytes
        + LINE_END.length
        + afterWrite.length;
  }

  /** The slot of a key. */
  int slot(long number) {
    setKey(number);
    return Slots.of(key);
  }

  /**
   * Writes the operation's request.
   *
   * @return false, and nothing written, if the buffer has no room
   */
  boolean write(InFlight operation, ByteBuffer out) {
    if (out.remaining() < bytesMax()) {
      return false;
    }
    setKey(operation.key);
    if (operation.writes) {
      out.put(beforeWrittenKey).put(key).put(beforeValue);
      out.put(block, random.nextInt(BLOCK_BYTES), valueBytes).put(LINE_END).put(afterWrite);
    } else {
      out.put(beforeReadKey).put(key).put(LINE_END);
    }
    return true;
  }

  private void setKey(long number) {
    long rest = number;
    for (int i = key.length - 1; i >= key.length - DIGITS; i--) {
      key[i] = (byte) ('0' + rest % 10);
      rest /= 10;
    }
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
