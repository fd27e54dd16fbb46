// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaConstructor;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Bounds that hold the code to a size that a newcomer can read. What passed a bound when it was set
 * is named here with its size, which may only shrink: a size that is smaller than it says here must
 * be lowered here too, and one that is within the bound taken out.
 *
 * <p>A circle is a set of files of one package each of which needs each other, by way of others
 * perhaps: none of them can be understood before all are. Constants are not seen, since the
 * compiler copies them.
 */
class RatchetTest {
  private static final String ROOT = "dev.cairn.server";
  private static final Path CHECKOUT = Path.of(System.getProperty("cairn.checkout", ".."));

  private static final int CIRCLE_FILES_MAX = 3;
  private static final int FUNCTION_LINES_MAX = 70;
  private static final int FILE_LINES_MAX = 450;
  private static final int CONSTRUCTOR_PARAMETERS_MAX = 8;

  private static final Map<String, Integer> LARGE_CIRCLES =
      Map.of("metrics: CommandMetrics Metrics ProcessFigures Samples SinceReset", 5);

  private static final Map<String, Integer> LONG_FUNCTIONS =
      Map.of("partition/ReplicaOpener.open", 78);

  private static final Map<String, Integer> LONG_FILES =
      Map.ofEntries(
          Map.entry("bench/Network", 583),
          Map.entry("client/CairnClient", 668),
          Map.entry("node/Introduction", 487),
          Map.entry("peer/Link", 521),
          Map.entry("peer/PeerTransport", 534),
          Map.entry("routing/Lane", 511),
          Map.entry("storage/Generation", 520));

  private static final Map<String, Integer> WIDE_CONSTRUCTORS =
      Map.ofEntries(
          Map.entry("cluster.Member", 9),
          Map.entry("cluster.NodeReport", 11),
          Map.entry("cluster.NodeReport$PartitionReport", 9),
          Map.entry("node.NodeIdentity$Entry", 9),
          Map.entry("partition.PartitionFigures", 11),
          Map.entry("partition.PartitionGroup", 9),
          Map.entry("partition.Partitions", 10),
          Map.entry("partition.ReplicaCare", 9),
          Map.entry("partition.ReplicaOpener", 13));

  private static final Collection<JavaClass> CLASSES =
      List.copyOf(
          new ClassFileImporter()
              .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
              .importPackages(ROOT));

  @Test
  void filesOfAPackageFormNoLargeCircle() {
    Map<String, Map<String, Set<String>>> packages = new TreeMap<>();
    for (JavaClass each : CLASSES) {
      Map<String, Set<String>> files =
          packages.computeIfAbsent(each.getPackageName(), none -> new TreeMap<>());
      Set<String> needs = files.computeIfAbsent(file(each), none -> new TreeSet<>());
      for (Dependency dependency : each.getDirectDependenciesFromSelf()) {
        JavaClass target = dependency.getTargetClass().getBaseComponentType();
        if (target.getPackageName().equals(each.getPackageName())) {
          needs.add(file(target));
        }
      }
    }
    Map<String, Integer> sizes = new TreeMap<>();
    packages.forEach(
        (name, files) ->
            circles(files)
                .forEach(
                    circle ->
                        sizes.put(
                            name.substring(ROOT.length() + 1) + ": " + String.join(" ", circle),
                            circle.size())));
    assertThat(packages).containsKey(ROOT + ".command");
    holds(sizes, CIRCLE_FILES_MAX, LARGE_CIRCLES);
  }

  @Test
  void aCircleIsFound() {
    Map<String, Set<String>> files =
        Map.of(
            "a",
            Set.of("b"),
            "b",
            Set.of("c"),
            "c",
            Set.of("a", "d"),
            "d",
            Set.of("e"),
            "e",
            Set.of());

    assertThat(circles(files)).containsExactly(new TreeSet<>(Set.of("a", "b", "c")));
  }

  @Test
  void functionsFitAScreen() throws IOException {
    Map<String, Integer> sizes = new TreeMap<>();
    for (Path source : sources()) {
      functions(Files.readString(source))
          .forEach((name, lines) -> sizes.merge(name(source) + "." + name, lines, Math::max));
    }
    holds(sizes, FUNCTION_LINES_MAX, LONG_FUNCTIONS);
  }

  @Test
  void aFunctionIsMeasured() {
    String source =
        """
        class A {
          private final Runnable task = () -> { run(); };

          /** A { that is none. */
          @Override
          List<String> one(
              String a, Map<String, int[]> b) throws IOException {
            if (a.equals("}")) {
              return new Thing(a) {
                @Override
                void two() {}
              };
            }
            return List.of();
          }

          A() {
            this(1);
          }
        }
        """;

    assertThat(functions(source)).isEqualTo(Map.of("one", 10, "two", 1, "A", 3));
  }

  @Test
  void filesAreOfReadableLength() throws IOException {
    Map<String, Integer> sizes = new TreeMap<>();
    for (Path source : sources()) {
      sizes.put(name(source), (int) Files.readString(source).lines().count());
    }
    holds(sizes, FILE_LINES_MAX, LONG_FILES);
  }

  /** Many parameters are a record that nobody has named. */
  @Test
  void constructorsTakeFewParameters() {
    Map<String, Integer> sizes = new TreeMap<>();
    for (JavaClass each : CLASSES) {
      if (each.isAnonymousClass() || each.isLocalClass()) {
        continue; // theirs are what they capture
      }
      boolean inner = each.isMemberClass() && !each.getModifiers().contains(JavaModifier.STATIC);
      int hidden = each.isEnum() ? 2 : inner ? 1 : 0;
      String name = each.getName().substring(ROOT.length() + 1);
      for (JavaConstructor constructor : each.getConstructors()) {
        sizes.merge(name, constructor.getRawParameterTypes().size() - hidden, Math::max);
      }
    }
    holds(sizes, CONSTRUCTOR_PARAMETERS_MAX, WIDE_CONSTRUCTORS);
  }

  /** What a package's documentation says that it imports is what it imports. */
  @Test
  void packagesSayTruthfullyWhatTheyImport() throws IOException {
    Map<String, Set<String>> imported = new TreeMap<>();
    for (JavaClass each : CLASSES) {
      Set<String> names = imported.computeIfAbsent(each.getPackageName(), none -> new TreeSet<>());
      for (Dependency dependency : each.getDirectDependenciesFromSelf()) {
        String target = dependency.getTargetClass().getBaseComponentType().getPackageName();
        if (target.startsWith("dev.cairn.") && !target.equals(each.getPackageName())) {
          names.add(
              target.startsWith(ROOT)
                  ? target.substring(ROOT.length() + 1)
                  : target.split("\\.")[2]);
        }
      }
    }
    Map<String, Set<String>> said = new TreeMap<>();
    for (String name : imported.keySet()) {
      Path info = folder("server").resolve(name.replace('.', '/')).resolve("package-info.java");
      said.put(name, saidToBeImported(Files.readString(info)));
    }
    assertThat(said).isEqualTo(imported);
  }

  /** The sentence {@code Imports of ours: a, b.} or {@code Imports nothing of ours.} */
  private static Set<String> saidToBeImported(String documentation) {
    String text = documentation.replaceAll("\\s*\n \\*\\s*", " ");
    if (text.contains("Imports nothing of ours.")) {
      return Set.of();
    }
    Matcher sentence = Pattern.compile("Imports of ours: ([^.]*)\\.").matcher(text);
    assertThat(sentence.find()).as("a sentence 'Imports of ours: ...' in %s", text).isTrue();
    return Stream.of(sentence.group(1).split("[,\\s]+"))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** Nothing is above the bound but what is named, and that has the size that is named. */
  private static void holds(Map<String, Integer> sizes, int max, Map<String, Integer> exceptions) {
    assertThat(sizes).isNotEmpty();
    Map<String, Integer> above = new TreeMap<>();
    sizes.forEach(
        (name, size) -> {
          if (size > max) {
            above.put(name, size);
          }
        });
    assertThat(above)
        .as("more than %d: make it smaller, or lower what this test says of it", max)
        .isEqualTo(new TreeMap<>(exceptions));
  }

  private static String file(JavaClass type) {
    return type.getSource()
        .flatMap(com.tngtech.archunit.core.domain.Source::getFileName)
        .orElseThrow()
        .replace(".java", "");
  }

  private static List<Path> sources() throws IOException {
    List<Path> sources = new ArrayList<>();
    for (String module : List.of("server", "protocol", "client", "tools")) {
      try (Stream<Path> files = Files.walk(folder(module))) {
        files.filter(file -> file.toString().endsWith(".java")).forEach(sources::add);
      }
    }
    return sources;
  }

  private static Path folder(String module) {
    return CHECKOUT.resolve(module).resolve("src").resolve("main").resolve("java");
  }

  private static String name(Path source) {
    return source.getParent().getFileName()
        + "/"
        + source.getFileName().toString().replace(".java", "");
  }

  /** The sets of two files or more that need each other, found by who reaches whom. */
  private static List<Set<String>> circles(Map<String, Set<String>> files) {
    Map<String, Set<String>> reached = new HashMap<>();
    files.keySet().forEach(file -> reached.put(file, reachedFrom(file, files)));
    Map<String, Set<String>> circles = new TreeMap<>();
    for (String file : files.keySet()) {
      Set<String> circle = new TreeSet<>();
      for (String other : reached.get(file)) {
        if (reached.getOrDefault(other, Set.of()).contains(file)) {
          circle.add(other);
        }
      }
      circle.add(file);
      if (circle.size() > 1) {
        circles.put(String.join(" ", circle), circle);
      }
    }
    return List.copyOf(circles.values());
  }

  private static Set<String> reachedFrom(String start, Map<String, Set<String>> files) {
    Set<String> reached = new HashSet<>();
    Deque<String> next = new ArrayDeque<>(List.of(start));
    while (!next.isEmpty()) {
      for (String file : files.getOrDefault(next.poll(), Set.of())) {
        if (reached.add(file)) {
          next.add(file);
        }
      }
    }
    return reached;
  }

  private static final Pattern COMMENT_OR_TEXT =
      Pattern.compile(
          "/\\*.*?\\*/|//[^\n]*|\"\"\".*?\"\"\"|\"(?:\\\\.|[^\"\\\\\n]++)*+\"|'(?:\\\\.|[^'\\\\]++)++'",
          Pattern.DOTALL);

  /** A method or constructor: a line that begins with a name or a type, parameters, a brace. */
  private static final Pattern FUNCTION =
      Pattern.compile(
          "^ *+(?!return |new |else |throw |case )[\\w<>\\[\\],.? @&]*?(\\w+)\\((?:[^(){};]++|\\(\\))*+\\)( throws [\\w., ]+)? *\\{",
          Pattern.MULTILINE);

  private static final Pattern RECORD = Pattern.compile("\\brecord ");

  private static final Set<String> NO_FUNCTIONS =
      Set.of("if", "for", "while", "switch", "catch", "synchronized", "try");

  /** The lines of each function, from its head to its closing brace. */
  private static Map<String, Integer> functions(String source) {
    String code =
        COMMENT_OR_TEXT.matcher(source).replaceAll(found -> found.group().replaceAll("[^\n]", " "));
    Map<String, Integer> functions = new LinkedHashMap<>();
    Matcher head = FUNCTION.matcher(code);
    int from = 0;
    while (head.find(from)) {
      from = head.end();
      if (!NO_FUNCTIONS.contains(head.group(1)) && !RECORD.matcher(head.group()).find()) {
        String function = code.substring(head.start(), closing(code, head.end()));
        functions.merge(head.group(1), (int) function.strip().lines().count(), Math::max);
      }
    }
    return functions;
  }

  /** Where the block ends whose brace stands before a place. */
  private static int closing(String code, int from) {
    int depth = 1;
    int at = from;
    while (depth > 0) {
      char character = code.charAt(at++);
      depth += character == '{' ? 1 : character == '}' ? -1 : 0;
    }
    return at;
  }
}
