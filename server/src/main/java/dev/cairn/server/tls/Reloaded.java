// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.tls;

import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Something that is made of files, and made anew when they change.
 *
 * <p>What the files hold is compared, not their times: a platform that swaps a folder's link, and a
 * copy that keeps its times, are seen too. Files that are being written do not fit each other for a
 * moment; so what cannot be used is said only when it has stayed so from one look to the next. What
 * was made before is kept then. Connections that are open keep what they began with.
 *
 * <p>Threads: {@link #current} by any, {@link #look} by one.
 */
final class Reloaded<T> {
  private static final Logger log = LoggerFactory.getLogger(Reloaded.class);

  private final String what;
  private final List<Path> files;
  private final Maker<T> maker;
  private volatile T current;
  private byte[] used; // digest of what current was made of; the looking thread's
  private byte[] refused; // of what cannot be used
  private boolean said;

  /** Makes it of the files as they are. */
  interface Maker<T> {
    T make() throws TlsException;
  }

  /**
   * Makes it for the first time.
   *
   * @param what it is, for the log
   */
  Reloaded(String what, List<Path> files, Maker<T> maker) throws TlsException {
    this.what = what;
    this.files = List.copyOf(files);
    this.maker = maker;
    this.used = digest();
    this.current = maker.make();
  }

  T current() {
    return current;
  }

  /** Whether the last look found files that cannot be used. */
  boolean isRefused() {
    return said;
  }

  /** Looks whether the files have changed. Reads them; not for a loop. */
  void look() {
    try {
      byte[] now = digest();
      if (Arrays.equals(now, used)) {
        refused = null;
        said = false;
        return;
      }
      try {
        current = maker.make();
        used = now;
        refused = null;
        said = false;
        log.info("{} was read anew from {}", what, files);
      } catch (TlsException e) {
        refuse(now, e);
      }
    } catch (TlsException e) {
      refuse(new byte[0], e);
    }
  }

  private void refuse(byte[] contents, TlsException why) {
    if (said && Arrays.equals(contents, refused)) {
      return;
    }
    if (refused != null && Arrays.equals(contents, refused)) {
      said = true;
      log.warn(
          "{} has changed and cannot be used, the one before is kept: {}", what, why.getMessage());
    }
    refused = contents;
  }

  private byte[] digest() throws TlsException {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (Path file : files) {
        digest.update(SmallFile.read(file));
        digest.update((byte) 0);
      }
      return digest.digest();
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
