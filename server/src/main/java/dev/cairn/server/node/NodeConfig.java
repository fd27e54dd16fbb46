// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import dev.cairn.protocol.Consistency;
import dev.cairn.protocol.Limits;
import dev.cairn.protocol.Slots;
import dev.cairn.server.cluster.Announced;
import dev.cairn.server.cluster.CreationSettings;
import dev.cairn.server.cluster.MemberAddress;
import dev.cairn.server.command.ShutdownBy;
import dev.cairn.server.node.SettingSources.Given;
import dev.cairn.server.storage.EngineConfig;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Stream;

/**
 * All that a node is told from outside, validated once, here. Nothing else reads the command line,
 * the environment or a configuration file. {@link Setting} has the names.
 *
 * @param port for clients, 1 to 65535. No default.
 * @param host address to listen on, name or literal, IPv6 without brackets. Default 127.0.0.1.
 * @param peerPort for the other nodes, 1 to 65535; equals {@code self().peerPort()}. Default port +
 *     10000.
 * @param clusterPort for cluster-aware Redis clients, 1 to 65535, or 0 for none. Default port +
 *     20000.
 * @param announced where clients are told to find this node. Default {@code self}'s host, {@code
 *     port} and {@code clusterPort}.
 * @param self this node: its name, and where the other nodes find it. As it stands in {@code
 *     members}, if it does.
 * @param members the nodes of which a new cluster forms, in the order of their names, at most
 *     {@value #MEMBERS_MAX}; a node of a cluster that has formed asks them where its members are.
 *     Default: ports 5000, 5001 and 5002 of {@code host}, for one of these; else none.
 * @param membersGiven whether they were given
 * @param notListed why this node cannot found or enter a cluster, when it is not among them
 * @param data the node's folder, absolute. Default data/PORT in the checkout.
 * @param creation full copies wanted, 1 to {@value #REPLICATION_FACTOR_MAX}, and partitions, 1 to
 *     16384, if given. Defaults of a new cluster: 2, and twice the number of {@code members}.
 * @param valueBytesMax longest value in bytes, 1 to {@value #VALUE_BYTES_MAX_MAX}. Default 16 MiB.
 * @param readConsistency of reads whose connection or request says nothing. Default QUORUM.
 * @param writeConsistency of writes whose connection or request says nothing, QUORUM or ALL.
 *     Default QUORUM.
 * @param cacheBytes memory for data read from the disk, 1 MiB to 1 TiB. Default 64 MiB.
 * @param freeBytesMin room on the disk below which writes are refused, 1 MiB or more. Default: the
 *     lesser of 5 % of the disk and 1 GiB.
 * @param scrubBytesPerSecond how fast what is on disk is checked, 0 or more. Default 8 MiB.
 * @param httpHosts names by which HTTP may be asked, {@code host} among them, beside addresses,
 *     localhost and what the nodes announce.
 * @param enableShutdown whose SHUTDOWN command stops the node. Default LOCAL.
 * @param slowlogValues whether the slow log shows values. Default false.
 * @param insecure whether {@code host} may be an address that others can reach. Default false.
 */
public record NodeConfig(
    int port,
    String host,
    int peerPort,
    int clusterPort,
    Announced announced,
    MemberAddress self,
    List<MemberAddress> members,
    boolean membersGiven,
    Optional<String> notListed,
    Path data,
    CreationSettings creation,
    int valueBytesMax,
    Consistency readConsistency,
    Consistency writeConsistency,
    long cacheBytes,
    OptionalLong freeBytesMin,
    int scrubBytesPerSecond,
    Set<String> httpHosts,
    ShutdownBy enableShutdown,
    boolean slowlogValues,
    boolean insecure) {
  static final int MEMBERS_MAX = 1000;
  static final int REPLICATION_FACTOR_MAX = 7;

  /** A value travels in one log entry, and several in one message between nodes. */
  static final int VALUE_BYTES_MAX_MAX = 256 << 20;

  static final int SCRUB_BYTES_PER_SECOND_DEFAULT = 8 << 20;
  private static final long CACHE_BYTES_MAX = 1L << 40;
  private static final int FREE_BYTES_LEAST = 1 << 20;
  private static final int CLUSTER_PORT_OFFSET = 20_000;
  private static final int PORT_MAX = 65_535;
  private static final List<Integer> QUICK_START_PORTS = List.of(5000, 5001, 5002);

  public NodeConfig {
    members = List.copyOf(members);
    httpHosts = Set.copyOf(httpHosts);
    if (members.contains(self) == notListed.isPresent()
        || self.peerPort() != peerPort
        || !data.isAbsolute()) {
      throw new IllegalArgumentException("use NodeConfig.of: it checks and says what is wrong");
    }
  }

  /**
   * Checks what was given, fills in the defaults.
   *
   * @param checkout what a relative data folder is relative to
   */
  static NodeConfig of(Map<Setting, Given> given, Path checkout) throws StartException {
    Reader reader = new Reader(given);
    int port =
        reader
            .number(Setting.PORT, 1, PORT_MAX)
            .orElseThrow(
                () ->
                    new StartException(
                        "which port? Give one, as in './cairn node 5000', or set CAIRN_PORT"));
    boolean insecure = reader.flag(Setting.INSECURE);
    String host = reader.host(Setting.HOST).orElse("127.0.0.1");
    if (!isLoopback(host) && !insecure) {
      throw new StartException(
          "--host %s can be reached by others, and Cairn has neither encryption nor users yet:"
                  .formatted(host)
              + " keep to 127.0.0.1, or accept that with --insecure");
    }
    Optional<String> announced = reader.host(Setting.ANNOUNCE_HOST);
    if (announced.isEmpty() && isWildcard(host)) {
      throw new StartException(
          "--host %s is every address of this machine: say with --announce-host by which one the"
                  .formatted(host)
              + " others reach it");
    }
    List<MemberAddress> members =
        members(reader, isWildcard(host) ? announced.orElseThrow() : host, port);
    List<String> hosts = ownHosts(announced, host);
    Optional<MemberAddress> listed = listed(members, hosts, port);
    MemberAddress self = listed.isPresent() ? listed.get() : unlisted(reader, hosts.get(0), port);
    int peerPort = peerPort(reader, self);
    int clusterPort = clusterPort(reader, port);
    if (peerPort == port || clusterPort == port || clusterPort == peerPort) {
      throw new StartException(
          "port %d, peer port %d and cluster port %d must differ"
              .formatted(port, peerPort, clusterPort));
    }
    return new NodeConfig(
        port,
        host,
        peerPort,
        clusterPort,
        announced(reader, announced.orElseGet(self::host), port, clusterPort),
        self,
        members,
        reader.given.containsKey(Setting.CLUSTER),
        listed.isPresent() ? Optional.empty() : Optional.of(notListed(members, hosts, port)),
        data(reader, checkout, port),
        new CreationSettings(
            optional(reader.number(Setting.REPLICATION_FACTOR, 1, REPLICATION_FACTOR_MAX)),
            optional(reader.number(Setting.PARTITIONS, 1, Slots.COUNT)),
            members.size()),
        reader
            .number(Setting.VALUE_BYTES_MAX, 1, VALUE_BYTES_MAX_MAX)
            .orElse(Limits.VALUE_BYTES_MAX_DEFAULT),
        reader.consistency(Setting.READ_CONSISTENCY, List.of(Consistency.values())),
        reader.consistency(Setting.WRITE_CONSISTENCY, List.of(Consistency.QUORUM, Consistency.ALL)),
        reader
            .number(Setting.CACHE_BYTES, EngineConfig.BYTES_MIN, CACHE_BYTES_MAX)
            .orElse(EngineConfig.DEFAULT.cacheBytes()),
        freeBytesMin(reader),
        reader
            .number(Setting.SCRUB_BYTES_PER_SECOND, 0, Integer.MAX_VALUE)
            .orElse(SCRUB_BYTES_PER_SECOND_DEFAULT),
        httpHosts(reader, host),
        reader.shutdownBy(),
        reader.flag(Setting.SLOWLOG_VALUES),
        insecure);
  }

  private static Set<String> httpHosts(Reader reader, String host) throws StartException {
    Given given = reader.given.get(Setting.HTTP_HOSTS);
    Set<String> names = new HashSet<>(Set.of(host));
    if (given == null) {
      return names;
    }
    for (String text : given.text().split(",", -1)) {
      String name = text.strip();
      if (!name.matches("[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")) {
        throw new StartException(
            "%s: '%s' is no name of a host, such as cairn.example; its port does not matter"
                .formatted(given.origin(), name));
      }
      names.add(name);
    }
    return names;
  }

  private static List<MemberAddress> members(Reader reader, String reachable, int port)
      throws StartException {
    Given given = reader.given.get(Setting.CLUSTER);
    if (given == null) {
      if (!QUICK_START_PORTS.contains(port)) {
        return List.of();
      }
      return QUICK_START_PORTS.stream()
          .map(p -> new MemberAddress(reachable, p, p + MemberAddress.PEER_PORT_OFFSET))
          .toList();
    }
    List<MemberAddress> members = new ArrayList<>();
    Set<String> names = new HashSet<>();
    Set<String> peerNames = new HashSet<>();
    for (String text : given.text().split(",", -1)) {
      MemberAddress member;
      try {
        member = MemberAddress.parse(text.strip());
      } catch (IllegalArgumentException e) {
        throw new StartException("%s: %s".formatted(given.origin(), e.getMessage()), e);
      }
      if (!names.add(member.name()) || !peerNames.add(member.peerName())) {
        throw new StartException(
            "%s: %s is there twice (name or peer port): list each node once"
                .formatted(given.origin(), member));
      }
      members.add(member);
      if (members.size() > MEMBERS_MAX) {
        throw new StartException("%s: more than %d nodes".formatted(given.origin(), MEMBERS_MAX));
      }
    }
    // Sorted: nodes compare their lists, and the order in which a person wrote one means nothing.
    members.sort(Comparator.comparing(MemberAddress::name));
    return members;
  }

  private static OptionalInt optional(Optional<Integer> number) {
    return number.isPresent() ? OptionalInt.of(number.get()) : OptionalInt.empty();
  }

  /** By what hosts others may know this node: the one announced, the one listened on. */
  private static List<String> ownHosts(Optional<String> announced, String host) {
    return Stream.concat(announced.stream(), Stream.of(host))
        .filter(own -> !isWildcard(own))
        .distinct()
        .toList();
  }

  /** The member that listens on this port, under the host that is announced or else listened on. */
  private static Optional<MemberAddress> listed(
      List<MemberAddress> members, List<String> hosts, int port) {
    for (String own : hosts) {
      List<MemberAddress> same =
          members.stream()
              .filter(member -> member.clientPort() == port && sameHost(member.host(), own))
              .toList();
      if (same.size() == 1) {
        return Optional.of(same.get(0));
      }
    }
    return Optional.empty();
  }

  private static MemberAddress unlisted(Reader reader, String host, int port)
      throws StartException {
    Optional<Integer> peerPort = reader.number(Setting.PEER_PORT, 1, PORT_MAX);
    if (peerPort.isEmpty() && port + MemberAddress.PEER_PORT_OFFSET > PORT_MAX) {
      throw new StartException(
          "the peer port would be %d, past 65535: give --peer-port"
              .formatted(port + MemberAddress.PEER_PORT_OFFSET));
    }
    return new MemberAddress(host, port, peerPort.orElse(port + MemberAddress.PEER_PORT_OFFSET));
  }

  private static String notListed(List<MemberAddress> members, List<String> hosts, int port) {
    if (members.isEmpty()) {
      return "port %d is none of 5000, 5001 and 5002, which find each other by themselves:"
              .formatted(port)
          + " give every node the same --cluster host:port,host:port,... with this one in it";
    }
    return "this node, %s, is not in --cluster %s: add it, at every node, or say with --host or"
            .formatted(
                String.join(
                    " or ",
                    hosts.stream().map(own -> new MemberAddress(own, port, port).name()).toList()),
                String.join(",", members.stream().map(MemberAddress::name).toList()))
        + " --announce-host which of them it is";
  }

  private static Announced announced(Reader reader, String host, int port, int clusterPort)
      throws StartException {
    Optional<Integer> announcedClusterPort =
        reader.number(Setting.ANNOUNCE_CLUSTER_PORT, 1, PORT_MAX);
    if (announcedClusterPort.isPresent() && clusterPort == 0) {
      throw new StartException(
          "there is no cluster port to announce: leave out --announce-cluster-port, or give a"
              + " --cluster-port");
    }
    return new Announced(
        host,
        reader.number(Setting.ANNOUNCE_PORT, 1, PORT_MAX).orElse(port),
        announcedClusterPort.orElse(clusterPort));
  }

  private static int peerPort(Reader reader, MemberAddress self) throws StartException {
    int peerPort = reader.number(Setting.PEER_PORT, 1, PORT_MAX).orElse(self.peerPort());
    if (peerPort != self.peerPort()) {
      throw new StartException(
          "the other nodes look for this one at peer port %d: write %s/%d in --cluster of every node"
              .formatted(self.peerPort(), self.name(), peerPort));
    }
    return peerPort;
  }

  private static int clusterPort(Reader reader, int port) throws StartException {
    Optional<Integer> given = reader.number(Setting.CLUSTER_PORT, 0, PORT_MAX);
    if (given.isEmpty() && port + CLUSTER_PORT_OFFSET > PORT_MAX) {
      throw new StartException(
          "the cluster port would be %d, past 65535: give --cluster-port, or 0 for none"
              .formatted(port + CLUSTER_PORT_OFFSET));
    }
    return given.orElse(port + CLUSTER_PORT_OFFSET);
  }

  private static OptionalLong freeBytesMin(Reader reader) throws StartException {
    Optional<Integer> given =
        reader.number(Setting.FREE_BYTES_MIN, FREE_BYTES_LEAST, Integer.MAX_VALUE);
    return given.isEmpty() ? OptionalLong.empty() : OptionalLong.of(given.get());
  }

  private static Path data(Reader reader, Path checkout, int port) throws StartException {
    Given given = reader.given.getOrDefault(Setting.DATA, new Given("data/" + port, ""));
    try {
      return checkout.resolve(given.text()).toAbsolutePath().normalize();
    } catch (InvalidPathException e) {
      throw new StartException(
          "%s: '%s' is no path: %s".formatted(given.origin(), given.text(), e.getReason()), e);
    }
  }

  private static boolean isLoopback(String host) {
    return host.equals("localhost") || host.equals("::1") || host.matches("127(\\.\\d{1,3}){3}");
  }

  private static boolean isWildcard(String host) {
    return host.equals("0.0.0.0") || host.equals("::");
  }

  /** Without asking the network: a name and its address count as different, save for localhost. */
  private static boolean sameHost(String left, String right) {
    return left.equalsIgnoreCase(right)
        || (isLoopback(left) && isLoopback(right) && (isLocal(left) || isLocal(right)));
  }

  private static boolean isLocal(String host) {
    return host.equals("localhost");
  }

  /** Reads single values; every fault names where the value stands and what would be right. */
  private record Reader(Map<Setting, Given> given) {
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
          "%s: '%s' is not a number from %d to %d"
              .formatted(value.origin(), value.text(), min, max));
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
                      "%s: '%s' is none of no, local, yes"
                          .formatted(value.origin(), value.text())));
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
}
