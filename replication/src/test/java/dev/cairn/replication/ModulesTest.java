// SPDX-License-Identifier: Apache-2.0
package dev.cairn.replication;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/**
 * Consensus, log and state know nothing of each other; this module knows the first two, and nothing
 * else.
 */
class ModulesTest {
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .withImportOption(location -> !location.contains("-tests.jar")) // other modules' tests
          .importPackages("dev.cairn");

  @Test
  void eachImportsWhatItMay() {
    mayImport("dev.cairn.consensus");
    mayImport("dev.cairn.log", "com.sun.nio.file"); // O_DIRECT
    mayImport("dev.cairn.state");
    mayImport("dev.cairn.replication", "dev.cairn.consensus", "dev.cairn.log");
  }

  private static void mayImport(String name, String... others) {
    String[] all = Arrays.copyOf(others, others.length + 2);
    all[others.length] = name;
    all[others.length + 1] = "java..";
    classes()
        .that()
        .resideInAPackage(name)
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(all)
        .check(CLASSES);
  }

  /** What a simulator is to run has no thread, clock or file of its own. */
  @Test
  void onlyTheRimTouchesThreadsClocksAndFiles() {
    classes()
        .that()
        .resideInAnyPackage(
            "dev.cairn.consensus", "dev.cairn.log", "dev.cairn.state", "dev.cairn.replication")
        .and()
        .haveNameNotMatching("dev\\.cairn\\.log\\.(FolderFiles|ReadOnlyFolder|LogThread)(\\$.*)?")
        .should()
        .onlyDependOnClassesThat()
        .haveNameNotMatching(
            "java\\.(lang\\.Thread|nio\\.channels\\..*|nio\\.file\\..*|net\\..*|time\\..*|io\\.File.*|util\\.concurrent\\..*)")
        .check(CLASSES);
  }
}
