// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaPackage;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * The listing of folders is the architecture; this holds it:
 *
 * <pre>
 *   node → { resp, http } → command → routing → partition → replication
 *        → { operation, cluster } → { raft, storage, access }
 *   metrics, value, peer → tls: leaves for all; so is the module state
 * </pre>
 */
class ArchitectureTest {
  private static final String ROOT = "dev.cairn.server";

  /** From left to right: a package imports only from layers to its right. */
  private static final List<List<String>> LAYERS =
      List.of(
          List.of("node"),
          List.of("resp", "http"),
          List.of("command"),
          List.of("routing"),
          List.of("partition"),
          List.of("replication"),
          List.of("operation", "cluster"),
          List.of("raft", "storage", "access"),
          List.of("metrics", "value", "peer"),
          List.of("tls"));

  /** The database behind a state is in storage; what it owes a state is said there. */
  private static final String STATE = "dev.cairn.state";

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .withImportOption(location -> !location.contains("-tests.jar")) // other modules' tests
          .importPackages("dev.cairn");

  @TestFactory
  Stream<DynamicTest> packagesImportOnlyRightwards() {
    return Stream.iterate(0, i -> i < LAYERS.size(), i -> i + 1)
        .flatMap(
            layer ->
                LAYERS.get(layer).stream()
                    .map(
                        name -> {
                          String[] forbidden =
                              LAYERS.subList(0, layer + 1).stream()
                                  .flatMap(List::stream)
                                  .filter(other -> !other.equals(name))
                                  .map(ArchitectureTest::tree)
                                  .toArray(String[]::new);
                          return DynamicTest.dynamicTest(
                              name,
                              () ->
                                  check(
                                      noClasses()
                                          .that()
                                          .resideInAPackage(tree(name))
                                          .should()
                                          .dependOnClassesThat()
                                          .resideInAnyPackage(forbidden)));
                        }));
  }

  @Test
  void everyPackageHasItsPlace() {
    List<String> known =
        LAYERS.stream().flatMap(List::stream).map(name -> ROOT + "." + name).toList();

    assertThat(CLASSES.stream().map(JavaClass::getPackageName).distinct())
        .filteredOn(name -> name.startsWith(ROOT))
        .allSatisfy(
            name ->
                assertThat(known)
                    .as("%s is in no layer: give it one here and in the design", name)
                    .anyMatch(layer -> name.equals(layer) || name.startsWith(layer + ".")));
  }

  @Test
  void operationsKnowNothingOfReplicas() {
    check(
        noClasses()
            .that()
            .resideInAPackage(tree("operation"))
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(tree("raft"), tree("cluster"), tree("peer")));
  }

  @Test
  void replicationKnowsNeitherEntriesNorData() {
    check(
        noClasses()
            .that()
            .resideInAPackage(tree("replication"))
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(tree("operation"), tree("storage"), tree("value")));
  }

  @Test
  void raftAndStorageImportNothingOfOursButLeaves() {
    for (String name : List.of("raft", "storage")) {
      check(
          classes()
              .that()
              .resideInAPackage(tree(name))
              .should()
              .onlyDependOnClassesThat(
                  new DescribedPredicate<JavaClass>("are not ours") {
                    @Override
                    public boolean test(JavaClass target) {
                      JavaClass type = target.getBaseComponentType();
                      return !type.getPackageName().startsWith("dev.cairn")
                          || type.getPackageName().startsWith(ROOT + "." + name)
                          || type.getPackageName().startsWith(ROOT + ".metrics")
                          || (name.equals("raft")
                              && type.getPackageName().startsWith(ROOT + ".peer"))
                          || (name.equals("storage") && type.getPackageName().equals(STATE));
                    }
                  }));
    }
  }

  @Test
  void metricsTlsAndButForItPeerAreLeaves() {
    for (String leaf : List.of("metrics", "peer", "tls")) {
      check(
          noClasses()
              .that()
              .resideInAPackage(tree(leaf))
              .should()
              .dependOnClassesThat()
              .resideInAnyPackage(
                  LAYERS.stream()
                      .flatMap(List::stream)
                      .filter(name -> !name.equals(leaf))
                      .filter(name -> !(leaf.equals("peer") && name.equals("tls")))
                      .map(ArchitectureTest::tree)
                      .toArray(String[]::new)));
    }
  }

  @Test
  void onlyTlsTouchesBouncyCastle() {
    onlyMayTouch("org.bouncycastle..", "tls");
  }

  @Test
  void onlyStorageTouchesRocksDb() {
    onlyMayTouch("org.rocksdb..", "storage");
  }

  @Test
  void onlyMetricsTouchesMicrometer() {
    onlyMayTouch("io.micrometer..", "metrics");
    onlyMayTouch("io.prometheus..", "metrics");
  }

  @Test
  void onlyRespHttpPeerAndTlsTouchNetty() {
    onlyMayTouch("io.netty..", "resp", "http", "peer", "tls");
  }

  @Test
  void onlyNodeTouchesTheCommandLineParserAndTheLogger() {
    onlyMayTouch("picocli..", "node");
    onlyMayTouch("ch.qos.logback..", "node");
  }

  /** A package's documentation compiles to nothing: looked for among the sources. */
  @Test
  void everyPackageSaysWhatItIs() throws IOException {
    Path sources =
        Path.of(System.getProperty("cairn.checkout", ".."), "server", "src", "main", "java");
    if (!Files.isDirectory(sources)) {
      sources = Path.of("src", "main", "java");
    }
    Path root = sources;
    assertThat(
            CLASSES.stream()
                .map(JavaClass::getPackage)
                .map(JavaPackage::getName)
                .filter(name -> name.startsWith(ROOT))
                .distinct())
        .isNotEmpty()
        .allSatisfy(
            name ->
                assertThat(root.resolve(name.replace('.', '/')).resolve("package-info.java"))
                    .exists());
  }

  private static void onlyMayTouch(String library, String... names) {
    check(
        noClasses()
            .that()
            .resideOutsideOfPackages(
                Stream.of(names).map(ArchitectureTest::tree).toArray(String[]::new))
            .should()
            .dependOnClassesThat()
            .resideInAPackage(library));
  }

  private static void check(ArchRule rule) {
    rule.allowEmptyShould(true).check(CLASSES);
  }

  private static String tree(String name) {
    return ROOT + "." + name + "..";
  }
}
