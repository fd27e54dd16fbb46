// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import dev.cairn.protocol.Limits;
import dev.cairn.server.storage.EngineConfig;
import java.util.Locale;
import java.util.Optional;

/**
 * The settings of a node, each under one name in all its sources: {@code --peer-port} on the
 * command line, {@code CAIRN_PEER_PORT} in the environment, {@code peer-port} in a YAML file. The
 * first that has it wins. {@code docs/reference/configuration.md} is this table; a test compares
 * them.
 */
enum Setting {
  PORT("port", "PORT", "none: must be given", "Port for clients: any key, answered by forwarding."),
  HOST(
      "host",
      "HOST",
      "127.0.0.1",
      "Address to listen on, for all ports. Any but a loopback address needs TLS and credentials of"
          + " clients and peers, or --insecure."),
  ANNOUNCE_HOST(
      "announce-host",
      "HOST",
      "the node's host in --cluster",
      "Host that clients are told. Where --cluster lists it with PORT, it also says which of the"
          + " listed nodes this one is."),
  ANNOUNCE_PORT(
      "announce-port",
      "PORT",
      "PORT",
      "Port for clients that clients are told, where it differs from the one listened on."),
  ANNOUNCE_CLUSTER_PORT(
      "announce-cluster-port",
      "PORT",
      "--cluster-port",
      "Cluster port that clients are told (in MOVED, CLUSTER SLOTS and others), where it differs"
          + " from the one listened on."),
  PEER_PORT(
      "peer-port",
      "PORT",
      "port + 10000",
      "Port for the other nodes. Where it differs from the default, every node's --cluster must"
          + " name it, as host:port/peerPort."),
  CLUSTER_PORT(
      "cluster-port",
      "PORT",
      "port + 20000",
      "Port for cluster-aware Redis clients (MOVED for what this node does not lead). 0: none."),
  DATA(
      "data",
      "DIR",
      "data/PORT",
      "Folder of the node's data, relative to the checkout. Made with mode 0700, locked while the"
          + " node runs."),
  CLUSTER(
      "cluster",
      "H:P,H:P,...",
      "ports 5000, 5001 and 5002 of the node's host",
      "The first nodes of the cluster, this one among them: the same list at each. Once it has"
          + " formed, where to ask first for its members. An IPv6 address stands in brackets."),
  REPLICATION_FACTOR(
      "replication-factor",
      "N",
      "2, or the cluster's",
      "Full copies of the data, 1 to 7. Fixed when the cluster forms; an even number gets a witness"
          + " too."),
  PARTITIONS(
      "partitions",
      "N",
      "twice the number of first nodes, or the cluster's",
      "Partitions, 1 to 16384. Fixed when the cluster forms: a cluster has at most as many leaders."),
  VALUE_BYTES_MAX(
      "value-bytes-max",
      "BYTES",
      Integer.toString(Limits.VALUE_BYTES_MAX_DEFAULT),
      "Longest value in bytes, 1 to " + NodeConfig.VALUE_BYTES_MAX_MAX + "."),
  READ_CONSISTENCY(
      "read-consistency",
      "LEVEL",
      "quorum",
      "How much a read waits for unless its connection or request says otherwise: one (any"
          + " replica's own state, perhaps out of date), quorum (linearizable) or all (and every"
          + " replica has caught up to it)."),
  WRITE_CONSISTENCY(
      "write-consistency",
      "LEVEL",
      "quorum",
      "How much a write waits for unless its connection or request says otherwise: quorum (on disk"
          + " on a majority) or all (on every replica; refused at once while one is down)."),
  CACHE_BYTES(
      "cache-bytes",
      "BYTES",
      Long.toString(EngineConfig.DEFAULT.cacheBytes()),
      "Memory for data read from the disk, 1048576 to 1099511627776. Keys that are in memory are"
          + " served without a read of the disk: give it what the machine can spare."),
  FREE_BYTES_MIN(
      "free-bytes-min",
      "BYTES",
      "5 % of the disk, at most 1073741824",
      "Room on the data folder's disk below which the node takes no writes that need more; reads and"
          + " deletes go on. At least 1048576."),
  SCRUB_BYTES_PER_SECOND(
      "scrub-bytes-per-second",
      "BYTES",
      Integer.toString(NodeConfig.SCRUB_BYTES_PER_SECOND_DEFAULT),
      "How fast what lies on disk is read and checked in the background. 0: not at all."),
  HTTP_HOSTS(
      "http-hosts",
      "NAME,NAME,...",
      "none",
      "Names by which HTTP on the client port may be asked, beside addresses, localhost, --host and"
          + " the hosts that the nodes announce: those of a proxy or a service in front."),
  ENABLE_SHUTDOWN(
      "enable-shutdown",
      "WHO",
      "local",
      "Whose SHUTDOWN command stops the node: no (nobody's), local (that of clients on a loopback"
          + " address) or yes (that of everybody who can connect). SIGTERM always does."),
  SLOWLOG_VALUES(
      "slowlog-values",
      "",
      "false",
      "Has the slow log show values and other arguments as they are, their first 128 bytes. By"
          + " default it shows commands, keys and sizes. Passwords are never shown."),
  TLS(
      "tls",
      "MODE",
      "required with a --tls-cert, else off",
      "Whether the client ports speak TLS: off, optional (they speak both, for moving a cluster"
          + " over; so does the peer port) or required."),
  TLS_CERT(
      "tls-cert",
      "FILE",
      "none",
      "Certificate of the client ports, PEM with those that lead to its CA, or PKCS12 with the key"
          + " in it. All files of TLS are read anew within 10 s of a change."),
  TLS_KEY(
      "tls-key",
      "FILE",
      "the key in --tls-cert",
      "Its key, PEM. Others must not be able to read the file (chmod 600)."),
  TLS_KEY_PASSWORD_FILE(
      "tls-key-password-file",
      "FILE",
      "none",
      "File with the password of the keys, or of the PKCS12 files, that have one."),
  TLS_CA(
      "tls-ca",
      "FILE",
      "none",
      "CAs that sign clients' certificates, PEM: one, or several while one replaces another."),
  TLS_CLIENTS(
      "tls-clients",
      "WHO",
      "required with a --tls-ca, else none",
      "Whether clients show certificates: none, optional or required."),
  PEER_CERT(
      "peer-cert",
      "FILE",
      "--tls-cert",
      "Certificate of this node for the other nodes, with the extended key usages serverAuth and"
          + " clientAuth; all nodes may have the same."),
  PEER_KEY("peer-key", "FILE", "the key in --peer-cert", "Its key, PEM."),
  PEER_CA(
      "peer-ca",
      "FILE",
      "none",
      "CAs that sign nodes' certificates, PEM. With it a peer shows such a certificate before"
          + " anything is said to it or taken from it."),
  PEER_NAME(
      "peer-name",
      "NAME",
      "none",
      "Name that each node's certificate has, as its common name or a DNS name: what tells nodes"
          + " from clients where one CA signs both."),
  CLUSTER_SECRET_FILE(
      "cluster-secret-file",
      "FILE",
      "none",
      "Instead of --peer-ca: a file with a secret of 16 bytes or more, the same at all nodes, which"
          + " peers prove to each other that they have. The peer port speaks TLS then."),
  USERS_FILE(
      "users-file",
      "FILE",
      "none",
      "Users of a new cluster, as in Redis' aclfile, the same file at each node; nobody else may be"
          + " able to read it. A cluster that has its users keeps them."),
  PASSWORD_FILE(
      "password-file",
      "FILE",
      "none",
      "File with the password of the user default of a new cluster, the same at each node; nobody"
          + " else may be able to read it. Without users everybody who can connect may do all."),
  RECOVERY_PASSWORD_FILE(
      "recovery-password-file",
      "FILE",
      "none",
      "File with a password by which the user default may do all, from a loopback address of this"
          + " node: the way back when a password is lost."),
  USER_CONNECTIONS_MAX(
      "user-connections-max",
      "N",
      "0",
      "How many connections to this node a user may have who logged in; one more is answered"
          + " TRYAGAIN. 0: any number."),
  TLS_USERS(
      "tls-users",
      "BY",
      "password",
      "How clients become a user: by password, or by certificate too. Then who shows one is the user"
          + " of its common name until it logs in as another."),
  RIGHTS_AGE_MAX(
      "rights-age-max-seconds",
      "N",
      "0",
      "For how long this node goes on with the users' rights that it has while it hears of no newer"
          + " ones, 5 to 86400; then it answers TRYAGAIN. 0: for ever."),
  INSECURE(
      "insecure",
      "",
      "false",
      "Allows a --host that others can reach although its ports let everybody in. Status says so."),
  CONFIG(
      "config",
      "FILE",
      "none",
      "YAML file with any of the settings above, relative to the current folder.");

  private final String key;
  private final String label;
  private final String defaultText;
  private final String description;

  Setting(String key, String label, String defaultText, String description) {
    this.key = key;
    this.label = label;
    this.defaultText = defaultText;
    this.description = description;
  }

  /** The name in a YAML file. */
  String key() {
    return key;
  }

  /** The name on the command line; {@link #PORT} stands there without a name. */
  String option() {
    return this == PORT ? "PORT" : "--" + key;
  }

  /** The name in the environment. */
  String variable() {
    return "CAIRN_" + key.replace('-', '_').toUpperCase(Locale.ROOT);
  }

  /** What stands for the value in the help; empty for one that is given or not. */
  String label() {
    return label;
  }

  /** The default, for people. */
  String defaultText() {
    return defaultText;
  }

  /** One or two sentences, with unit and bounds. */
  String description() {
    return description;
  }

  /** The setting of that name in a YAML file; the file itself is none there. */
  static Optional<Setting> ofKey(String key) {
    for (Setting setting : values()) {
      if (setting != CONFIG && setting.key.equals(key)) {
        return Optional.of(setting);
      }
    }
    return Optional.empty();
  }
}
