// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.clients;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.testkit.ProcessCluster;
import dev.cairn.testkit.Secured;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Client libraries over TLS, as a user of few rights: they work on both ports, are refused what is
 * not their user's, and are not let in with another password.
 */
abstract class SecuredLibraries extends LibrariesAtWork {
  static final String USER = "app";
  static final String PASSWORD = "a-password-of-an-app";

  /** Neither of its keys nor of its commands. */
  private static final String SOMEBODY_ELSES = "salaries";

  private static final String RULES =
      "user %s on >%s ~key* ~short ~visits ~{user7}* ~books::*".formatted(USER, PASSWORD)
          + " +@read +@write +@transaction +@connection -@dangerous +keys +info +command +cluster"
          + " +config|get";

  @TempDir static Path folder;
  Secured secured;

  /** The libraries. */
  abstract List<Library> connect(Seed seed);

  @Override
  final ProcessCluster described() {
    secured = Secured.in(folder, RULES);
    return ProcessCluster.of(3).in(secured).start();
  }

  @Override
  final List<Library> connect() {
    return connect(
        Seed.of(cluster, 0, Optional.of(new Seed.Account(secured.ca(), USER, PASSWORD))));
  }

  @Order(3)
  @TestFactory
  Stream<DynamicTest> eachIsRefusedWhatIsNotItsUsers() {
    return each(
        libraries,
        library -> {
          List<String> met = library.reading(SOMEBODY_ELSES);
          assertThat(met).isNotEmpty().allMatch(told -> told.contains("NOPERM"));
        });
  }

  @Order(4)
  @TestFactory
  Stream<DynamicTest> noneIsLetInWithAnotherPassword() {
    return each(
        libraries,
        library -> {
          List<String> met = library.comingWith("another-password");
          assertThat(met).isNotEmpty().allMatch(told -> told.contains("WRONGPASS"));
          library.worksOnTheClientPort(); // those that are in stay
        });
  }
}
