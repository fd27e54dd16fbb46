// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import dev.cairn.protocol.Consistency;
import dev.cairn.server.cluster.MemberAddress;
import dev.cairn.server.command.ShutdownBy;
import dev.cairn.server.node.SettingSources.Given;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * Reads single values of what a node is told. Every fault names where the value stands and what
 * would be right.
 *
 * @param given what was given of each setting, and where
 */
record SettingReader(Map<Setting, Given> given) {
  boolean has(Setting setting) {
    return given.containsKey(setting);
  }

  Optional<Integer> number(Setting setting, int min, int max) throws StartException {
    return number(setting, (long) min, max).map(Math::toIntExact);
  }

  Optional<Long> number(Setting setting, long min, long max) throws StartException {
    Given value = given.get(setting);
    if (value == null) {
      return Optional.empty();
    }
    try {
      long number = Long.parseLong(value.text());
      if (number >= min && number <= max) {
        return Optional.of(number);
      }
    } catch (NumberFormatException e) {
      // Said below, like a number out of bounds.
    }
    throw new StartException(
        "%s: '%s' is not a number from %d to %d".formatted(value.origin(), value.text(), min, max));
  }

  boolean flag(Setting setting) throws StartException {
    Given value = given.get(setting);
    if (value == null) {
      return false;
    }
    return switch (value.text()) {
      case "true" -> true;
      case "false" -> false;
      default ->
          throw new StartException(
              "%s: '%s' is neither true nor false".formatted(value.origin(), value.text()));
    };
  }

  ShutdownBy shutdownBy() throws StartException {
    Given value = given.get(Setting.ENABLE_SHUTDOWN);
    if (value == null) {
      return ShutdownBy.LOCAL;
    }
    return ShutdownBy.named(value.text())
        .orElseThrow(
            () ->
                new StartException(
                    "%s: '%s' is none of no, local, yes".formatted(value.origin(), value.text())));
  }

  /** One of a few words. */
  <T> Optional<T> named(Setting setting, Function<String, Optional<T>> of, String words)
      throws StartException {
    Given value = given.get(setting);
    if (value == null) {
      return Optional.empty();
    }
    Optional<T> found = of.apply(value.text());
    if (found.isEmpty()) {
      throw new StartException(
          "%s: '%s' is none of %s".formatted(value.origin(), value.text(), words));
    }
    return found;
  }

  Consistency consistency(Setting setting, List<Consistency> allowed) throws StartException {
    Given value = given.get(setting);
    if (value == null) {
      return Consistency.QUORUM;
    }
    return Consistency.named(value.text())
        .filter(allowed::contains)
        .orElseThrow(
            () ->
                new StartException(
                    "%s: '%s' is none of %s"
                        .formatted(
                            value.origin(),
                            value.text(),
                            String.join(
                                ", ", allowed.stream().map(Consistency::lowerName).toList()))));
  }

  Optional<Path> file(Setting setting) throws StartException {
    Given value = given.get(setting);
    if (value == null) {
      return Optional.empty();
    }
    try {
      return Optional.of(Path.of(value.text()).toAbsolutePath().normalize());
    } catch (InvalidPathException e) {
      throw new StartException(
          "%s: '%s' is no path: %s".formatted(value.origin(), value.text(), e.getReason()), e);
    }
  }

  Optional<String> host(Setting setting) throws StartException {
    Given value = given.get(setting);
    if (value == null) {
      return Optional.empty();
    }
    String text = value.text();
    if (text.startsWith("[") && text.endsWith("]")) {
      text = text.substring(1, text.length() - 1);
    }
    try {
      return Optional.of(new MemberAddress(text, 1, 1).host());
    } catch (IllegalArgumentException e) {
      throw new StartException("%s: %s".formatted(value.origin(), e.getMessage()), e);
    }
  }
}
