// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Access categories where Redis 7.0.15's are others than a row's group and traits say. Redis calls
 * a command slow that is not marked as fast, whatever its work; rules that people know are made of
 * these words, so they are followed to the letter ({@code RedisCommandsTest}).
 */
final class Categories {
  private static final Map<String, List<String>> BY_NAME =
      parse(
          """
          admin connection dangerous slow : client|no-evict client|pause client|unblock
          admin connection dangerous slow : client|unpause
          admin dangerous slow            : module|list config|get config|set config|resetstat
          admin dangerous slow            : config|rewrite slowlog|get slowlog|len slowlog|reset
          admin dangerous slow            : cluster|replicas cluster|slaves
          bitmap slow write               : setbit bitfield
          connection fast                 : readonly readwrite asking
          connection slow                 : client|caching client|getname client|getredir
          connection slow                 : client|id client|info client|reply client|setname
          connection slow                 : client|tracking client|trackinginfo client|help wait
          connection slow                 : command command|count command|docs command|getkeys
          connection slow                 : command|getkeysandflags command|info command|list
          connection slow                 : command|help
          dangerous keyspace slow write   : flushdb flushall
          dangerous slow                  : info
          fast keyspace read              : exists touch dbsize
          fast keyspace write             : unlink
          fast read string                : mget
          fast transaction                : watch
          keyspace read slow              : object|encoding object|idletime object|refcount
          keyspace read slow              : object|freq
          keyspace slow                   : object|help
          keyspace slow write             : rename
          read slow                       : memory|usage
          slow                            : object client memory memory|purge memory|stats
          slow                            : memory|help module module|help config config|help
          slow                            : slowlog slowlog|help cluster cluster|countkeysinslot
          slow                            : cluster|getkeysinslot cluster|info cluster|keyslot
          slow                            : cluster|myid cluster|nodes cluster|shards
          slow                            : cluster|slots cluster|help acl acl|help
          slow string write               : set setex psetex
          slow transaction                : exec
          """);

  private Categories() {}

  private static Map<String, List<String>> parse(String table) {
    Map<String, List<String>> categories = new HashMap<>();
    for (String line : table.lines().toList()) {
      String[] parts = line.split(" : ", 2);
      List<String> words =
          Arrays.stream(parts[0].trim().split(" ")).map(category -> "@" + category).toList();
      Arrays.stream(parts[1].trim().split(" ")).forEach(name -> categories.put(name, words));
    }
    return Map.copyOf(categories);
  }

  /**
   * Those of a command, with the at sign, if they are not what its row says.
   *
   * @param fullName its container's name in front
   */
  static Optional<List<String>> of(String fullName) {
    return Optional.ofNullable(BY_NAME.get(fullName));
  }
}
