// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.tls;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Set;

/**
 * Reads files of certificates, keys, secrets and users, none of which is large.
 *
 * <p>A private one must not be open to every account of the machine: its group may read it, as
 * where a container's platform mounts it, others may not.
 */
public final class SmallFile {
  private static final int BYTES_MAX = 1 << 20;
  private static final Set<PosixFilePermission> OTHERS =
      Set.of(
          PosixFilePermission.OTHERS_READ,
          PosixFilePermission.OTHERS_WRITE,
          PosixFilePermission.GROUP_WRITE);

  private SmallFile() {}

  /** What a file holds; at least one byte. */
  static byte[] read(Path file) throws TlsException {
    return read(file, BYTES_MAX);
  }

  /** The same of a file that others must not read. */
  static byte[] readPrivate(Path file) throws TlsException {
    return readPrivate(file, BYTES_MAX);
  }

  /**
   * What a file holds that others must not read; at least one byte.
   *
   * @param bytesMax how many it may hold
   * @throws TlsException when it cannot be read or used; the message says which, and what to do
   */
  public static byte[] readPrivate(Path file, int bytesMax) throws TlsException {
    try {
      if (Files.getFileStore(file).supportsFileAttributeView("posix")
          && Files.getPosixFilePermissions(file).stream().anyMatch(OTHERS::contains)) {
        throw new TlsException(
            file + " is open to other accounts of this machine: run chmod 600 " + file);
      }
    } catch (IOException e) {
      throw new TlsException("cannot read " + file + " (" + reason(e) + ")", e);
    }
    return read(file, bytesMax);
  }

  private static byte[] read(Path file, int bytesMax) throws TlsException {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(bytesMax + 1);
      if (bytes.length == 0) {
        throw new TlsException(file + " is empty");
      }
      if (bytes.length > bytesMax) {
        throw new TlsException(file + " has more than " + bytesMax + " bytes: it is no such file");
      }
      return bytes;
    } catch (IOException e) {
      throw new TlsException("cannot read " + file + " (" + reason(e) + ")", e);
    }
  }

  private static String reason(IOException e) {
    return e instanceof NoSuchFileException
        ? "there is no such file"
        : e instanceof AccessDeniedException
            ? "this account may not"
            : e.getClass().getSimpleName() + ": " + e.getMessage();
  }
}
