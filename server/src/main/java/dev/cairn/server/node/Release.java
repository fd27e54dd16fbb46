// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;
import picocli.CommandLine.IVersionProvider;

/** Which release this is, as the build wrote it down. */
final class Release implements IVersionProvider {
  @Override
  public String[] getVersion() {
    return new String[] {
      "cairn %s (Java %s, %s %s)"
          .formatted(
              version(),
              System.getProperty("java.version"),
              System.getProperty("os.name"),
              System.getProperty("os.arch"))
    };
  }

  /** Such as {@code 0.1.0}. */
  static String version() {
    try (InputStream stream = Release.class.getResourceAsStream("release.properties")) {
      Properties properties = new Properties();
      properties.load(stream);
      return properties.getProperty("version");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
