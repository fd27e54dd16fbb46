// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A page in Markdown, as far as the rules of {@link PagesTest} need it: its prose is what is left
 * without headings, tables, code and HTML. A line that is indented by four blanks is code, unless
 * it goes on with a paragraph or a list.
 *
 * @param file where it is
 * @param lines all of it
 */
record Page(Path file, List<String> lines) {
  private static final Pattern ITEM = Pattern.compile("^ *(?:[-*]|\\d+\\.) +");
  private static final Pattern LINK = Pattern.compile("\\[([^]]*)]\\([^)]*\\)");
  private static final Pattern END = Pattern.compile("(?<=[.!?])[*_)\"]*\\s+(?=[^a-z])");
  private static final Pattern BLANKS = Pattern.compile("\\s+");
  private static final Pattern LETTER = Pattern.compile("[\\p{L}\\p{N}_]");

  static Page read(Path file) throws IOException {
    return new Page(file, Files.readAllLines(file, StandardCharsets.UTF_8));
  }

  static Page of(String text) {
    return new Page(Path.of("page.md"), text.lines().toList());
  }

  /** Words of the whole page, tables and code included: what `wc -w` counts. */
  int words() {
    return (int)
        lines.stream().flatMap(BLANKS::splitAsStream).filter(word -> !word.isEmpty()).count();
  }

  /** The sentences of its prose, links as their text. */
  List<String> sentences() {
    return paragraphs().stream()
        .map(paragraph -> LINK.matcher(paragraph).replaceAll("$1"))
        .flatMap(END::splitAsStream)
        .toList();
  }

  /** Words of a sentence: what has a letter or a digit. */
  static int words(String sentence) {
    return (int) BLANKS.splitAsStream(sentence).filter(word -> LETTER.matcher(word).find()).count();
  }

  /**
   * Numbers of the lines, from 1, that have more columns than that; rows of tables cannot break.
   */
  List<Integer> widerThan(int columns) {
    List<Integer> wide = new ArrayList<>();
    for (int i = 0; i < lines.size(); i++) {
      if (columnsOf(lines.get(i)) > columns && !lines.get(i).startsWith("|")) {
        wide.add(i + 1);
      }
    }
    return wide;
  }

  private static int columnsOf(String line) {
    return line.codePointCount(0, line.length());
  }

  private List<String> paragraphs() {
    List<String> paragraphs = new ArrayList<>();
    StringBuilder paragraph = new StringBuilder();
    boolean fenced = false;
    boolean listed = false;
    for (String line : lines) {
      String text = line.strip();
      boolean fence = text.startsWith("```");
      fenced ^= fence;
      if (fence || fenced) {
        end(paragraph, paragraphs);
        continue;
      }
      boolean item = ITEM.matcher(line).find() && (listed || !line.startsWith("    "));
      boolean code = line.startsWith("    ") && !listed && paragraph.isEmpty();
      if (text.isEmpty() || item || code || Stream.of("|", "<", "#").anyMatch(text::startsWith)) {
        end(paragraph, paragraphs);
        listed = item || (listed && (text.isEmpty() || line.startsWith(" ")));
      } else if (paragraph.isEmpty() && !line.startsWith(" ")) {
        listed = false;
      }
      if (item) {
        paragraph.append(ITEM.matcher(line).replaceFirst(""));
      } else if (!code && Stream.of("|", "<", "#").noneMatch(text::startsWith)) {
        paragraph.append(paragraph.isEmpty() ? "" : " ").append(text);
      }
    }
    end(paragraph, paragraphs);
    return paragraphs;
  }

  private static void end(StringBuilder paragraph, List<String> paragraphs) {
    if (!paragraph.isEmpty()) {
      paragraphs.add(paragraph.toString());
      paragraph.setLength(0);
    }
  }
}
