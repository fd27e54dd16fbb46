// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.fault;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Set;

/**
 * A process that writes one file over and over, for {@link ShimJournalTest}: first {@link #BYTES}
 * bytes of 0, fsynced, then the same of each letter that it is given. A capital letter is followed
 * by an fsync, and a digit is written by a descriptor of which each write is one.
 */
final class Overwrites {
  static final int BYTES = 8192;

  private Overwrites() {}

  /** The file, and the letters. */
  public static void main(String[] args) throws IOException {
    Path file = Path.of(args[0]);
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      write(channel, 0);
      channel.force(true);
      try (FileChannel folder = FileChannel.open(file.getParent(), StandardOpenOption.READ)) {
        folder.force(true);
      }
      for (char letter : args[1].toCharArray()) {
        if (Character.isDigit(letter)) {
          try (FileChannel synced =
              FileChannel.open(file, Set.of(StandardOpenOption.WRITE, StandardOpenOption.DSYNC))) {
            write(synced, letter);
          }
        } else {
          write(channel, letter);
          if (Character.isUpperCase(letter)) {
            channel.force(false);
          }
        }
      }
    }
  }

  private static void write(FileChannel channel, int letter) throws IOException {
    byte[] bytes = new byte[BYTES];
    Arrays.fill(bytes, (byte) letter);
    channel.write(ByteBuffer.wrap(bytes), 0);
  }
}
