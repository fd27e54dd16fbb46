// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.network;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;

/**
 * Which process of this machine stands at the other end of a loopback connection, by Linux' {@code
 * /proc}: nothing in a connection itself says which node opened it.
 */
final class Sockets {
  private static final List<Path> TABLES =
      List.of(Path.of("/proc/net/tcp6"), Path.of("/proc/net/tcp"));

  private Sockets() {}

  /**
   * The process among {@code pids} that opened the connection from {@code localPort} to {@code
   * remotePort}; empty when none of them has it any more.
   */
  static OptionalLong owner(int localPort, int remotePort, List<Long> pids) throws IOException {
    String inode = inode(localPort, remotePort);
    if (inode == null) {
      return OptionalLong.empty();
    }
    String socket = "socket:[" + inode + "]";
    for (long pid : pids) {
      if (holds(pid, socket)) {
        return OptionalLong.of(pid);
      }
    }
    return OptionalLong.empty();
  }

  /** {@code sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode ...}. */
  private static String inode(int localPort, int remotePort) throws IOException {
    String local = ":%04X".formatted(localPort);
    String remote = ":%04X".formatted(remotePort);
    for (Path table : TABLES) {
      if (!Files.exists(table)) {
        continue;
      }
      for (String line : Files.readAllLines(table, StandardCharsets.US_ASCII)) {
        if (line.contains(local)) {
          List<String> columns = List.of(line.strip().split("\\s+"));
          if (columns.get(1).endsWith(local) && columns.get(2).endsWith(remote)) {
            return columns.get(9);
          }
        }
      }
    }
    return null;
  }

  private static boolean holds(long pid, String socket) throws IOException {
    Path descriptors = Path.of("/proc", Long.toString(pid), "fd");
    try (DirectoryStream<Path> open = Files.newDirectoryStream(descriptors)) {
      for (Path descriptor : open) {
        try {
          if (Files.readSymbolicLink(descriptor).toString().equals(socket)) {
            return true;
          }
        } catch (NoSuchFileException closedMeanwhile) {
          // The next one.
        }
      }
    } catch (java.nio.file.DirectoryIteratorException | NoSuchFileException ended) {
      return false;
    }
    return false;
  }
}
