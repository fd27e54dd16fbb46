// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import dev.cairn.tools.ToolsMain;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;

/** Real pairs to store: names and descriptions of packages, the file that the demo loads. */
public final class Pairs {
  private Pairs() {}

  /** All of them, in the file's order; names differ. */
  public static List<Map.Entry<String, String>> packages() {
    return read(ToolsMain.class.getResourceAsStream("packages.tsv.gz"));
  }

  /** All of another file of the same form, compressed by gzip. */
  public static List<Map.Entry<String, String>> of(Path file) {
    try {
      return read(Files.newInputStream(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<Map.Entry<String, String>> read(InputStream compressed) {
    List<Map.Entry<String, String>> pairs = new ArrayList<>();
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(new GZIPInputStream(compressed), StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        int tab = line.indexOf('\t');
        pairs.add(Map.entry(line.substring(0, tab), line.substring(tab + 1)));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return pairs;
  }
}
