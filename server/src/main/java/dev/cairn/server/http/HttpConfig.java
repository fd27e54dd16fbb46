// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import dev.cairn.server.access.AccessControl;
import dev.cairn.server.command.ClientState;
import dev.cairn.server.command.SlowLog;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What HTTP is told of its node.
 *
 * @param hosts names by which the node may be asked, beside addresses, localhost and those that the
 *     cluster's nodes announce; in any case
 * @param valueBytesMax longest value
 * @param levels how much reads and writes wait for that do not say
 * @param slowLog where requests are kept that took long
 * @param access who may do what
 */
public record HttpConfig(
    Set<String> hosts,
    int valueBytesMax,
    ClientState.Defaults levels,
    SlowLog slowLog,
    AccessControl access) {
  public HttpConfig {
    hosts =
        hosts.stream()
            .map(name -> name.toLowerCase(Locale.ROOT))
            .collect(Collectors.toUnmodifiableSet());
  }
}
