// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Collects what was set, and where: command line before environment before file. Says nothing about
 * whether a value makes sense; {@link NodeConfig} does.
 */
final class SettingSources {
  /** A configuration file past this is none. */
  static final int FILE_BYTES_MAX = 1 << 20;

  private SettingSources() {}

  /**
   * A value and where it stands.
   *
   * @param text as it was written
   * @param origin for messages: {@code --partitions}, {@code CAIRN_PARTITIONS}, {@code line 3 of
   *     /etc/cairn.yaml}
   */
  record Given(String text, String origin) {}

  /**
   * Merges all sources.
   *
   * @param commandLine what stood there
   * @param environment all variables of the process; those that are none of ours are ignored, empty
   *     ones count as not set
   * @param currentFolder what the file's path is relative to
   */
  static Map<Setting, Given> merge(
      Map<Setting, String> commandLine, Map<String, String> environment, Path currentFolder)
      throws StartException {
    Map<Setting, Given> merged = new EnumMap<>(Setting.class);
    for (Setting setting : Setting.values()) {
      String text = environment.get(setting.variable());
      if (text != null && !text.isEmpty()) {
        merged.put(setting, new Given(text, setting.variable()));
      }
    }
    commandLine.forEach((setting, text) -> merged.put(setting, new Given(text, setting.option())));
    Given file = merged.get(Setting.CONFIG);
    if (file != null) {
      readFile(currentFolder.resolve(file.text())).forEach(merged::putIfAbsent);
    }
    return merged;
  }

  private static Map<Setting, Given> readFile(Path file) throws StartException {
    String text;
    try {
      if (Files.size(file) > FILE_BYTES_MAX) {
        throw new StartException(
            "%s is larger than %d bytes: is it the right file?".formatted(file, FILE_BYTES_MAX));
      }
      text = Files.readString(file, StandardCharsets.UTF_8);
    } catch (NoSuchFileException e) {
      throw new StartException(
          "there is no file %s: give --config the path of a YAML file".formatted(file), e);
    } catch (MalformedInputException e) {
      throw new StartException("%s is no UTF-8 text: save it as UTF-8".formatted(file), e);
    } catch (IOException e) {
      throw new StartException("cannot read %s: %s".formatted(file, e), e);
    }
    return parse(text, file.toString());
  }

  /**
   * Reads a mapping of settings to plain values; {@code cluster} may be a list.
   *
   * @param name of the file, for messages
   */
  static Map<Setting, Given> parse(String text, String name) throws StartException {
    Map<Setting, Given> settings = new EnumMap<>(Setting.class);
    try (YAMLParser parser = new YAMLFactory().createParser(text)) {
      JsonToken first = parser.nextToken();
      if (first == null) {
        return settings; // Empty, or comments only.
      }
      if (first != JsonToken.START_OBJECT) {
        throw fault(parser, name, "this is no list of settings: write one 'name: value' a line");
      }
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String key = parser.currentName();
        Setting setting = Setting.ofKey(key).orElse(null);
        if (setting == null) {
          throw fault(
              parser, name, "unknown setting '%s'; there are: %s".formatted(key, knownKeys()));
        }
        if (settings.containsKey(setting)) {
          throw fault(parser, name, "'%s' is set a second time: remove one".formatted(key));
        }
        String origin = "line %d of %s".formatted(line(parser), name);
        settings.put(setting, new Given(value(parser, setting, name), origin));
      }
      if (parser.nextToken() != null) {
        throw fault(parser, name, "there is a second document: remove it");
      }
    } catch (JsonProcessingException e) {
      JsonLocation location = e.getLocation();
      throw new StartException(
          "%s, line %d: this is not YAML: %s"
              .formatted(
                  name,
                  location == null ? 1 : location.getLineNr(),
                  oneLine(e.getOriginalMessage())),
          e);
    } catch (IOException e) {
      throw new StartException("cannot read %s: %s".formatted(name, e), e);
    }
    return settings;
  }

  private static String value(YAMLParser parser, Setting setting, String name)
      throws IOException, StartException {
    JsonToken token = parser.nextToken();
    if (token == JsonToken.START_ARRAY && setting == Setting.CLUSTER) {
      List<String> members = new ArrayList<>();
      while (parser.nextToken() != JsonToken.END_ARRAY) {
        if (!parser.currentToken().isScalarValue()) {
          throw fault(parser, name, "a member is written host:port");
        }
        members.add(parser.getText());
      }
      return String.join(",", members);
    }
    if (token == null || !token.isScalarValue()) {
      throw fault(parser, name, "'%s' wants one plain value".formatted(setting.key()));
    }
    if (token == JsonToken.VALUE_NULL || parser.getText().isEmpty()) {
      throw fault(
          parser, name, "'%s' has no value: give one, or remove the line".formatted(setting.key()));
    }
    return parser.getText();
  }

  private static StartException fault(YAMLParser parser, String name, String what) {
    return new StartException("%s, line %d: %s".formatted(name, line(parser), what));
  }

  private static int line(YAMLParser parser) {
    return parser.currentTokenLocation().getLineNr();
  }

  private static String knownKeys() {
    return Stream.of(Setting.values())
        .filter(setting -> setting != Setting.CONFIG)
        .map(Setting::key)
        .collect(Collectors.joining(", "));
  }

  private static String oneLine(String text) {
    return text.lines().map(String::strip).filter(line -> !line.isEmpty()).findFirst().orElse("");
  }
}
