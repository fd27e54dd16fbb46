// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.metrics;

import java.util.List;

/**
 * All that a node measures: the one table from which docs/reference/metrics.md is made and against
 * which the dashboard and the alert rules in ops/ are checked.
 *
 * <p>Names are Prometheus' own: base units (seconds, bytes), {@code _total} for what only grows. A
 * label's values are bounded: by this code, by the number of partitions, or by that of nodes. No
 * label ever carries a key or a client.
 */
public enum Metric {
  COMMAND_DURATION(
      "cairn_command_duration_seconds",
      Kind.DURATION,
      "Commands by name and result (ok, invalid, refused, unknown; rejected: not even tried), from decoded to answered. What EXEC carries out counts with its share of EXEC's time.",
      "command",
      "result"),
  REFUSALS(
      "cairn_refusals_total",
      Kind.COUNTER,
      "Requests that were answered with an error, by its code: nothing of them was applied, but for UNKNOWN and NOTALL.",
      "code"),
  CONNECTIONS("cairn_connections", Kind.GAUGE, "Open connections of clients.", "port"),
  CONNECTIONS_OPENED(
      "cairn_connections_opened_total", Kind.COUNTER, "Connections that were taken.", "port"),
  CONNECTIONS_REFUSED(
      "cairn_connections_refused_total",
      Kind.COUNTER,
      "Connections that were closed because there were too many.",
      "port"),
  RECEIVED_BYTES(
      "cairn_received_bytes_total",
      Kind.COUNTER,
      "Bytes that clients sent, HTTP included.",
      "port"),
  SENT_BYTES(
      "cairn_sent_bytes_total",
      Kind.COUNTER,
      "Bytes that clients were sent, HTTP included.",
      "port"),
  SOCKET_READS(
      "cairn_socket_reads_total", Kind.COUNTER, "Reads from clients' connections.", "port"),
  SOCKET_WRITES(
      "cairn_socket_writes_total",
      Kind.COUNTER,
      "Times that replies were passed to a client's connection, each for all that was there.",
      "port"),
  KEY_LOOKUPS(
      "cairn_key_lookups_total",
      Kind.COUNTER,
      "Keys that reads looked for in this node's partitions (hit, miss), as Redis counts them: forwarded ones at the node that answers.",
      "result"),
  EXPIRED_KEYS(
      "cairn_expired_keys_total",
      Kind.COUNTER,
      "Keys whose time was up and that were removed, in the partitions that this node led."),
  FULL_SWEEPS(
      "cairn_full_sweeps_total",
      Kind.COUNTER,
      "Of the entries that remove such keys, those that removed the most that one may."),
  REQUEST_BYTES(
      "cairn_request_bytes",
      Kind.GAUGE,
      "Bytes that requests hold which are not answered yet.",
      "port"),
  REPLY_BYTES(
      "cairn_reply_bytes",
      Kind.GAUGE,
      "Bytes of large answers that clients have not read yet; past an eighth of the heap reads wait."),
  FORWARDED(
      "cairn_forwarded_requests_total",
      Kind.COUNTER,
      "Clients' requests that this node passed on to the node that leads their partition.",
      "kind"),
  QUEUE_REQUESTS(
      "cairn_queue_requests",
      Kind.GAUGE,
      "Requests that wait: in the lanes to their leaders (write, read), and at this node as a leader to be proposed (proposal).",
      "queue"),
  QUEUE_BYTES("cairn_queue_bytes", Kind.GAUGE, "Their bytes.", "queue"),
  PROPOSAL_DURATION(
      "cairn_proposal_duration_seconds",
      Kind.DURATION,
      "Proposals to the log, from proposed to applied (or refused, or given up as unknown).",
      "outcome"),
  PROPOSAL_OPERATIONS(
      "cairn_proposal_operations", Kind.COUNTS, "Operations that one proposal carried."),
  PROPOSAL_BYTES("cairn_proposal_bytes", Kind.BYTES, "Bytes that one proposal carried."),
  LOG_COMMIT_DURATION(
      "cairn_log_commit_duration_seconds",
      Kind.DURATION,
      "Batches of the write-ahead log, each of all partitions that waited, written and fsynced."),
  LOG_FSYNC_DURATION(
      "cairn_log_fsync_duration_seconds",
      Kind.SUMMARY,
      "Syncs of the write-ahead log, each with the write that it is for: a vote shares that of all partitions that waited."),
  ELECTIONS(
      "cairn_elections_total",
      Kind.COUNTER,
      "Terms in which this node stood for election, over all groups."),
  LEADER_CHANGES(
      "cairn_leader_changes_total",
      Kind.COUNTER,
      "Times that this node began to lead a partition; the sum over the nodes is that of leader changes."),
  PARTITION_LEADS(
      "cairn_partition_leads",
      Kind.GAUGE,
      "1 if this node leads the partition, else 0.",
      "partition"),
  PARTITION_STOPPED(
      "cairn_partition_stopped",
      Kind.GAUGE,
      "1 if this node's replica or witness has failed or lost its disk, else 0.",
      "partition"),
  PARTITION_KEYS("cairn_partition_keys", Kind.GAUGE, "Keys of a full replica.", "partition"),
  PARTITION_DATA_BYTES(
      "cairn_partition_data_bytes",
      Kind.GAUGE,
      "A full replica's data on disk and in write buffers, bytes.",
      "partition"),
  PARTITION_DISK_BYTES(
      "cairn_partition_disk_bytes",
      Kind.GAUGE,
      "All table files of a full replica on disk, those that are about to go included, bytes.",
      "partition"),
  PARTITION_LOG_BYTES(
      "cairn_partition_log_bytes",
      Kind.GAUGE,
      "The partition's entries in this node's write-ahead log, about, bytes.",
      "partition"),
  LOG_BYTES(
      "cairn_log_bytes",
      Kind.GAUGE,
      "All entries of this node's write-ahead log, about, bytes; looked at twice a second."),
  LOG_KEPT_MAX(
      "cairn_log_kept_max_bytes",
      Kind.GAUGE,
      "What full replicas here keep of the log at most for replicas that lag, bytes: past it these are sent a copy of the data."),
  UNFLUSHED_ENTRIES(
      "cairn_unflushed_entries",
      Kind.GAUGE,
      "Log entries that full replicas have applied and that are not in a flushed table yet; looked at twice a second."),
  REPLICAS_OPENING(
      "cairn_replicas_opening",
      Kind.GAUGE,
      "Replicas and witnesses that are placed here and not open yet; looked at twice a second."),
  SNAPSHOTS_UNDER_WAY(
      "cairn_snapshots_under_way",
      Kind.GAUGE,
      "Local snapshots that are being written: flushes of a full replica's data."),
  SNAPSHOT_RUNS(
      "cairn_snapshot_under_way_seconds",
      Kind.GAUGE,
      "For how long the one that began last has been; 0 where none is."),
  SNAPSHOT_LAST(
      "cairn_snapshot_last_timestamp_seconds",
      Kind.GAUGE,
      "When the last one ended, seconds since 1970; 0 where there was none since the start."),
  SNAPSHOT_LAST_DURATION(
      "cairn_snapshot_last_duration_seconds", Kind.GAUGE, "How long it took, seconds."),
  SNAPSHOT_LAST_FAILED(
      "cairn_snapshot_last_failed", Kind.GAUGE, "1 if it failed, which stops its replica."),
  SNAPSHOTS_SENT(
      "cairn_snapshots_sent_total",
      Kind.COUNTER,
      "Copies of a replica's data made for another one that the log could not bring up to date."),
  PEER_CONNECTIONS(
      "cairn_peer_connections",
      Kind.GAUGE,
      "Open connections to other nodes, whoever opened them."),
  PEER_MESSAGES(
      "cairn_peer_messages_total",
      Kind.COUNTER,
      "Messages between this node and others, answers too (sent, received).",
      "direction"),
  PEER_UNANSWERED_BYTES(
      "cairn_peer_unanswered_bytes",
      Kind.GAUGE,
      "Bytes of messages to other nodes that are not answered yet."),
  APPLY_LAG(
      "cairn_apply_lag_entries",
      Kind.GAUGE,
      "Log entries that this full replica has and has not applied yet.",
      "partition"),
  REPLICA_LAG(
      "cairn_replica_lag_entries",
      Kind.GAUGE,
      "Log entries that a follower had not applied when it last reported, as its leader, this node, sees it.",
      "partition",
      "replica"),
  NODES("cairn_cluster_nodes", Kind.GAUGE, "Members of the cluster."),
  NODES_UP(
      "cairn_cluster_nodes_up",
      Kind.GAUGE,
      "Members that this node hears of and reaches, itself included."),
  PARTITIONS("cairn_cluster_partitions", Kind.GAUGE, "Partitions of the cluster."),
  PARTITIONS_LED(
      "cairn_cluster_partitions_led",
      Kind.GAUGE,
      "Partitions for which this node knows a leader that it hears of."),
  CAN_LOSE(
      "cairn_cluster_can_lose",
      Kind.GAUGE,
      "Nodes, whichever they are, that may fail now and every partition goes on with nothing lost."),
  PROBLEM(
      "cairn_cluster_problem_seconds",
      Kind.GAUGE,
      "Since when this node sees a problem, by the name that status gives it; 0 when it does not, or for less than 5 s.",
      "problem"),
  RIGHTS_AGE(
      "cairn_rights_age_seconds",
      Kind.GAUGE,
      "For how long nobody has told this node what the latest rights of users are; 0 while somebody does."),
  AUDIT_LOST(
      "cairn_audit_events_lost_total",
      Kind.COUNTER,
      "Events that are in no line of the audit log: it could not be written, or came in too fast."),
  LOG_DAMAGED(
      "cairn_log_damaged",
      Kind.GAUGE,
      "1 once the write-ahead log is damaged: this node takes no more entries and votes."),
  CERTIFICATE_EXPIRES(
      "cairn_certificate_expiry_timestamp_seconds",
      Kind.GAUGE,
      "When the certificate of the client ports and that of the peer port expire, or one that leads to their CA, seconds since 1970.",
      "port"),
  HANDSHAKES(
      "cairn_handshakes_total",
      Kind.COUNTER,
      "Connections that began to prove themselves, TLS's handshake or a peer's proof, by their end: ok, failed, or pushed_out by later ones.",
      "port",
      "result"),
  HANDSHAKES_UNDER_WAY(
      "cairn_handshakes_under_way",
      Kind.GAUGE,
      "Those that are at it: at most 512 of a kind of port, each for at most 5 s.",
      "port"),
  DISK_FREE("cairn_disk_free_bytes", Kind.GAUGE, "Room on the disk of the data folder, bytes."),
  DISK_SIZE("cairn_disk_size_bytes", Kind.GAUGE, "Size of the disk of the data folder, bytes."),
  UNFLUSHED(
      "cairn_unflushed_bytes",
      Kind.GAUGE,
      "What replicas have applied and not flushed to their databases yet, in the heap, bytes."),
  RECORD_CACHE(
      "cairn_record_cache_bytes",
      Kind.GAUGE,
      "Memory that the caches of records before RocksDB take, in the heap, bytes."),
  RECORD_CACHE_LOOKUPS(
      "cairn_record_cache_lookups_total",
      Kind.COUNTER,
      "Keys looked for in them (hit, miss), by reads and by writes.",
      "result"),
  ROCKSDB_CACHE(
      "cairn_rocksdb_cache_bytes",
      Kind.GAUGE,
      "Memory that RocksDB's block cache and write buffers take, bytes.",
      "database"),
  ROCKSDB_MEMTABLES(
      "cairn_rocksdb_memtable_bytes",
      Kind.GAUGE,
      "Of that, write buffers that are not flushed yet, bytes.",
      "database"),
  ROCKSDB_FILES(
      "cairn_rocksdb_files_bytes", Kind.GAUGE, "RocksDB's live table files, bytes.", "database"),
  ROCKSDB_PENDING_COMPACTION(
      "cairn_rocksdb_pending_compaction_bytes",
      Kind.GAUGE,
      "Bytes that compaction has yet to rewrite, about.",
      "database"),
  ROCKSDB_CACHE_LOOKUPS(
      "cairn_rocksdb_cache_lookups_total",
      Kind.COUNTER,
      "Blocks looked for in the block cache (hit, miss).",
      "database",
      "result"),
  ROCKSDB_WRITTEN(
      "cairn_rocksdb_written_bytes_total",
      Kind.COUNTER,
      "Bytes that RocksDB wrote to disk (flush, compaction).",
      "database",
      "by"),
  ROCKSDB_STALLED(
      "cairn_rocksdb_stalled_seconds_total",
      Kind.COUNTER,
      "Time for which RocksDB held writes back, seconds.",
      "database"),
  BUILD(
      "cairn_node_version", Kind.GAUGE, "Always 1; the label says which version runs.", "version");

  /** How a metric is exposed. */
  public enum Kind {
    /** Grows until the process ends. */
    COUNTER("counter"),
    /** Goes up and down. */
    GAUGE("gauge"),
    /** A histogram of seconds, from 100 microseconds to 10 seconds. */
    DURATION("histogram"),
    /** A histogram of counts, from 1 to 4096. */
    COUNTS("histogram"),
    /** A histogram of bytes, from 256 to 4 MiB. */
    BYTES("histogram"),
    /** Count and sum of seconds. */
    SUMMARY("summary");

    private final String type;

    Kind(String type) {
      this.type = type;
    }

    /** Prometheus' word for it. */
    public String type() {
      return type;
    }
  }

  private final String metricName;
  private final Kind kind;
  private final String help;
  private final List<String> labels;

  Metric(String metricName, Kind kind, String help, String... labels) {
    this.metricName = metricName;
    this.kind = kind;
    this.help = help;
    this.labels = List.of(labels);
  }

  /** As it is exposed; a histogram adds {@code _bucket}, {@code _sum}, {@code _count}. */
  public String metricName() {
    return metricName;
  }

  public Kind kind() {
    return kind;
  }

  /** One sentence for people. */
  public String help() {
    return help;
  }

  public List<String> labels() {
    return labels;
  }
}
