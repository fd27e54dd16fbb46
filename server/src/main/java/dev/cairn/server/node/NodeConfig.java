// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import dev.cairn.protocol.Consistency;
import dev.cairn.protocol.Limits;
import dev.cairn.protocol.Slots;
import dev.cairn.server.cluster.Announced;
import dev.cairn.server.cluster.CreationSettings;
import dev.cairn.server.cluster.MemberAddress;
import dev.cairn.server.command.ClientState;
import dev.cairn.server.command.ShutdownBy;
import dev.cairn.server.node.SettingSources.Given;
import dev.cairn.server.storage.EngineConfig;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
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
 * @param listening where it listens, and where others find it
 * @param founding the cluster that it founds or belongs to
 * @param disk its folder, and what may be used of disk and memory for it
 * @param serving what holds for its clients
 * @param protection what clients and peers have to show
 * @param access who may do what, of a new cluster
 */
public record NodeConfig(
    Listening listening,
    Founding founding,
    Disk disk,
    Serving serving,
    Protection protection,
    AccessSettings access) {
  /**
   * Where a node listens, and where others find it.
   *
   * @param host address to listen on, name or literal, IPv6 without brackets. Default 127.0.0.1.
   * @param port for clients, 1 to 65535. No default.
   * @param peerPort for the other nodes, 1 to 65535. Default port + 10000.
   * @param clusterPort for cluster-aware Redis clients, 1 to 65535, or 0 for none. Default port +
   *     20000.
   * @param announced where clients are told to find this node. Default the host of {@link
   *     Founding#self}, {@code port} and {@code clusterPort}.
   */
  public record Listening(
      String host, int port, int peerPort, int clusterPort, Announced announced) {}

  /**
   * The cluster that a node founds or belongs to.
   *
   * @param self this node: its name, and where the other nodes find it. As it stands in {@code
   *     members}, if it does.
   * @param members the nodes of which a new cluster forms, in the order of their names, at most
   *     {@value FoundingMembers#MOST}; a node of a cluster that has formed asks them where its
   *     members are. Default: ports 5000, 5001 and 5002 of the host, for one of these; else none.
   * @param membersGiven whether they were given
   * @param notListed why this node cannot found or enter a cluster, when it is not among them
   * @param creation full copies wanted, 1 to {@value #REPLICATION_FACTOR_MAX}, and partitions, 1 to
   *     16384, if given. Defaults of a new cluster: 2, and twice the number of {@code members}.
   */
  public record Founding(
      MemberAddress self,
      List<MemberAddress> members,
      boolean membersGiven,
      Optional<String> notListed,
      CreationSettings creation) {
    public Founding {
      members = List.copyOf(members);
      if (members.contains(self) == notListed.isPresent()) {
        throw new IllegalArgumentException("use NodeConfig.of: it checks and says what is wrong");
      }
    }
  }

  /**
   * A node's folder, and what may be used of disk and memory for it.
   *
   * @param data the node's folder, absolute. Default data/PORT in the checkout.
   * @param cacheBytes memory for data read from the disk, 1 MiB to 1 TiB. Default 64 MiB.
   * @param freeBytesMin room on the disk below which writes are refused, 1 MiB or more. Default:
   *     the lesser of 5 % of the disk and 1 GiB.
   * @param scrubBytesPerSecond how fast what is on disk is checked, 0 or more. Default 8 MiB.
   */
  public record Disk(
      Path data, long cacheBytes, OptionalLong freeBytesMin, int scrubBytesPerSecond) {
    public Disk {
      if (!data.isAbsolute()) {
        throw new IllegalArgumentException("use NodeConfig.of: it checks and says what is wrong");
      }
    }
  }

  /**
   * What holds for a node's clients.
   *
   * @param valueBytesMax longest value in bytes, 1 to {@value #VALUE_BYTES_MAX_MAX}. Default 16
   *     MiB.
   * @param levels how much reads and writes wait for whose connection or request says nothing;
   *     writes QUORUM or ALL. Default QUORUM for both.
   * @param httpHosts names by which HTTP may be asked, the host among them, beside addresses,
   *     localhost and what the nodes announce.
   * @param enableShutdown whose SHUTDOWN command stops the node. Default LOCAL.
   * @param slowlogValues whether the slow log shows values. Default false.
   */
  public record Serving(
      int valueBytesMax,
      ClientState.Defaults levels,
      Set<String> httpHosts,
      ShutdownBy enableShutdown,
      boolean slowlogValues) {
    public Serving {
      httpHosts = Set.copyOf(httpHosts);
    }
  }

  static final int REPLICATION_FACTOR_MAX = 7;

  /** A value travels in one log entry, and several in one message between nodes. */
  static final int VALUE_BYTES_MAX_MAX = 256 << 20;

  static final int SCRUB_BYTES_PER_SECOND_DEFAULT = 8 << 20;
  private static final long CACHE_BYTES_MAX = 1L << 40;
  private static final int FREE_BYTES_LEAST = 1 << 20;
  private static final int CLUSTER_PORT_OFFSET = 20_000;
  private static final int PORT_MAX = 65_535;

  public NodeConfig {
    if (founding.self().peerPort() != listening.peerPort()) {
      throw new IllegalArgumentException("use NodeConfig.of: it checks and says what is wrong");
    }
  }

  /**
   * Checks what was given, fills in the defaults.
   *
   * @param checkout what a relative data folder is relative to
   */
  static NodeConfig of(Map<Setting, Given> given, Path checkout) throws StartException {
    SettingReader reader = new SettingReader(given);
    int port =
        reader
            .number(Setting.PORT, 1, PORT_MAX)
            .orElseThrow(
                () ->
                    new StartException(
                        "which port? Give one, as in './cairn node 5000', or set CAIRN_PORT"));
    String host = reader.host(Setting.HOST).orElse("127.0.0.1");
    Protection protection = Protection.of(reader, host, !isLoopback(host));
    AccessSettings access = AccessSettings.of(reader, protection.clients().certificates());
    Optional<String> announced = reader.host(Setting.ANNOUNCE_HOST);
    if (announced.isEmpty() && isWildcard(host)) {
      throw new StartException(
          "--host %s is every address of this machine: say with --announce-host by which one the"
                  .formatted(host)
              + " others reach it");
    }
    List<MemberAddress> members =
        FoundingMembers.of(reader, isWildcard(host) ? announced.orElseThrow() : host, port);
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
    Listening listening =
        new Listening(
            host,
            port,
            peerPort,
            clusterPort,
            announced(reader, announced.orElseGet(self::host), port, clusterPort));
    Founding founding =
        new Founding(
            self,
            members,
            reader.has(Setting.CLUSTER),
            listed.isPresent() ? Optional.empty() : Optional.of(notListed(members, hosts, port)),
            new CreationSettings(
                optional(reader.number(Setting.REPLICATION_FACTOR, 1, REPLICATION_FACTOR_MAX)),
                optional(reader.number(Setting.PARTITIONS, 1, Slots.COUNT)),
                members.size()));
    return new NodeConfig(
        listening,
        founding,
        disk(reader, checkout, port),
        serving(reader, host),
        protection,
        access);
  }

  private static Disk disk(SettingReader reader, Path checkout, int port) throws StartException {
    return new Disk(
        data(reader, checkout, port),
        reader
            .number(Setting.CACHE_BYTES, EngineConfig.BYTES_MIN, CACHE_BYTES_MAX)
            .orElse(EngineConfig.DEFAULT.cacheBytes()),
        freeBytesMin(reader),
        reader
            .number(Setting.SCRUB_BYTES_PER_SECOND, 0, Integer.MAX_VALUE)
            .orElse(SCRUB_BYTES_PER_SECOND_DEFAULT));
  }

  private static Serving serving(SettingReader reader, String host) throws StartException {
    return new Serving(
        reader
            .number(Setting.VALUE_BYTES_MAX, 1, VALUE_BYTES_MAX_MAX)
            .orElse(Limits.VALUE_BYTES_MAX_DEFAULT),
        new ClientState.Defaults(
            reader.consistency(Setting.READ_CONSISTENCY, List.of(Consistency.values())),
            reader.consistency(
                Setting.WRITE_CONSISTENCY, List.of(Consistency.QUORUM, Consistency.ALL))),
        httpHosts(reader, host),
        reader.shutdownBy(),
        reader.flag(Setting.SLOWLOG_VALUES));
  }

  private static Set<String> httpHosts(SettingReader reader, String host) throws StartException {
    Given given = reader.given().get(Setting.HTTP_HOSTS);
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

  private static MemberAddress unlisted(SettingReader reader, String host, int port)
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

  private static Announced announced(SettingReader reader, String host, int port, int clusterPort)
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

  private static int peerPort(SettingReader reader, MemberAddress self) throws StartException {
    int peerPort = reader.number(Setting.PEER_PORT, 1, PORT_MAX).orElse(self.peerPort());
    if (peerPort != self.peerPort()) {
      throw new StartException(
          "the other nodes look for this one at peer port %d: write %s/%d in --cluster of every node"
              .formatted(self.peerPort(), self.name(), peerPort));
    }
    return peerPort;
  }

  private static int clusterPort(SettingReader reader, int port) throws StartException {
    Optional<Integer> given = reader.number(Setting.CLUSTER_PORT, 0, PORT_MAX);
    if (given.isEmpty() && port + CLUSTER_PORT_OFFSET > PORT_MAX) {
      throw new StartException(
          "the cluster port would be %d, past 65535: give --cluster-port, or 0 for none"
              .formatted(port + CLUSTER_PORT_OFFSET));
    }
    return given.orElse(port + CLUSTER_PORT_OFFSET);
  }

  private static OptionalLong freeBytesMin(SettingReader reader) throws StartException {
    Optional<Integer> given =
        reader.number(Setting.FREE_BYTES_MIN, FREE_BYTES_LEAST, Integer.MAX_VALUE);
    return given.isEmpty() ? OptionalLong.empty() : OptionalLong.of(given.get());
  }

  private static Path data(SettingReader reader, Path checkout, int port) throws StartException {
    Given given = reader.given().getOrDefault(Setting.DATA, new Given("data/" + port, ""));
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
}
