// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import java.nio.file.Path;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParseResult;

/** {@code cairn node}: one option for each {@link Setting}. */
final class NodeCommand {
  static final String NAME = "node";

  private NodeCommand() {}

  static CommandSpec spec() {
    CommandSpec spec = CommandSpec.create().name(NAME).mixinStandardHelpOptions(true);
    spec.versionProvider(new Release());
    spec.usageMessage()
        .description(
            "Runs one node. Ports 5000, 5001 and 5002 on one machine find each other and form a"
                + " cluster with 2 copies; any other needs --cluster. Each setting can also stand in"
                + " the environment (CAIRN_PEER_PORT for --peer-port) or in a YAML file (peer-port);"
                + " the command line comes first, then the environment, then the file.")
        .exitCodeListHeading("%nExit status:%n")
        .sortOptions(false);
    Map<String, String> statuses = new LinkedHashMap<>();
    statuses.put("0", "stopped by SIGTERM or Ctrl-C, or help was asked for");
    statuses.put("1", "failed while it ran; the log says why");
    statuses.put("2", "could not start: wrong setting, port or data folder in use");
    statuses.put("3", "ended by itself: an fsync failed, or the disk; the log says which");
    spec.usageMessage().exitCodeList(statuses);
    for (Setting setting : Setting.values()) {
      if (setting == Setting.PORT) {
        spec.addPositional(
            PositionalParamSpec.builder()
                .index("0")
                .arity("0..1")
                .type(String.class)
                .paramLabel(setting.label())
                .description(help(setting))
                .build());
      } else {
        spec.addOption(option(setting));
      }
    }
    return spec;
  }

  /** What stood on the command line. */
  static Map<Setting, String> settings(ParseResult parsed) {
    Map<Setting, String> settings = new EnumMap<>(Setting.class);
    for (Setting setting : Setting.values()) {
      if (setting == Setting.PORT) {
        if (parsed.hasMatchedPositional(0)) {
          settings.put(setting, parsed.matchedPositionalValue(0, ""));
        }
      } else if (parsed.hasMatchedOption(setting.option())) {
        Object value = parsed.matchedOptionValue(setting.option(), null);
        settings.put(setting, String.valueOf(value));
      }
    }
    return settings;
  }

  /**
   * Everything that the node was told.
   *
   * @param environment the process'; {@code CAIRN_HOME} is the checkout
   */
  static NodeConfig config(ParseResult parsed, Map<String, String> environment, Path currentFolder)
      throws StartException {
    Path checkout = currentFolder.resolve(environment.getOrDefault("CAIRN_HOME", ""));
    return NodeConfig.of(
        SettingSources.merge(settings(parsed), environment, currentFolder), checkout);
  }

  private static OptionSpec option(Setting setting) {
    OptionSpec.Builder builder =
        OptionSpec.builder(setting.option()).description(help(setting)).hideParamSyntax(true);
    if (setting.label().isEmpty()) {
      return builder.type(boolean.class).arity("0").build();
    }
    return builder.type(String.class).arity("1").paramLabel(setting.label()).build();
  }

  private static String help(Setting setting) {
    // A percent sign would start a picocli format.
    return (setting.description() + " Default: " + setting.defaultText() + ".").replace("%", "%%");
  }
}
