// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Rules that keep the pages readable. A bound may become tighter, never looser, and no page is an
 * exception, but that decisions have dates.
 */
class PagesTest {
  private static final Path CHECKOUT = Path.of(System.getProperty("cairn.checkout", ".."));
  private static final Path DOCS = CHECKOUT.resolve("docs");
  private static final Path DECISIONS = DOCS.resolve("design/decisions");

  private static final int COLUMNS_MAX = 160;
  private static final int SENTENCE_WORDS_MAX = 40;

  /** Pages that everybody reads. */
  private static final Map<String, Integer> WORDS_MAX =
      Map.of("README.md", 900, "docs/design/performance.md", 900, "docs/status.md", 400);

  /** Each page is a guide, a reference or an explanation, but for these about Cairn as a whole. */
  private static final Set<String> KINDS = Set.of("guide", "reference", "design");

  private static final Set<String> OF_NO_KIND = Set.of("compare.md", "origin.md", "status.md");

  private static final Pattern DATED =
      Pattern.compile(
          "\\b20\\d\\d-\\d\\d-\\d\\d\\b|\\b(?:today|tonight|yesterday|nowadays)\\b"
              + "|\\b(?:that|this|same|next|one) (?:day|evening|morning|afternoon|night)\\b"
              + "|\\bat night\\b",
          Pattern.CASE_INSENSITIVE);

  /** A page or picture as code, scripts and other texts name it. */
  private static final Pattern NAMED =
      Pattern.compile("(?<![\\w/.-])docs/[\\w/-]+(?:\\.(?:md|svg|png))?");

  private static final Set<String> TEXTS =
      Set.of("java", "js", "mjs", "py", "yaml", "xml", "md", "txt", "properties", "");

  private static final Set<String> NOT_OURS = Set.of("target", "node_modules", "data", ".git");

  @Test
  void everyPageStandsByItsKind() throws IOException {
    List<String> faults = new ArrayList<>();
    for (Path file : below(DOCS)) {
      Path place = DOCS.relativize(file);
      boolean ofItsKind = place.getNameCount() > 1 && KINDS.contains(place.getName(0).toString());
      if (!ofItsKind && !OF_NO_KIND.contains(place.toString())) {
        faults.add(place.toString());
      }
    }
    assertThat(faults).isEmpty();
  }

  @Test
  void noLineIsTooWide() throws IOException {
    List<String> faults = new ArrayList<>();
    for (Path file : pages()) {
      Page.read(file).widerThan(COLUMNS_MAX).forEach(line -> faults.add(nameOf(file) + ":" + line));
    }
    assertThat(faults).as("more than %d columns outside a table", COLUMNS_MAX).isEmpty();
  }

  @Test
  void noSentenceIsTooLong() throws IOException {
    List<String> faults = new ArrayList<>();
    for (Path file : pages()) {
      Page.read(file).sentences().stream()
          .filter(sentence -> Page.words(sentence) > SENTENCE_WORDS_MAX)
          .forEach(sentence -> faults.add(nameOf(file) + ": " + sentence));
    }
    assertThat(faults).as("more than %d words", SENTENCE_WORDS_MAX).isEmpty();
  }

  @Test
  void noPageTellsOfADay() throws IOException {
    List<String> faults = new ArrayList<>();
    for (Path file : pages()) {
      if (file.startsWith(DECISIONS)) {
        continue;
      }
      Matcher dated = DATED.matcher(Files.readString(file));
      while (dated.find()) {
        faults.add(nameOf(file) + ": " + dated.group());
      }
    }
    assertThat(faults).as("history belongs to decisions and CHANGELOG.md").isEmpty();
  }

  @Test
  void thePagesThatEverybodyReadsAreShort() throws IOException {
    List<String> faults = new ArrayList<>();
    for (Map.Entry<String, Integer> bound : WORDS_MAX.entrySet()) {
      int words = Page.read(CHECKOUT.resolve(bound.getKey())).words();
      if (words > bound.getValue()) {
        faults.add(bound.getKey() + " has " + words + " words of " + bound.getValue());
      }
    }
    assertThat(faults).isEmpty();
  }

  /** A page that moves takes with it whoever names it: comments, help, scripts, runbooks. */
  @Test
  void everyPageThatIsNamedIsThere() throws IOException {
    Set<String> decisions = new TreeSet<>();
    for (Path decision : below(DECISIONS)) {
      decisions.add("docs/design/decisions/" + decision.getFileName().toString().substring(0, 4));
    }
    List<String> faults = new ArrayList<>();
    int named = 0;
    for (Path file : texts()) {
      Matcher name = NAMED.matcher(Files.readString(file, StandardCharsets.ISO_8859_1));
      while (name.find()) {
        named++;
        if (!Files.exists(CHECKOUT.resolve(name.group())) && !decisions.contains(name.group())) {
          faults.add(nameOf(file) + ": " + name.group());
        }
      }
    }
    assertThat(faults).isEmpty();
    assertThat(named).as("names were found").isGreaterThan(50);
  }

  @Test
  void proseIsWhatIsLeftWithoutCodeAndTables() {
    Page page =
        Page.of(
            """
            # A heading of four

            One sentence, *here.* Another [with a link](of/many/words.md "and more") goes
            on in its second line: e.g. so.

                code of a block

            | a | table |
            - an item
              that goes on

              and its second paragraph

            1. a number
            ```java
            fenced();
            ```
            The end.
            """);

    assertThat(page.sentences())
        .containsExactly(
            "One sentence, *here.",
            "Another with a link goes on in its second line: e.g. so.",
            "an item that goes on",
            "and its second paragraph",
            "a number",
            "The end.");
    assertThat(Page.words("Two `words` - and | a number: 7.")).isEqualTo(6);
    assertThat(Page.of("a\n| b |\n\n    c - d").words()).isEqualTo(7);
    assertThat(Page.of("123\n1234\n| 34 |\n    ab").widerThan(3)).containsExactly(2, 4);
  }

  /** What people read first, and all of docs/. CHANGELOG.md is history, and has no bounds. */
  private static List<Path> pages() throws IOException {
    List<Path> pages = new ArrayList<>();
    pages.add(CHECKOUT.resolve("README.md"));
    pages.add(CHECKOUT.resolve("CONTRIBUTING.md"));
    pages.addAll(below(DOCS));
    return pages;
  }

  private static List<Path> below(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(file -> file.toString().endsWith(".md")).sorted().toList();
    }
  }

  private static List<Path> texts() throws IOException {
    List<Path> texts = new ArrayList<>();
    List<Path> folders = new ArrayList<>(List.of(CHECKOUT));
    while (!folders.isEmpty()) {
      Path folder = folders.remove(folders.size() - 1);
      try (Stream<Path> files = Files.list(folder)) {
        for (Path file : files.sorted().toList()) {
          String name = file.getFileName().toString();
          if (Files.isDirectory(file)) {
            if (!NOT_OURS.contains(name)) {
              folders.add(file);
            }
          } else if (TEXTS.contains(extensionOf(name))) {
            texts.add(file);
          }
        }
      }
    }
    return texts;
  }

  private static String extensionOf(String name) {
    int dot = name.lastIndexOf('.');
    return dot < 0 ? "" : name.substring(dot + 1);
  }

  private static String nameOf(Path file) {
    return CHECKOUT.relativize(file).toString();
  }
}
