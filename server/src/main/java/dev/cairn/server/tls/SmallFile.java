// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.tls;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Set;

/**
 * Reads files of certificates, keys and secrets, none of which is large.
 *
 * <p>A private one must not be open to every account of the machine: its group may read it, as
 * where a container's platform mounts it, others may not.
 */
final class SmallFile {
  private static final int BYTES_MAX = 1 << 20;
  private static final Set<PosixFilePermission> OTHERS =
      Set.of(
          PosixFilePermission.OTHERS_READ,
          PosixFilePermission.OTHERS_WRITE,
          PosixFilePermission.GROUP_WRITE);

  private SmallFile() {}

  /** What a file holds; at least one byte. */
  static byte[] read(Path file) throws TlsException {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(BYTES_MAX + 1);
      if (bytes.length == 0) {
        throw new TlsException(file + " is empty");
      }
      if (bytes.length > BYTES_MAX) {
        throw new TlsException(file + " is larger than 1 MiB: it is no such file");
      }
      return bytes;
    } catch (IOException e) {
      throw new TlsException("cannot read " + file + " (" + reason(e) + ")", e);
    }
  }

  /** The same of a file that others must not read. */
  static byte[] readPrivate(Path file) throws TlsException {
    try {
      if (Files.getFileStore(file).supportsFileAttributeView("posix")
          && Files.getPosixFilePermissions(file).stream().anyMatch(OTHERS::contains)) {
        throw new TlsException(
            file + " is open to other accounts of this machine: run chmod 600 " + file);
      }
    } catch (IOException e) {
      throw new TlsException("cannot read " + file + " (" + reason(e) + ")", e);
    }
    return read(file);
  }

  private static String reason(IOException e) {
    return e instanceof java.nio.file.NoSuchFileException
        ? "there is no such file"
        : e instanceof java.nio.file.AccessDeniedException
            ? "this account may not"
            : e.getClass().getSimpleName() + ": " + e.getMessage();
  }
}
