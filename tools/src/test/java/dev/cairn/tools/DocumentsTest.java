// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** What the documents name is there: commands, their options, files, headings, tests, decisions. */
class DocumentsTest {
  private static final Path CHECKOUT = Path.of(System.getProperty("cairn.checkout", ".."));
  private static final Pattern COMMAND = Pattern.compile("\\./cairn ([a-z]+)([^`\\n#]*)");
  private static final Pattern OPTION = Pattern.compile("--([a-z][a-z-]*)");
  private static final Pattern LINK =
      Pattern.compile("(?:]\\(|\\bsrc=\"|\\bsrcset=\")([^)\\s\"]+)[)\"]");
  private static final Pattern TEST = Pattern.compile("`([A-Z]\\w*Test)(?:\\.(\\w+))?`");
  private static final Pattern RUNBOOK = Pattern.compile("(?m)^ *runbook: \"([^\"#]+)#([^\"]+)\"$");
  private static final Pattern DECISION = Pattern.compile("docs/design/decisions/(\\d{4})");
  private static final Pattern CLASS =
      Pattern.compile("`(?:[a-z]+/)?([A-Z][a-z]+(?:[A-Z][a-z]+)+)(?:\\.\\w+)?`");

  /** Names in the documents that look like classes of ours and are others'. */
  private static final Set<String> FOREIGN =
      Set.of(
          "ConnectionError",
          "LogStorage",
          "RaftMetaStorage",
          "RedisCacheManager",
          "RedisCommandTimeoutException",
          "RejectionInversionZipfSampler",
          "SslHandler",
          "StringRedisTemplate",
          "ZipfDistribution");

  /** The server's own subcommands, and where their options are listed. */
  private static final Set<String> OF_THE_NODE = Set.of("node", "log", "cert");

  @Test
  void everyCommandIsThereWithItsOptions() throws IOException {
    CommandLine tools = new CommandLine(new ToolsMain(Streams.ofProcess()));
    String settings = text(CHECKOUT.resolve("docs/reference/configuration.md"));
    List<String> faults = new ArrayList<>();
    for (Path document : documents()) {
      Matcher command = COMMAND.matcher(text(document));
      while (command.find()) {
        String name = command.group(1);
        CommandLine found = tools.getSubcommands().get(name);
        if (found == null && !OF_THE_NODE.contains(name)) {
          faults.add(document + ": ./cairn " + name);
        }
        Matcher option = OPTION.matcher(command.group(2));
        while (option.find()) {
          boolean known =
              found != null
                  ? found.getCommandSpec().findOption(option.group()) != null
                  : option.group().equals("--data") || settings.contains("`" + option.group());
          if (!known) {
            faults.add(document + ": " + command.group().strip());
          }
        }
      }
    }
    assertThat(faults).isEmpty();
  }

  @Test
  void everyLinkLeadsToAFileAndAHeading() throws IOException {
    List<String> faults = new ArrayList<>();
    for (Path document : documents()) {
      Matcher link = LINK.matcher(text(document));
      while (link.find()) {
        String target = link.group(1);
        if (target.startsWith("http:") || target.startsWith("https:")) {
          continue;
        }
        String[] parts = target.split("#", 2);
        Path file =
            parts[0].isEmpty() ? document : document.resolveSibling(parts[0]).toAbsolutePath();
        boolean there = Files.exists(file);
        if (there && parts.length == 2) {
          there = headings(file).contains(parts[1]);
        }
        if (!there) {
          faults.add(document + ": " + target);
        }
      }
    }
    assertThat(faults).isEmpty();
  }

  @Test
  void everyTestAndClassThatIsNamedIsThere() throws IOException {
    Map<String, Path> sources = sources();
    List<String> faults = new ArrayList<>();
    for (Path document : documents()) {
      String text = text(document);
      Matcher test = TEST.matcher(text);
      while (test.find()) {
        Path source = sources.get(test.group(1));
        String method = test.group(2);
        if (source == null || (method != null && !text(source).contains("void " + method + "("))) {
          faults.add(document + ": " + test.group());
        }
      }
      Matcher named = CLASS.matcher(text);
      while (named.find()) {
        if (!sources.containsKey(named.group(1)) && !FOREIGN.contains(named.group(1))) {
          faults.add(document + ": " + named.group());
        }
      }
    }
    assertThat(faults).isEmpty();
  }

  @Test
  void everyDecisionThatIsCitedIsThere() throws IOException {
    Set<String> decisions;
    try (Stream<Path> files = Files.list(CHECKOUT.resolve("docs/design/decisions"))) {
      decisions =
          files
              .map(file -> file.getFileName().toString().substring(0, 4))
              .collect(Collectors.toSet());
    }
    List<Path> citing = new ArrayList<>(sources().values());
    citing.add(CHECKOUT.resolve("pom.xml"));
    citing.addAll(documents());
    List<String> faults = new ArrayList<>();
    for (Path file : citing) {
      Matcher cited = DECISION.matcher(text(file));
      while (cited.find()) {
        if (!decisions.contains(cited.group(1))) {
          faults.add(file + ": " + cited.group());
        }
      }
    }
    assertThat(faults).isEmpty();
  }

  /** Whoever is woken by an alert finds what to do about it. */
  @Test
  void everyAlertNamesAHeadingAsItsRunbook() throws IOException {
    List<String> faults = new ArrayList<>();
    int alerts = 0;
    try (Stream<Path> files = Files.list(CHECKOUT.resolve("ops"))) {
      for (Path file : files.filter(one -> one.toString().endsWith(".yaml")).sorted().toList()) {
        String[] rules = text(file).split("(?m)^ *- alert: ");
        for (String rule : List.of(rules).subList(1, rules.length)) {
          alerts++;
          Matcher runbook = RUNBOOK.matcher(rule);
          boolean there =
              runbook.find()
                  && Files.exists(CHECKOUT.resolve(runbook.group(1)))
                  && headings(CHECKOUT.resolve(runbook.group(1))).contains(runbook.group(2));
          if (!there) {
            faults.add(file + ": " + rule.lines().findFirst().orElse(""));
          }
        }
      }
    }
    assertThat(faults).isEmpty();
    assertThat(alerts).as("alerts were found").isGreaterThan(5);
  }

  private static Set<Path> documents() throws IOException {
    Set<Path> documents = new TreeSet<>();
    for (String top : List.of("README.md", "CHANGELOG.md", "CONTRIBUTING.md")) {
      documents.add(CHECKOUT.resolve(top));
    }
    try (Stream<Path> files = Files.walk(CHECKOUT.resolve("docs"))) {
      files.filter(file -> file.toString().endsWith(".md")).forEach(documents::add);
    }
    return documents;
  }

  /** All classes of ours, by simple name. */
  private static Map<String, Path> sources() throws IOException {
    Map<String, Path> sources = new HashMap<>();
    List<Path> modules;
    try (Stream<Path> folders = Files.list(CHECKOUT)) {
      modules = folders.map(folder -> folder.resolve("src")).filter(Files::isDirectory).toList();
    }
    for (Path module : modules) {
      try (Stream<Path> files = Files.walk(module)) {
        files
            .filter(file -> file.toString().endsWith(".java"))
            .forEach(file -> sources.put(nameOf(file), file));
      }
    }
    return sources;
  }

  private static String nameOf(Path source) {
    return source.getFileName().toString().replace(".java", "");
  }

  /** As they are linked to: lower case, blanks as hyphens, without punctuation. */
  private static Set<String> headings(Path document) throws IOException {
    return text(document)
        .lines()
        .filter(line -> line.startsWith("#"))
        .map(line -> line.replaceFirst("#+ ", "").toLowerCase(Locale.ROOT))
        .map(heading -> heading.replaceAll("[^a-z0-9 _-]", "").replace(' ', '-'))
        .collect(Collectors.toSet());
  }

  private static String text(Path file) throws IOException {
    return Files.readString(file, StandardCharsets.UTF_8);
  }
}
