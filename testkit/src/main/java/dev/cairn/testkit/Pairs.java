// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import dev.cairn.tools.ToolsMain;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;

/** Real pairs to store: names and descriptions of packages, the file that the demo loads. */
public final class Pairs {
  private Pairs() {}

  /** All of them, in the file's order; names differ. */
  public static List<Map.Entry<String, String>> packages() {
    List<Map.Entry<String, String>> pairs = new ArrayList<>();
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(
                new GZIPInputStream(ToolsMain.class.getResourceAsStream("packages.tsv.gz")),
                StandardCharsets.UTF_8))) {
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
