// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.differential;

import dev.cairn.protocol.RespWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What one connection says in one go, and how the bytes that come back are compared.
 *
 * <pre>
 * file     := (comment | probe)*
 * comment  := "#" anything
 * probe    := "[" name "]" line*
 * line     := "mask" quoted         what this regular expression finds may differ, and lengths with it
 *           | "sorted"              lines are compared in any order
 *           | "open"                no QUIT behind it: the client says that this was all
 *           | "known" reason        the answers differ, and are meant to
 *           | "&lt; " text             these bytes
 *           | word (" " word)*      a request of these words
 * word     := quoted | anything without a blank
 * </pre>
 *
 * <p>Escapes are Java's, octal ones included; characters are bytes.
 *
 * @param name which no other has
 * @param request the bytes
 * @param masks whatever they find may differ
 * @param sorted whether the order of lines is left open
 * @param open whether the client ends the connection, not QUIT
 * @param known why the answers differ; empty: they must not
 */
record Probe(
    String name,
    byte[] request,
    List<Pattern> masks,
    boolean sorted,
    boolean open,
    Optional<String> known) {
  private static final String FILE = "manners.txt";
  private static final Pattern WORD = Pattern.compile("\"(?:[^\"\\\\]|\\\\.)*\"|[^ ]+");
  private static final Pattern LENGTH = Pattern.compile("(?m)^[$=]\\d+(?=\\r)");

  /** All that there are, in their order. */
  static List<Probe> all() {
    try (InputStream in = Probe.class.getResourceAsStream(FILE)) {
      return parse(new String(in.readAllBytes(), StandardCharsets.ISO_8859_1));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + FILE, e);
    }
  }

  static List<Probe> parse(String text) {
    List<Probe> all = new ArrayList<>();
    List<String> lines = new ArrayList<>();
    for (String line : text.lines().toList()) {
      if (line.startsWith("[")) {
        close(lines, all);
        lines.add(line);
      } else if (!line.isEmpty() && !line.startsWith("#")) {
        lines.add(line);
      }
    }
    close(lines, all);
    return List.copyOf(all);
  }

  private static void close(List<String> lines, List<Probe> all) {
    if (lines.isEmpty()) {
      return;
    }
    ByteArrayOutputStream request = new ByteArrayOutputStream();
    List<Pattern> masks = new ArrayList<>();
    boolean sorted = lines.contains("sorted");
    boolean open = lines.contains("open");
    Optional<String> known = Optional.empty();
    for (String line : lines.subList(1, lines.size())) {
      if (line.startsWith("mask ")) {
        masks.add(Pattern.compile(unquoted(line.substring(5))));
      } else if (line.startsWith("known ")) {
        known = Optional.of(line.substring(6));
      } else if (!line.equals("sorted") && !line.equals("open")) {
        request.writeBytes(line.startsWith("< ") ? bytes(line.substring(2)) : command(line));
      }
    }
    String name = lines.get(0).substring(1, lines.get(0).length() - 1);
    all.add(new Probe(name, request.toByteArray(), masks, sorted, open, known));
    lines.clear();
  }

  private static byte[] command(String line) {
    List<byte[]> words = new ArrayList<>();
    Matcher word = WORD.matcher(line);
    while (word.find()) {
      words.add(unquoted(word.group()).getBytes(StandardCharsets.ISO_8859_1));
    }
    return RespWriter.command(words.toArray(new byte[0][]));
  }

  private static String unquoted(String word) {
    boolean quoted = word.length() > 1 && word.startsWith("\"") && word.endsWith("\"");
    return (quoted ? word.substring(1, word.length() - 1) : word).translateEscapes();
  }

  private static byte[] bytes(String text) {
    return text.translateEscapes().getBytes(StandardCharsets.ISO_8859_1);
  }

  /** An answer as it is compared: what may differ is the same in all. */
  String comparable(byte[] answer) {
    String text = new String(answer, StandardCharsets.ISO_8859_1);
    for (Pattern mask : masks) {
      text = mask.matcher(text).replaceAll("~");
    }
    if (!masks.isEmpty()) {
      text = LENGTH.matcher(text).replaceAll("~");
    }
    return sorted
        ? Arrays.stream(text.split("\r\n")).sorted().collect(Collectors.joining("\r\n"))
        : text;
  }
}
